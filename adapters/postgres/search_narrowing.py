"""A search filter as conditions on products, the same that the index narrows by: as the database has it now."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Text, any_, bindparam, cast, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.tables import categories, product_ratings, product_variations, products
from domain.search.request import SearchFilter

P, R, V = products.c, product_ratings.c, product_variations.c
MOST_MINOR = 2**63 - 1


def _with_those_below() -> ColumnElement[bool]:
    given = any_(bindparam("category_ids", type_=ARRAY(P.category_id.type)))
    below = select(categories.c.id).where(categories.c.id == given).cte("below", recursive=True)
    below = below.union(select(categories.c.id).where(categories.c.parent_id == below.c.id))
    return P.category_id.in_(select(below.c.id))


def _in_a_range() -> ColumnElement[bool]:
    ranges = (
        func.unnest(
            bindparam("currencies", type_=ARRAY(Text)),
            bindparam("lows", type_=ARRAY(BigInteger)),
            bindparam("highs", type_=ARRAY(BigInteger)),
        )
        .table_valued("currency", "low", "high", name="ranges")
        .render_derived()
    )
    c = ranges.c
    is_in = (cast(P.currency, Text) == c.currency) & P.effective_price.between(c.low, c.high)
    return select(true()).select_from(ranges).where(is_in).exists()


def _with_attributes() -> ColumnElement[bool]:
    """Of each name one of its values, the product's own or that of a variation on sale."""
    asked = (
        func.jsonb_each(bindparam("attributes", type_=JSONB))
        .table_valued("key", "value", name="asked")
        .render_derived()
    )
    name, values = asked.c.key, cast(asked.c.value, JSONB)
    own = func.coalesce(func.jsonb_exists(values, func.jsonb_extract_path_text(P.attributes, name)), False)
    of_variation = (
        select(true())
        .where(
            V.product_id == P.id,
            V.is_active,
            func.jsonb_exists(values, func.jsonb_extract_path_text(V.attributes, name)),
        )
        .correlate(products, asked)
        .exists()
    )
    return ~select(true()).select_from(asked).where(~(own | of_variation)).correlate(products).exists()


CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "categories": _with_those_below(),
    "brands": P.brand_id == any_(bindparam("brand_ids", type_=ARRAY(P.brand_id.type))),
    "sellers": P.seller_id == any_(bindparam("seller_ids", type_=ARRAY(P.seller_id.type))),
    "prices": _in_a_range(),
    "rating": (R.rating_count > 0)
    & (cast(R.rating_total, Float) / R.rating_count >= bindparam("rating_min", type_=Float)),
    "in stock": P.sellable_quantity > 0,
    "out of stock": P.sellable_quantity == 0,
    "attributes": _with_attributes(),
}


def narrowing_values(which: SearchFilter) -> dict[str, dict[str, Any]]:
    """The names of the conditions of a filter, and the parameters that each takes."""
    found: dict[str, dict[str, Any]] = {}
    if which.category_ids:
        found["categories"] = {"category_ids": which.category_ids}
    if which.brand_ids:
        found["brands"] = {"brand_ids": which.brand_ids}
    if which.seller_ids:
        found["sellers"] = {"seller_ids": which.seller_ids}
    if which.prices:
        found["prices"] = {
            "currencies": [price.currency for price in which.prices],
            "lows": [min(price.low or 0, MOST_MINOR) for price in which.prices],
            "highs": [MOST_MINOR if price.high is None else min(price.high, MOST_MINOR) for price in which.prices],
        }
    if which.rating_min:
        found["rating"] = {"rating_min": which.rating_min}
    if which.in_stock is not None:
        found["in stock" if which.in_stock else "out of stock"] = {}
    if which.attributes:
        asked: dict[str, list[str]] = {}
        for attribute in which.attributes:
            asked.setdefault(attribute.name, []).append(attribute.value)
        found["attributes"] = {"attributes": asked}
    return found
