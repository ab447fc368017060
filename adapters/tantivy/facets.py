"""Counts of what is found by the values of facets. Those that are shown are exact."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tantivy import Query

from adapters.tantivy.narrowing import FIELDS, PARTING, index_term, narrowed, narrowing
from adapters.tantivy.snapshots import Snapshot
from domain.search.facet_terms import PLAIN_FACETS, FacetCounts, FacetKey, FacetKind
from domain.search.facets import MOST_ATTRIBUTES, MOST_CATEGORIES, MOST_VALUES, selected_terms
from domain.search.request import SearchFilter

MOST_PAIRS = 1_000
"""Attributes with their values that are looked at, the commonest: what has a value of its own a product is no facet."""

SEGMENT_TERMS = 1_000
"""Terms that a segment tells of: all of 100,000 would take ten times as long. What another one left out is counted again."""

Counted = dict[str, int]


def facet_counts(snapshot: Snapshot, matching: Query, which: SearchFilter) -> list[FacetCounts]:
    """One pass over what the whole filter lets pass, and one more for each facet that it narrows to."""
    filters = narrowing(snapshot.schema, which)
    chosen = selected_terms(which)
    plain = {kind: FacetKey(kind) for kind in PLAIN_FACETS}
    asked: dict[str, Any] = {kind: _terms(kind) for kind, key in plain.items() if key not in filters}
    asked[FacetKind.ATTRIBUTE] = _terms(FacetKind.ATTRIBUTE)
    found = _aggregated(snapshot, narrowed(matching, filters.values()), asked)
    counts = {plain[kind]: found[kind] for kind in plain if kind in found}
    attributes = _by_name(found[FacetKind.ATTRIBUTE])
    for key in filters:
        others = narrowed(matching, (query for other, query in filters.items() if other != key))
        counted = _own(snapshot, others, key, chosen[key])
        (attributes if key.kind is FacetKind.ATTRIBUTE else counts)[key] = counted
    shown = sorted(attributes, key=lambda key: (-sum(attributes[key].values()), key.name))
    kept = {key for key in filters if key.kind is FacetKind.ATTRIBUTE} | set(shown[:MOST_ATTRIBUTES])
    counts |= {key: attributes[key] for key in shown if key in kept}
    return [FacetCounts(key, tuple(counted.items())) for key, counted in counts.items()]


def _own(snapshot: Snapshot, query: Query, key: FacetKey, chosen: Iterable[str]) -> Counted:
    """The values of one facet, and those that are chosen however rare they are."""
    is_attribute = key.kind is FacetKind.ATTRIBUTE
    named = {"include": re.escape(key.name + PARTING) + ".*"} if is_attribute else {}
    picked = {"include": [index_term(key, value) for value in chosen]}
    found = _aggregated(snapshot, query, {"commonest": _terms(key.kind) | named, "chosen": _terms(key.kind) | picked})
    counted = found["commonest"] | found["chosen"]
    return (
        {value.removeprefix(f"{key.name}{PARTING}"): count for value, count in counted.items()}
        if is_attribute
        else counted
    )


def _terms(kind: FacetKind) -> dict[str, Any]:
    size = {FacetKind.CATEGORY: MOST_CATEGORIES, FacetKind.ATTRIBUTE: MOST_PAIRS}.get(kind, MOST_VALUES)
    return {"field": FIELDS[kind], "size": size, "segment_size": SEGMENT_TERMS}


def _aggregated(snapshot: Snapshot, query: Query, asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Counted]:
    answer = _answered(snapshot, query, asked)
    found = {name: _counts(each) for name, each in answer.items()}
    short = [name for name, each in answer.items() if each["doc_count_error_upper_bound"] and found[name]]
    if short:  # a segment did not tell of what is common in another
        again = _answered(snapshot, query, {name: {**asked[name], "include": list(found[name])} for name in short})
        found |= {name: _counts(each) for name, each in again.items()}
    return found


def _answered(snapshot: Snapshot, query: Query, asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = snapshot.searcher.aggregate(
        query, {name: {"terms": terms} for name, terms in asked.items()}
    )
    return answer


def _counts(answer: Mapping[str, Any]) -> Counted:
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"] if bucket["doc_count"]}


def _by_name(pairs: Counted) -> dict[FacetKey, Counted]:
    found: dict[FacetKey, Counted] = {}
    for pair, count in pairs.items():
        name, _, value = pair.partition(PARTING)
        found.setdefault(FacetKey(FacetKind.ATTRIBUTE, name), {})[value] = count
    return found
