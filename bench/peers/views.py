"""What the servers in Python show of a row: Torii's global ids, amounts and moments, written anew and without Torii."""

import base64
import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "USD": 2, "GBP": 2, "EUR": 2}
LOW_STOCK = 5


def global_id(kind: str, key: UUID) -> str:
    return base64.urlsafe_b64encode(kind.encode() + b":" + key.bytes).rstrip(b"=").decode()


def key_of(global_id: str, kind: str) -> UUID:
    plain = base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4))
    if plain[:-16] != f"{kind}:".encode():
        raise ValueError(f"{global_id} is no {kind}")
    return UUID(bytes=plain[-16:])


def amount(minor: int, currency: str) -> str:
    return str(Decimal(minor).scaleb(-MINOR_DIGITS[currency]))


def price_of(product: Any) -> int:
    """In minor units."""
    minor: int = product["base_price"] if product["sale_price"] is None else product["sale_price"]
    return minor


def is_on_sale(product: Any) -> bool:
    return product["sale_price"] is not None and product["sale_price"] < product["base_price"]


def availability(product: Any) -> str:
    if product["status"] in ("draft", "discontinued"):
        return "UNAVAILABLE"
    if product["stock_quantity"] <= 0:
        return "OUT_OF_STOCK"
    return "LOW_STOCK" if product["stock_quantity"] <= LOW_STOCK else "IN_STOCK"


def mean(rating: Any) -> float | None:
    return None if rating is None else round(rating["rating_total"] / rating["rating_count"], 2)


def moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def listed(sort: str, first: int, after: str | None) -> tuple[str, tuple[Any, ...]]:
    """The statement for a page of products, and its values. Raises ValueError."""
    if not 0 <= first <= 100:
        raise ValueError("first is 0 to 100")
    if sort == "NEWEST" and after is None:
        return "products_newest", (first,)
    if sort != "NAME":
        raise ValueError("sort is NAME, or NEWEST without after")
    if after is None:
        return "products_by_name", (first,)
    _, name, key = json.loads(base64.urlsafe_b64decode(after))
    return "products_by_name_after", (first, name, UUID(key))
