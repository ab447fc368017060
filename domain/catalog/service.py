"""What one may ask of the catalogue."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from domain.catalog.categories import Category, CategoryTree
from domain.catalog.model import (
    Brand,
    Image,
    Product,
    ProductFilter,
    ProductRef,
    ProductSort,
    ProductsScope,
    ProductStatus,
    Variation,
)
from domain.catalog.ports import Brands, Categories, Products
from domain.shared.ids import BrandId, CategoryId, ProductId
from domain.shared.needs import Needs
from domain.shared.paging import Count, Page, PageRequest, empty_page
from domain.shared.refusals import InvalidInput
from domain.shared.viewer import ANONYMOUS, Viewer

MAX_TEXT = 100
MAX_NARROWING = 100
"""Brands, or attributes, that one filter may name."""
ANYTHING, ON_OFFER = ProductFilter(), ProductFilter(statuses=(ProductStatus.ACTIVE,))
"""What most lists are asked for by, and what they show then."""
COUNT_LIMIT = 10_000
"""Rows after which a total is no longer counted but said to be at least this many."""


class Catalog:
    def __init__(self, products: Products, brands: Brands, categories: Categories) -> None:
        self._products = products
        self._brands = brands
        self._categories = categories

    @property
    def is_current(self) -> bool:
        """Whether `product` and `products` give what is stored now, as `products_by_ids` does."""
        return self._products.is_current

    async def products_by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Product | None]:
        return await self._products.by_ids(ids, viewer, needs)

    async def images_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Sequence[Image]]:
        return await self._products.images_of(ids, viewer, needs)

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]:
        return await self._products.variations_of(ids, viewer)

    async def product(self, viewer: Viewer, ref: ProductRef, needs: Needs = None) -> Product | None:
        """One product by id, slug, or seller and SKU. Raises InvalidInput unless exactly one way is given."""
        ways = [ref.id is not None, ref.slug is not None, ref.seller_id is not None and ref.sku is not None]
        if sum(ways) != 1 or (ref.seller_id is None) != (ref.sku is None):
            raise InvalidInput(key="product_reference")
        if not is_text(f"{ref.slug}{ref.sku}"):
            return None
        if ref.id is not None and viewer.is_public:
            return (await self._products.by_ids([ref.id], needs=needs))[0]
        return await self._products.find(viewer, ref, needs)

    async def products(
        self,
        viewer: Viewer,
        which: ProductFilter,
        sort: ProductSort,
        request: PageRequest,
        category: CategoryId | None = None,
        needs: Needs = None,
    ) -> Page[Product]:
        """A list of products. `category` narrows to it and all below it. Raises InvalidInput."""
        which = self._checked(which)
        if viewer.is_public and which.statuses and ProductStatus.ACTIVE not in which.statuses:
            return empty_page(sort)
        if viewer.is_public or not which.statuses:
            # Lists show what can be bought: the public whatever it asks for, others unless they ask for more.
            which = ON_OFFER if which == ANYTHING else replace(which, statuses=(ProductStatus.ACTIVE,))
        if category is not None:
            within = (await self._categories.tree()).with_descendants(category)
            if not within:
                return empty_page(sort)
            which = replace(which, category_ids=within)
        return await self._products.page(viewer, which, sort, request, needs)

    async def count_products(self, scope: ProductsScope) -> Count:
        return await self._products.count(scope.viewer, scope.which, COUNT_LIMIT)

    async def every_product(self, batch: int = 2000) -> AsyncIterator[Sequence[Product]]:
        """All products that the store shows this process, in batches: jobs see drafts, the gateway does not."""
        last: ProductId | None = None
        while found := await self._products.after(last, batch):
            yield found
            last = found[-1].id

    async def brands_by_ids(self, ids: Sequence[BrandId]) -> Sequence[Brand | None]:
        return await self._brands.by_ids(ids)

    async def brands(self, request: PageRequest) -> Page[Brand]:
        return await self._brands.page(request)

    async def count_brands(self) -> Count:
        return await self._brands.count()

    async def category_tree(self) -> CategoryTree:
        return await self._categories.tree()

    async def categories_by_ids(self, ids: Sequence[CategoryId], needs: Needs = None) -> Sequence[Category | None]:
        return await self._categories.by_ids(ids, needs)

    async def category_paths(self, ids: Sequence[CategoryId]) -> Sequence[Sequence[Category]]:
        tree = await self._categories.tree()
        return [tree.path(each) for each in ids]

    async def category_children(self, ids: Sequence[CategoryId]) -> Sequence[Sequence[Category]]:
        tree = await self._categories.tree()
        return [tree.children(each) for each in ids]

    @staticmethod
    def _checked(which: ProductFilter) -> ProductFilter:
        low, high = which.price_min, which.price_max
        if (low is not None and low < 0) or (high is not None and high < 0):
            raise InvalidInput(key="price_negative", field=("filter", "price"))
        if low is not None and high is not None and low > high:
            raise InvalidInput(key="price_order", field=("filter", "price"))
        for attribute in which.attributes:
            if not is_text(attribute.name + attribute.value):
                raise InvalidInput(key="attributes_text", field=("filter", "attributes"))
        if len(which.attributes) > MAX_NARROWING or len(which.brand_ids) > MAX_NARROWING:
            raise InvalidInput(key="too_many_filters", most=MAX_NARROWING, field=("filter",))
        text = (which.text or "").strip()
        if len(text) > MAX_TEXT or "\x00" in text:
            raise InvalidInput(key="filter_text", most=MAX_TEXT, field=("filter", "text"))
        return which if (text or None) == which.text else replace(which, text=text or None)


def is_text(given: str) -> bool:
    """Whether a string is one that can be stored: no null byte, no half of a surrogate pair."""
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in given)
