"""What the catalogue needs from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.catalog.categories import Category, CategoryTree
from domain.catalog.model import Brand, Image, Product, ProductFilter, ProductRef, ProductSort, Variation
from domain.shared.ids import BrandId, CategoryId, ProductId
from domain.shared.needs import Needs
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.viewer import ANONYMOUS, Viewer


class Products(Protocol):
    """Products as stored. Batched reads keep the order of their keys, and see what the viewer sees."""

    @property
    def is_current(self) -> bool:
        """Whether `find` and `page` give what is stored now, as `by_ids` does, and not what a replica has heard of."""
        ...

    async def by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Product | None]: ...

    async def find(self, viewer: Viewer, ref: ProductRef, needs: Needs = None) -> Product | None:
        """The product if the viewer may see it."""
        ...

    async def page(
        self, viewer: Viewer, which: ProductFilter, sort: ProductSort, request: PageRequest, needs: Needs = None
    ) -> Page[Product]: ...

    async def count(self, viewer: Viewer, which: ProductFilter, at_most: int) -> Count: ...

    async def after(self, last: ProductId | None, size: int) -> Sequence[Product]:
        """The next `size` products by id, whatever their status, for jobs that go through all of them."""
        ...

    async def images_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Sequence[Image]]: ...

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]: ...


class Brands(Protocol):
    async def by_ids(self, ids: Sequence[BrandId]) -> Sequence[Brand | None]: ...

    async def page(self, request: PageRequest) -> Page[Brand]: ...

    async def count(self) -> Count: ...


class Categories(Protocol):
    async def tree(self) -> CategoryTree: ...

    async def by_ids(self, ids: Sequence[CategoryId], needs: Needs = None) -> Sequence[Category | None]:
        """Active categories, in the order of `ids`."""
        ...
