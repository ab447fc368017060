"""Products, brands and categories in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import literal

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.keyset import SortColumn, key_part, slice_rows
from adapters.postgres.tables import brands, categories, product_images, product_variations, products
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
    ShippingInfo,
    Variation,
    attribute_pairs,
    attributes_of,
)
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId, VariationId
from domain.shared.money import Money
from domain.shared.paging import Count, Page, PageRequest, Precision, cut_page
from domain.shared.tax import TaxClass
from domain.shared.viewer import ANONYMOUS, Viewer

P = products.c
ID: SortColumn = (P.id, UUID)
SORTS: dict[ProductSort, tuple[Sequence[SortColumn], bool]] = {
    ProductSort.NEWEST: (((P.published_at, datetime), ID), True),
    # by currency first: 1,000 yen and 1,000 cents are not the same price
    ProductSort.PRICE_ASC: (((P.currency, str), (P.effective_price, int), ID), False),
    ProductSort.PRICE_DESC: (((P.currency, str), (P.effective_price, int), ID), True),
    ProductSort.NAME: (((P.name, str), ID), False),
}
LISTED_AT = func.coalesce(P.published_at, P.created_at).label("listed_at")
NEWEST_WITH_DRAFTS: Sequence[SortColumn] = ((LISTED_AT, datetime), ID)
"""For lists that may hold drafts: a keyset has no place for the null of what was never published. No index has it."""
MAY_BE_UNPUBLISHED = {ProductStatus.DRAFT, ProductStatus.DISCONTINUED}
PRODUCT = select(products)
BY_IDS = PRODUCT.where(among_ids(P.id))
BRANDS = select(brands).where(among_ids(brands.c.id), brands.c.is_active)
IMAGES = (
    select(product_images)
    .where(among_ids(product_images.c.product_id))  # idx_product_images_product_id
    .order_by(product_images.c.product_id, product_images.c.sort_order, product_images.c.id)
)
VARIATIONS = (
    select(
        product_variations,
        P.currency,
        (P.effective_price + product_variations.c.price_adjustment).label("price"),
    )
    .join(products, P.id == product_variations.c.product_id)
    .where(among_ids(product_variations.c.product_id), product_variations.c.is_active)
    .order_by(product_variations.c.product_id, product_variations.c.id)
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
        statement = PRODUCT
        if ref.id is not None:
            statement = statement.where(P.id == ref.id)
        if ref.slug is not None:
            statement = statement.where(P.slug == ref.slug)
        if ref.seller_id is not None:
            statement = statement.where(P.seller_id == ref.seller_id, P.sku == ref.sku)
        rows = await self._database.shown_to(viewer, statement)
        return product_of(rows[0]) if rows else None

    async def page(
        self, viewer: Viewer, which: ProductFilter, sort: ProductSort, request: PageRequest
    ) -> Page[Product]:
        columns, descending = SORTS[sort]
        statement = narrowed(PRODUCT, which)
        drafts = not viewer.is_public and not MAY_BE_UNPUBLISHED.isdisjoint(which.statuses or ProductStatus)
        if sort is ProductSort.NEWEST and drafts:
            columns, statement = NEWEST_WITH_DRAFTS, statement.add_columns(LISTED_AT)
        statement = slice_rows(statement, columns, request, descending=descending)
        rows = await self._database.shown_to(viewer, statement)
        names = [column.name for column, _ in columns]
        page = cut_page(
            rows,
            request,
            sort,
            lambda row: tuple(key_part(row._mapping[name]) for name in names),
            ProductsScope(viewer, which),
        )
        found = await self._database.made(page.nodes, product_of)
        return Page(found, page.keys, sort, page.has_next, page.has_previous, page.scope)

    async def count(self, viewer: Viewer, which: ProductFilter, at_most: int) -> Count:
        some = narrowed(select(P.id), which).limit(at_most + 1).subquery()
        found = (await self._database.shown_to(viewer, select(func.count()).select_from(some)))[0][0]
        return Count(min(found, at_most), Precision.EXACT if found <= at_most else Precision.AT_LEAST)

    async def after(self, last: ProductId | None, size: int) -> Sequence[Product]:
        statement = PRODUCT.order_by(P.id).limit(size)
        rows = await self._database.public(statement if last is None else statement.where(P.id > last))
        return [product_of(row) for row in rows]

    async def images_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Sequence[Image]]:
        rows = await self._database.shown_to(viewer, IMAGES, {"ids": ids})
        return many_each(ids, await self._database.made(rows, image_of), lambda image: image.product_id)

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]:
        rows = await self._database.shown_to(viewer, VARIATIONS, {"ids": ids})
        return many_each(ids, await self._database.made(rows, variation_of), lambda variation: variation.product_id)


def narrowed(statement: Select[Any], which: ProductFilter) -> Select[Any]:
    """The statement with the filter's conditions."""
    if which.category_ids:
        statement = statement.where(P.category_id.in_(which.category_ids))
    if which.brand_ids:
        statement = statement.where(P.brand_id.in_(which.brand_ids))
    if which.seller_id:
        statement = statement.where(P.seller_id == which.seller_id)
    if which.currency:
        statement = statement.where(P.currency == which.currency)
    if which.price_min is not None:
        statement = statement.where(P.effective_price >= which.price_min)
    if which.price_max is not None:
        statement = statement.where(P.effective_price <= which.price_max)
    if which.in_stock is not None:
        statement = statement.where(P.stock_quantity > 0 if which.in_stock else P.stock_quantity == 0)
    if which.on_sale is not None:
        on_sale = func.coalesce(P.sale_price < P.base_price, False)
        statement = statement.where(on_sale if which.on_sale else ~on_sale)
    if which.statuses:
        statement = statement.where(P.status.in_(which.statuses))
    if which.attributes:
        statement = statement.where(P.attributes.contains(literal(attribute_pairs(which.attributes), JSONB)))
    if which.text:
        text = which.text.lower()
        statement = statement.where(
            (func.strpos(func.lower(P.name), text) > 0) | (func.strpos(func.lower(P.sku), text) > 0)
        )
    return statement


