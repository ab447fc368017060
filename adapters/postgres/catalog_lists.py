"""Lists of products: a statement for each combination of conditions, sort and slice, written when it is first asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, any_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.catalog_rows import PRODUCTS
from adapters.postgres.columns import Make
from adapters.postgres.keyset import Slice, SortColumn, key_part, sliced
from adapters.postgres.reading import Prepared
from adapters.postgres.tables import products
from domain.catalog.model import Product, ProductFilter, ProductSort, ProductStatus, attribute_pairs
from domain.shared.needs import Needs
from domain.shared.paging import Key

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
ON_SALE = func.coalesce(P.sale_price < P.base_price, False)
TEXT = func.lower(bindparam("text", type_=Text))
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "category_id": P.category_id == bindparam("category_id"),
    "category_ids": P.category_id == any_(bindparam("category_ids", type_=ARRAY(P.category_id.type))),
    "brand_id": P.brand_id == bindparam("brand_id"),
    "brand_ids": P.brand_id == any_(bindparam("brand_ids", type_=ARRAY(P.brand_id.type))),
    "seller_id": P.seller_id == bindparam("seller_id"),
    "currency": P.currency == bindparam("currency"),
    "price_min": P.effective_price >= bindparam("price_min"),
    "price_max": P.effective_price <= bindparam("price_max"),
    "attributes": P.attributes.contains(bindparam("attributes", type_=P.attributes.type)),
    "text": (func.strpos(func.lower(P.name), TEXT) > 0) | (func.strpos(func.lower(P.sku), TEXT) > 0),
}
"""By the parameter that each takes."""
FLAGS: dict[tuple[str, bool], ColumnElement[bool]] = {
    ("in_stock", True): P.sellable_quantity > 0,
    ("in_stock", False): P.sellable_quantity == 0,
    ("on_sale", True): ON_SALE,
    ("on_sale", False): ~ON_SALE,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Which conditions a list has, whatever their values. Statuses are written out: partial indexes go by them."""

    parameters: tuple[str, ...]
    flags: tuple[tuple[str, bool], ...]
    statuses: tuple[ProductStatus, ...]

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        found = [CONDITIONS[name] for name in self.parameters] + [FLAGS[flag] for flag in self.flags]
        if self.statuses:
            named = [literal_column(f"'{status.value}'", Text) for status in self.statuses]
            found.append(P.status == named[0] if len(named) == 1 else P.status.in_(named))
        return found


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter as conditions and their parameters."""

    shape: Shape
    parameters: dict[str, Any]

    @classmethod
    def of(cls, which: ProductFilter) -> "Narrowing":
        given: dict[str, Any] = _ids("category", which.category_ids) | _ids("brand", which.brand_ids)
        given |= {
            "seller_id": which.seller_id,
            "currency": which.currency,
            "price_min": which.price_min,
            "price_max": which.price_max,
            "attributes": attribute_pairs(which.attributes) if which.attributes else None,
            "text": which.text or None,
        }
        given = {name: value for name, value in given.items() if value is not None}
        flags = (("in_stock", which.in_stock), ("on_sale", which.on_sale))
        shape = Shape(tuple(given), tuple((name, on) for name, on in flags if on is not None), which.statuses)
        return cls(shape, given)


def _ids(name: str, ids: Sequence[Any]) -> dict[str, Any]:
    """One id is a condition of its own, for then an index gives the order, too."""
    if not ids:
        return {}
    return {f"{name}_id": ids[0]} if len(ids) == 1 else {f"{name}_ids": ids}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list's statement, how it is sorted, what makes products of its rows, and how a row's place is read off the row."""

    statement: Prepared
    columns: Sequence[SortColumn]
    make: Make[Product]
    key_of: Callable[[Any], Key]


@lru_cache(maxsize=512)
def listing_of(shape: Shape, sort: ProductSort, slice: Slice, *, drafts: bool, needs: Needs = None) -> Listing:
    """`drafts`: whether it may hold what was never published."""
    columns, descending = SORTS[sort]
    if sort is ProductSort.NEWEST and drafts:
        columns = NEWEST_WITH_DRAFTS
    keys = [column for column, _ in columns]
    reading = PRODUCTS.reading(needs, keys)
    statement = select(*reading.columns).where(*shape.conditions)
    places = {column: place for place, column in enumerate(reading.columns)}
    place = itemgetter(*(places[key] for key in keys))

    def key_of(row: Any) -> Key:
        return tuple(key_part(each) for each in place(row))

    return Listing(Prepared(sliced(statement, columns, slice, descending=descending)), columns, reading.make, key_of)


@lru_cache(maxsize=512)
def counting_of(shape: Shape, at_most: int) -> Prepared:
    """Counts up to one more than `at_most`."""
    limit = literal_column(str(at_most + 1), Integer)
    some = select(P.id).where(*shape.conditions).limit(limit).subquery()
    return Prepared(select(func.count()).select_from(some))
