"""Products and variations as rows of PostgreSQL, and back."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Text, cast, select

from adapters.postgres.batches import among_ids
from adapters.postgres.reading import Prepared
from adapters.postgres.tables import product_variations, products
from domain.catalog.model import Attribute, Product, ProductStatus, ShippingInfo, Variation, attributes_of
from domain.shared.money import Money

P = products.c
COLUMNS = (
    P.id,
    P.seller_id,
    P.category_id,
    P.brand_id,
    P.sku,
    P.slug,
    P.name,
    P.description,
    P.currency,
    P.base_price,
    P.sale_price,
    P.sellable_quantity,
    P.status,
    cast(P.attributes, Text).label("attributes"),
    cast(P.shipping_info, Text).label("shipping_info"),
    P.published_at,
    P.created_at,
    P.updated_at,
    P.version,
)
"""As `product_of` takes them apart."""
PRODUCT = select(*COLUMNS)
V = product_variations.c
VARIATIONS = Prepared(
    select(
        V.id,
        V.product_id,
        V.sku,
        V.name,
        cast(V.attributes, Text).label("attributes"),
        (P.effective_price + V.price_adjustment).label("price"),
        P.currency,
        V.sellable_quantity,
        V.is_active,
    )
    .join(products, P.id == V.product_id)
    .where(among_ids(V.product_id), V.is_active)
    .order_by(V.product_id, V.id)
)
STATUSES = {status.value: status for status in ProductStatus}


def product_of(row: Sequence[Any]) -> Product:
    """From the columns of COLUMNS; what follows them is left."""
    (id, seller_id, category_id, brand_id, sku, slug, name, description, currency, base_price, sale_price) = row[:11]
    (stock_quantity, status, attributes, shipping_info, published_at, created_at, updated_at, version) = row[11:19]
    return Product(
        id,
        seller_id,
        category_id,
        brand_id,
        sku,
        slug,
        name,
        description,
        Money(base_price, currency),
        None if sale_price is None else Money(sale_price, currency),
        stock_quantity,
        STATUSES[status],
        _attributes(attributes),
        _shipping_info(shipping_info, currency),
        published_at,
        created_at,
        updated_at,
        version,
    )


@lru_cache(maxsize=4096)
def _attributes(stored: str) -> tuple[Attribute, ...]:
    """The same few come again and again, and never change."""
    return attributes_of(orjson.loads(stored))


@lru_cache(maxsize=1024)
def _shipping_info(stored: str, currency: str) -> ShippingInfo:
    return shipping_info_of(orjson.loads(stored), currency)


def shipping_info_of(stored: dict[str, Any], currency: str) -> ShippingInfo:
    fee, free_over = stored.get("fee"), stored.get("free_over")
    return ShippingInfo(
        ships_from=stored.get("ships_from"),
        days_min=stored.get("days_min"),
        days_max=stored.get("days_max"),
        fee=None if fee is None else Money(fee, currency),
        free_over=None if free_over is None else Money(free_over, currency),
    )


def variation_of(row: Sequence[Any]) -> Variation:
    """From the columns of VARIATIONS."""
    (id, product_id, sku, name, attributes, price, currency, stock_quantity, is_active) = row
    return Variation(
        id, product_id, sku, name, _attributes(attributes), Money(price, currency), stock_quantity, is_active
    )