class PostgresBrands:
    """The port `Brands`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[BrandId]) -> Sequence[Brand | None]:
        rows = await self._database.public(BRANDS, {"ids": ids})
        return one_each(ids, await self._database.made(rows, brand_of), lambda brand: brand.id)

    async def page(self, request: PageRequest) -> Page[Brand]:
        columns: Sequence[SortColumn] = ((brands.c.name, str), (brands.c.id, UUID))  # idx_brands_name
        statement = slice_rows(select(brands).where(brands.c.is_active), columns, request, descending=False)
        rows = await self._database.public(statement)
        return cut_page(
            [brand_of(row) for row in rows],
            request,
            BRANDS_ORDER,
            lambda brand: (brand.name, str(brand.id)),
            BrandsScope(),
        )

    async def count(self) -> Count:
        rows = await self._database.public(select(func.count()).select_from(brands).where(brands.c.is_active))
        return Count(rows[0][0])


class PostgresCategories:
    """The port `Categories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self) -> CategoryTree:
        rows = await self._database.fresh(select(categories).where(categories.c.is_active))
        return CategoryTree(
            Category(
                CategoryId(row.id),
                CategoryId(row.parent_id) if row.parent_id else None,
                row.name,
                row.slug,
                row.icon_url,
                row.sort_order,
                TaxClass(row.tax_class),
            )
            for row in rows
        )


def product_of(row: Row[Any]) -> Product:
    currency = row.currency
    return Product(
        id=ProductId(row.id),
        seller_id=SellerId(row.seller_id),
        category_id=CategoryId(row.category_id),
        brand_id=BrandId(row.brand_id) if row.brand_id else None,
        sku=row.sku,
        slug=row.slug,
        name=row.name,
        description=row.description,
        base_price=Money(row.base_price, currency),
        sale_price=None if row.sale_price is None else Money(row.sale_price, currency),
        stock_quantity=row.stock_quantity,
        status=ProductStatus(row.status),
        attributes=attributes_of(row.attributes),
        shipping_info=shipping_info_of(row.shipping_info, currency),
        published_at=row.published_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def shipping_info_of(stored: dict[str, Any], currency: str) -> ShippingInfo:
    fee, free_over = stored.get("fee"), stored.get("free_over")
    return ShippingInfo(
        ships_from=stored.get("ships_from"),
        days_min=stored.get("days_min"),
        days_max=stored.get("days_max"),
        fee=None if fee is None else Money(fee, currency),
        free_over=None if free_over is None else Money(free_over, currency),
    )


def image_of(row: Row[Any]) -> Image:
    return Image(row.id, ProductId(row.product_id), row.image_url, row.alt_text, row.sort_order, row.is_primary)


def variation_of(row: Row[Any]) -> Variation:
    return Variation(
        id=VariationId(row.id),
        product_id=ProductId(row.product_id),
        sku=row.sku,
        name=row.name,
        attributes=attributes_of(row.attributes),
        price=Money(row.price, row.currency),
        stock_quantity=row.stock_quantity,
        is_active=row.is_active,
    )


def brand_of(row: Row[Any]) -> Brand:
    return Brand(BrandId(row.id), row.name, row.name_kana, row.logo_url)
