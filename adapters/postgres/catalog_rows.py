"""Products and variations as rows of PostgreSQL, and back."""

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Text, cast

from adapters.postgres.batches import among_ids
from adapters.postgres.columns import Columns, From, Reads
from adapters.postgres.tables import product_variations, products
from domain.catalog.model import Attribute, Product, ProductStatus, ShippingInfo, Variation, attributes_of
from domain.shared.money import Money

P = products.c
V = product_variations.c


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


@lru_cache(maxsize=4096)
def money(minor: int, currency: str) -> Money:
    """Few prices are had by one product alone."""
    return Money(minor, currency)


PRODUCTS = Columns(
    Product,
    products,
    always=("id",),
    base_price=From(money, (P.base_price, P.currency)),
    sale_price=From(money, (P.sale_price, P.currency), if_any=True),
    stock_quantity=P.sellable_quantity,
    status=From({status.value: status for status in ProductStatus}.__getitem__, (P.status,)),
    attributes=From(_attributes, (cast(P.attributes, Text).label("attributes"),)),
    shipping_info=From(_shipping_info, (cast(P.shipping_info, Text).label("shipping_info"), P.currency)),
)
VARIATIONS = Columns(
    Variation,
    product_variations,
    always=("id", "product_id"),
    stock_quantity=V.sellable_quantity,
    attributes=From(_attributes, (cast(V.attributes, Text).label("attributes"),)),
    price=From(money, ((P.effective_price + V.price_adjustment).label("price"), P.currency)),
)
VARIATIONS_OF_PRODUCTS = Reads(
    VARIATIONS,
    lambda columns: (
        columns.select_from(product_variations.join(products, P.id == V.product_id))
        .where(among_ids(V.product_id), V.is_active)
        .order_by(V.product_id, V.id)
    ),
)
