"""A change of a row, and which columns of which tables are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Value = str | int | float | bool | None
Values = Mapping[str, Value]

CAPTURED: Mapping[str, str] = {
    "catalog.products": (
        "id seller_id category_id brand_id sku name currency base_price sale_price stock_quantity reserved_quantity status"
        " attributes version published_at created_at updated_at"
    ),
    "catalog.product_variations": (
        "id product_id seller_id sku name attributes price_adjustment stock_quantity reserved_quantity is_active"
        " created_at updated_at"
    ),
    "catalog.categories": "id parent_id name is_active created_at updated_at",
    "catalog.brands": "id name is_active created_at updated_at",
    "sellers.sellers": "id status created_at updated_at",
    "reviews.product_ratings": "product_id rating_count rating_total",
    "orders.orders": (
        "id currency subtotal tax_amount shipping_fee total_amount status ordered_at created_at updated_at"
    ),
    "orders.order_items": (
        "id order_id product_id product_variation_id seller_id currency quantity unit_price total_price fulfillment_status"
        " created_at updated_at"
    ),
}
"""The allow-list: tables, and the columns of each. Nothing of a person, and no text that somebody wrote freely. The database
holds to it (the publication of r0037_capture.py), so that nothing else leaves it at all; a test holds the two together."""


class Operation(StrEnum):
    """As Debezium writes them."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    READ = "r"
    """A row as it stood when capture began, or began anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a row. Of rows that went, and those whose key changed, `before` has the key.

    Parameters:
        position: in the database's log (the LSN as a number); a later change of a row has a higher one.
        transaction: its number, 0 for what was read and not changed.
        at: when it was committed, or read.
    """

    table: str
    operation: Operation
    key: Values
    before: Values | None
    after: Values | None
    position: int
    transaction: int
    at: datetime
