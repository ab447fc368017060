"""Products by their ids alone, for jobs that keep something of all of them."""

from collections.abc import Sequence
from typing import Protocol

from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId


class ProductKeys(Protocol):
    """Ids as stored now, whatever a product's status, in their order. Every method raises Unavailable."""

    async def versions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        """The next products, and the version of each."""
        ...

    async def of_seller(self, seller: SellerId, after: ProductId | None, size: int) -> Sequence[ProductId]: ...

    async def of_brand(self, brand: BrandId, after: ProductId | None, size: int) -> Sequence[ProductId]: ...

    async def in_category(self, category: CategoryId, after: ProductId | None, size: int) -> Sequence[ProductId]:
        """Those in the category and in all below it, active or not."""
        ...
