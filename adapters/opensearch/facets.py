"""Counts of what is found by the values of facets, in one request. Exact, since an index has one shard."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.opensearch.narrowing import Query, narrowing
from domain.search.facet_terms import PLAIN_FACETS, FacetCounts, FacetKey, FacetKind
from domain.search.facets import MOST_ATTRIBUTES, MOST_CATEGORIES, MOST_VALUES, selected_terms
from domain.search.request import SearchFilter

Aggregation = dict[str, Any]
Answer = Mapping[str, Any]

ATTRIBUTES = "attributes"
"""The aggregation of all attributes; that of a facet by itself has the facet's number."""


def aggregations(which: SearchFilter) -> dict[str, Aggregation]:
    """To be asked of what matches without the filter: each facet is counted behind the filters of the others."""
    filters = narrowing(which)
    chosen = selected_terms(which)
    plain = {kind: _within(filters.values(), _terms(kind)) for kind in PLAIN_FACETS if FacetKey(kind) not in filters}
    asked = {str(kind): aggregation for kind, aggregation in plain.items()}
    asked[ATTRIBUTES] = _within(filters.values(), _all_attributes())
    for number, key in enumerate(filters):
        others = [query for other, query in filters.items() if other != key]
        of_key = _one_attribute if key.kind is FacetKind.ATTRIBUTE else _terms_of
        asked[f"{number}"] = _within(others, of_key(key))
        asked[f"{number} chosen"] = _within(others, of_key(key, chosen[key]))
    return asked


def facet_counts(answer: Answer, which: SearchFilter) -> list[FacetCounts]:
    """From the answer to `aggregations` of the same filter."""
    keys = list(narrowing(which))
    found = {FacetKey(kind): _counts(answer[kind]["found"]) for kind in PLAIN_FACETS if kind in answer}
    for bucket in answer[ATTRIBUTES]["found"]["names"]["buckets"]:
        found[FacetKey(FacetKind.ATTRIBUTE, bucket["key"])] = _counts(bucket["values"])
    for number, key in enumerate(keys):
        found[key] = _own(key, answer[f"{number}"]) | _own(key, answer[f"{number} chosen"])
    return [FacetCounts(key, tuple(counts.items())) for key, counts in found.items()]


def _within(filters: Iterable[Query], aggregation: Aggregation) -> Aggregation:
    return {"filter": {"bool": {"filter": list(filters)}}, "aggs": {"found": aggregation}}


def _terms(kind: FacetKind, only: Iterable[str] = ()) -> Aggregation:
    size = MOST_CATEGORIES if kind is FacetKind.CATEGORY else MOST_VALUES
    return _values(f"facet.{kind}", size, only)


def _terms_of(key: FacetKey, only: Iterable[str] = ()) -> Aggregation:
    return _terms(key.kind, only)


def _values(field: str, size: int, only: Iterable[str] = ()) -> Aggregation:
    included = list(only)
    named = {"include": included, "size": len(included)} if included else {"size": size}
    return {"terms": {"field": field, **named}}


def _all_attributes() -> Aggregation:
    names = {"terms": {"field": "attributes.name", "size": MOST_ATTRIBUTES}}
    return _nested({"names": {**names, "aggs": {"values": _values("attributes.value", MOST_VALUES)}}})


def _one_attribute(key: FacetKey, only: Iterable[str] = ()) -> Aggregation:
    named = {"filter": {"term": {"attributes.name": key.name}}}
    return _nested({"name": {**named, "aggs": {"values": _values("attributes.value", MOST_VALUES, only)}}})


def _nested(aggregations: Mapping[str, Aggregation]) -> Aggregation:
    return {"nested": {"path": "attributes"}, "aggs": dict(aggregations)}


def _own(key: FacetKey, answer: Answer) -> dict[str, int]:
    found = answer["found"]
    return _counts(found["name"]["values"] if key.kind is FacetKind.ATTRIBUTE else found)


def _counts(answer: Answer) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"]}
