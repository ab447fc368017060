"""Filters as OpenSearch has them."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.search_ranking import price_bounds
from domain.search.facet_terms import FacetKey, FacetKind
from domain.search.facets import selected_terms
from domain.search.request import PriceRange, SearchFilter

Query = Mapping[str, Any]


def narrowing(which: SearchFilter) -> dict[FacetKey, Query]:
    """What each facet that a filter narrows to asks for."""
    queries: dict[FacetKey, Query] = {}
    for key, values in selected_terms(which).items():
        if key.kind is FacetKind.PRICE:
            queries[key] = {"bool": {"should": [_price(price) for price in which.prices]}}
        elif key.kind is FacetKind.RATING:
            queries[key] = {"range": {"rating": {"gte": which.rating_min}}}
        elif key.kind is FacetKind.ATTRIBUTE:
            pair = [{"term": {"attributes.name": key.name}}, {"terms": {"attributes.value": list(values)}}]
            queries[key] = {"nested": {"path": "attributes", "query": {"bool": {"filter": pair}}}}
        else:
            queries[key] = {"terms": {f"facet.{key.kind}": list(values)}}
    return queries


def narrowed(query: Query, filters: Iterable[Query]) -> Query:
    """What a query finds, with its scores, as far as all filters let it pass."""
    unscored = list(filters)
    return {"bool": {"must": [query], "filter": unscored}} if unscored else query


def _price(price: PriceRange) -> Query:
    low, high = price_bounds(price)
    return {"range": {"price_rank": {"gte": low, "lte": high}}}
