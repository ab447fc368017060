"""Products, brands and categories in PostgreSQL."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.catalog_lists import MAY_BE_UNPUBLISHED, Narrowing, counting_of, listing_of
from adapters.postgres.catalog_rows import PRODUCTS, VARIATIONS_OF_PRODUCTS
from adapters.postgres.columns import Columns, From, Read, Reads
from adapters.postgres.database import Database
from adapters.postgres.keyset import Slice, SortColumn, slice_values, sliced
from adapters.postgres.reading import Prepared
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
from domain.shared.ids import BrandId, CategoryId, ProductId
from domain.shared.needs import Needs
from domain.shared.paging import Count, Page, PageRequest, Precision, cut_page
from domain.shared.tax import TaxClass
from domain.shared.viewer import ANONYMOUS, Viewer

P = products.c
BY_ID, BY_PRODUCT = attrgetter("id"), attrgetter("product_id")
BY_IDS = Reads(PRODUCTS, lambda columns: columns.where(among_ids(P.id)))
FOUND = {
    "id": Reads(PRODUCTS, lambda columns: columns.where(P.id == bindparam("id"))),
    "slug": Reads(PRODUCTS, lambda columns: columns.where(P.slug == bindparam("slug"))),
    "sku": Reads(
        PRODUCTS, lambda columns: columns.where(P.seller_id == bindparam("seller_id"), P.sku == bindparam("sku"))
    ),
}
"""One product, by each of the ways to name it."""
IN_TURN = {
    False: Reads(PRODUCTS, lambda columns: columns.order_by(P.id).limit(bindparam("size"))),
    True: Reads(
        PRODUCTS, lambda columns: columns.where(P.id > bindparam("last")).order_by(P.id).limit(bindparam("size"))
    ),
}
"""All products in batches: the first, and each that follows."""
BRANDS = Columns(Brand, brands, always=("id",))
BRANDS_BY_IDS = Reads(BRANDS, lambda columns: columns.where(among_ids(brands.c.id), brands.c.is_active))
BRANDS_SORT: Sequence[SortColumn] = ((brands.c.name, str), (brands.c.id, UUID))  # idx_brands_name
BRAND_COUNT = Prepared(select(func.count()).select_from(brands).where(brands.c.is_active))
TAX_CLASSES = {each.value: each for each in TaxClass}
CATEGORIES = Columns(
    Category, categories, always=("id",), tax_class=From(TAX_CLASSES.__getitem__, (categories.c.tax_class,))
)
TREE = Reads(CATEGORIES, lambda columns: columns.where(categories.c.is_active))
CATEGORIES_BY_IDS = Reads(CATEGORIES, lambda columns: columns.where(among_ids(categories.c.id), categories.c.is_active))
IMAGES = Reads(
    Columns(Image, product_images, always=("product_id",), url=product_images.c.image_url),
    lambda columns: columns.where(among_ids(product_images.c.product_id)).order_by(  # idx_product_images_product_id
        product_images.c.product_id, product_images.c.sort_order, product_images.c.id
    ),
)


class PostgresProducts:
    """The port `Products`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_current(self) -> bool:
        return not self._database.has_replica

    async def by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Product | None]:
        read = BY_IDS.of(needs)
        rows = await self._database.fresh_to(viewer, read.statement, {"ids": ids})
        return one_each(ids, await self._database.made(rows, read.make), BY_ID)

    async def find(self, viewer: Viewer, ref: ProductRef, needs: Needs = None) -> Product | None:
        given: dict[str, Any]
        if ref.id is not None:
            way, given = "id", {"id": ref.id}
        elif ref.slug is not None:
            way, given = "slug", {"slug": ref.slug}
        else:
            way, given = "sku", {"seller_id": ref.seller_id, "sku": ref.sku}
        read = FOUND[way].of(needs)
        found = read.make(await self._database.shown_to(viewer, read.statement, given))
        return found[0] if found else None

    async def page(
        self, viewer: Viewer, which: ProductFilter, sort: ProductSort, request: PageRequest, needs: Needs = None
    ) -> Page[Product]:
        narrowing = Narrowing.of(which)
        drafts = not viewer.is_public and not MAY_BE_UNPUBLISHED.isdisjoint(which.statuses or ProductStatus)
        listing = listing_of(narrowing.shape, sort, Slice.of(request), drafts=drafts, needs=needs)
        parameters = narrowing.parameters | slice_values(listing.columns, request)
        rows = await self._database.shown_to(viewer, listing.statement, parameters)
        page = cut_page(rows, request, sort, listing.key_of, ProductsScope(viewer, which))
        found = await self._database.made(page.nodes, listing.make)
        return Page(found, page.keys, sort, page.has_next, page.has_previous, page.scope)

    async def count(self, viewer: Viewer, which: ProductFilter, at_most: int) -> Count:
        narrowing = Narrowing.of(which)
        counting = counting_of(narrowing.shape, at_most)
        found = (await self._database.shown_to(viewer, counting, narrowing.parameters))[0][0]
        return Count(min(found, at_most), Precision.EXACT if found <= at_most else Precision.AT_LEAST)

    async def after(self, last: ProductId | None, size: int) -> Sequence[Product]:
        given = {"size": size} if last is None else {"size": size, "last": last}
        read = IN_TURN[last is not None].of(None)
        return read.make(await self._database.public(read.statement, given))

    async def images_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Sequence[Image]]:
        read = IMAGES.of(needs)
        rows = await self._database.fresh_to(viewer, read.statement, {"ids": ids})
        return many_each(ids, await self._database.made(rows, read.make), BY_PRODUCT)

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]:
        read = VARIATIONS_OF_PRODUCTS.of(None)
        rows = await self._database.fresh_to(viewer, read.statement, {"ids": ids})
        return many_each(ids, await self._database.made(rows, read.make), BY_PRODUCT)


class PostgresBrands:
    """The port `Brands`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[BrandId]) -> Sequence[Brand | None]:
        read = BRANDS_BY_IDS.of(None)
        rows = await self._database.fresh(read.statement, {"ids": ids})
        return one_each(ids, await self._database.made(rows, read.make), BY_ID)

    async def page(self, request: PageRequest) -> Page[Brand]:
        read = _some_brands(Slice.of(request))
        rows = await self._database.public(read.statement, slice_values(BRANDS_SORT, request))
        return cut_page(
            await self._database.made(rows, read.make),
            request,
            BRANDS_ORDER,
            lambda brand: (brand.name, str(brand.id)),
            BrandsScope(),
        )

    async def count(self) -> Count:
        return Count((await self._database.public(BRAND_COUNT))[0][0])


@lru_cache(maxsize=64)
def _some_brands(shape: Slice) -> Read[Brand]:
    reading = BRANDS.reading()
    active = select(*reading.columns).where(brands.c.is_active)
    return Read(Prepared(sliced(active, BRANDS_SORT, shape, descending=False)), reading.make)


class PostgresCategories:
    """The port `Categories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self) -> CategoryTree:
        read = TREE.of(None)
        return CategoryTree(await self._database.made(await self._database.fresh(read.statement), read.make))

    async def by_ids(self, ids: Sequence[CategoryId], needs: Needs = None) -> Sequence[Category | None]:
        read = CATEGORIES_BY_IDS.of(needs)
        rows = await self._database.fresh(read.statement, {"ids": ids})
        return one_each(ids, await self._database.made(rows, read.make), BY_ID)
