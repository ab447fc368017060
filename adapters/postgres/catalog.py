"""Products, brands and categories in PostgreSQL."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.catalog_lists import MAY_BE_UNPUBLISHED, Narrowing, counting_of, listing_of
from adapters.postgres.catalog_rows import PRODUCT, VARIATIONS, product_of, variation_of
from adapters.postgres.database import Database
from adapters.postgres.keyset import Slice, SortColumn, slice_values, sliced
from adapters.postgres.reading import Prepared, as_row, columns_of
from adapters.postgres.tables import brands, categories, product_images, products
from domain.catalog.categories import Category, CategoryTree
from domain.catalog.model import (
    BRANDS_ORDER,
    Brand,
    BrandsScope,
    Image,
    Product,
    ProductFilter,
    ProductRef,
    ProductSort,
    ProductsScope,
    ProductStatus,
    Variation,
)
from domain.shared.ids import BrandId, ProductId
from domain.shared.paging import Count, Page, PageRequest, Precision, cut_page
from domain.shared.tax import TaxClass
from domain.shared.viewer import ANONYMOUS, Viewer

P = products.c
BY_IDS = Prepared(PRODUCT.where(among_ids(P.id)))
FOUND = {
    "id": Prepared(PRODUCT.where(P.id == bindparam("id"))),
    "slug": Prepared(PRODUCT.where(P.slug == bindparam("slug"))),
    "sku": Prepared(PRODUCT.where(P.seller_id == bindparam("seller_id"), P.sku == bindparam("sku"))),
}
"""One product, by each of the ways to name it."""
IN_TURN = {
    False: Prepared(PRODUCT.order_by(P.id).limit(bindparam("size"))),
    True: Prepared(PRODUCT.where(P.id > bindparam("last")).order_by(P.id).limit(bindparam("size"))),
}
"""All products in batches: the first, and each that follows."""
BRANDS = Prepared(select(*columns_of(Brand, brands)).where(among_ids(brands.c.id), brands.c.is_active))
BRANDS_SORT: Sequence[SortColumn] = ((brands.c.name, str), (brands.c.id, UUID))  # idx_brands_name
BRAND_COUNT = Prepared(select(func.count()).select_from(brands).where(brands.c.is_active))
CATEGORIES = Prepared(select(*columns_of(Category, categories)).where(categories.c.is_active))
IMAGES = Prepared(
    select(*columns_of(Image, product_images, url=product_images.c.image_url))
    .where(among_ids(product_images.c.product_id))  # idx_product_images_product_id
    .order_by(product_images.c.product_id, product_images.c.sort_order, product_images.c.id)
)


class PostgresProducts:
    """The port `Products`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Product | None]:
        if viewer.is_public:
            rows = await self._database.fresh(BY_IDS, {"ids": ids})
        else:
            rows = await self._database.seen_by(viewer, BY_IDS, {"ids": ids})
        return one_each(ids, await self._database.made(rows, product_of), lambda product: product.id)

    async def find(self, viewer: Viewer, ref: ProductRef) -> Product | None:
        given: dict[str, Any]
        if ref.id is not None:
            way, given = "id", {"id": ref.id}
        elif ref.slug is not None:
            way, given = "slug", {"slug": ref.slug}
        else:
            way, given = "sku", {"seller_id": ref.seller_id, "sku": ref.sku}
        rows = await self._database.shown_to(viewer, FOUND[way], given)
        return product_of(rows[0]) if rows else None

    async def page(
        self, viewer: Viewer, which: ProductFilter, sort: ProductSort, request: PageRequest
    ) -> Page[Product]:
        narrowing = Narrowing.of(which)
        drafts = not viewer.is_public and not MAY_BE_UNPUBLISHED.isdisjoint(which.statuses or ProductStatus)
        listing = listing_of(narrowing.shape, sort, Slice.of(request), drafts=drafts)
        parameters = narrowing.parameters | slice_values(listing.columns, request)
        rows = await self._database.shown_to(viewer, listing.statement, parameters)
        page = cut_page(rows, request, sort, listing.key_of, ProductsScope(viewer, which))
        found = await self._database.made(page.nodes, product_of)
        return Page(found, page.keys, sort, page.has_next, page.has_previous, page.scope)

    async def count(self, viewer: Viewer, which: ProductFilter, at_most: int) -> Count:
        narrowing = Narrowing.of(which)
        counting = counting_of(narrowing.shape, at_most)
        found = (await self._database.shown_to(viewer, counting, narrowing.parameters))[0][0]
        return Count(min(found, at_most), Precision.EXACT if found <= at_most else Precision.AT_LEAST)

    async def after(self, last: ProductId | None, size: int) -> Sequence[Product]:
        given = {"size": size} if last is None else {"size": size, "last": last}
        return [product_of(row) for row in await self._database.public(IN_TURN[last is not None], given)]

    async def images_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Sequence[Image]]:
        rows = await self._database.fresh_to(viewer, IMAGES, {"ids": ids})
        return many_each(ids, await self._database.made(rows, image_of), lambda image: image.product_id)

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]:
        rows = await self._database.fresh_to(viewer, VARIATIONS, {"ids": ids})
        return many_each(ids, await self._database.made(rows, variation_of), lambda variation: variation.product_id)


class PostgresBrands:
    """The port `Brands`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[BrandId]) -> Sequence[Brand | None]:
        rows = await self._database.fresh(BRANDS, {"ids": ids})
        return one_each(ids, await self._database.made(rows, brand_of), lambda brand: brand.id)

    async def page(self, request: PageRequest) -> Page[Brand]:
        rows = await self._database.public(_some_brands(Slice.of(request)), slice_values(BRANDS_SORT, request))
        return cut_page(
            await self._database.made(rows, brand_of),
            request,
            BRANDS_ORDER,
            lambda brand: (brand.name, str(brand.id)),
            BrandsScope(),
        )

    async def count(self) -> Count:
        return Count((await self._database.public(BRAND_COUNT))[0][0])


image_of, brand_of = as_row(Image), as_row(Brand)


@lru_cache(maxsize=64)
def _some_brands(shape: Slice) -> Prepared:
    active = select(*columns_of(Brand, brands)).where(brands.c.is_active)
    return Prepared(sliced(active, BRANDS_SORT, shape, descending=False))


class PostgresCategories:
    """The port `Categories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self) -> CategoryTree:
        return CategoryTree(map(category_of, await self._database.fresh(CATEGORIES)))


def category_of(row: Sequence[Any]) -> Category:
    (id, parent_id, name, slug, icon_url, sort_order, tax_class) = row
    return Category(id, parent_id, name, slug, icon_url, sort_order, TaxClass(tax_class))
