"""Filters as tantivy queries that score nothing, and the terms of facets as tantivy keeps them."""

from collections.abc import Iterable, Mapping

import tantivy
from tantivy import FieldType, Occur, Query

from adapters.search_ranking import price_bounds
from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetKey, FacetKind
from domain.search.facets import selected_terms
from domain.search.request import PriceRange, SearchFilter

FIELDS: Mapping[FacetKind, str] = {
    FacetKind.CATEGORY: "facet_category",
    FacetKind.BRAND: "facet_brand",
    FacetKind.SELLER: "facet_seller",
    FacetKind.PRICE: "facet_price",
    FacetKind.RATING: "facet_rating",
    FacetKind.STOCK: "facet_stock",
    FacetKind.ATTRIBUTE: "facet_attribute",
}
"""Where a facet's terms are kept: of attributes, name and value in one."""

PARTING = "\x1f"
"""Between an attribute's name and value; facetable_attributes has none with it."""


def attribute_term(attribute: Attribute) -> str:
    return f"{attribute.name}{PARTING}{attribute.value}"


def index_term(key: FacetKey, value: str) -> str:
    """A facet's value as it is kept."""
    return attribute_term(Attribute(key.name, value)) if key.kind is FacetKind.ATTRIBUTE else value


def narrowing(schema: tantivy.Schema, which: SearchFilter) -> dict[FacetKey, Query]:
    """What each facet that a filter narrows to asks for."""
    queries: dict[FacetKey, Query] = {}
    for key, values in selected_terms(which).items():
        if key.kind is FacetKind.PRICE:
            queries[key] = _any_of([_price(schema, price) for price in which.prices])
        elif key.kind is FacetKind.RATING and which.rating_min is not None:
            queries[key] = Query.range_query(schema, "rating", FieldType.Float, float(which.rating_min), None)
        else:
            terms = [index_term(key, value) for value in values]
            queries[key] = Query.term_set_query(schema, FIELDS[key.kind], terms)
    return queries


def narrowed(query: Query, filters: Iterable[Query]) -> Query:
    """What a query finds, with its scores, as far as all filters let it pass."""
    unscored = [(Occur.Must, Query.const_score_query(each, 0.0)) for each in filters]
    return Query.boolean_query([(Occur.Must, query), *unscored]) if unscored else query


def _price(schema: tantivy.Schema, price: PriceRange) -> Query:
    low, high = price_bounds(price)
    return Query.range_query(schema, "price_rank", FieldType.Integer, low, high)


def _any_of(queries: list[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, each) for each in queries])
