"""What begins with what was typed, in one question to OpenSearch."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.language.beginnings import BRAND, CATEGORY, PARTING, beginnings
from adapters.language.lexicon import Lexicon
from adapters.opensearch.text_query import text_clauses
from domain.search.suggesting import BRANDS, CATEGORIES, PRODUCTS, Suggestions
from domain.shared.ids import BrandId, CategoryId, ProductId

MOST_LABELS = 50

_KINDS = {"categories": (CATEGORY, CATEGORIES), "brands": (BRAND, BRANDS)}


def completion_body(prefix: str, lexicon: Lexicon) -> dict[str, Any] | None:
    """None where nothing can begin so."""
    before, _, last = prefix.rpartition(" ")
    begun, whole = beginnings(last), beginnings(prefix)
    if not begun:
        return None
    named = [{"prefix": {"name_keys": each}} for each in begun]
    starts = {name: [PARTING.join((kind, each)) for each in whole] for name, (kind, _) in _KINDS.items()}
    labelled = [{"prefix": {"starts": each}} for some in starts.values() for each in some]
    return {
        "query": {"bool": {"filter": [{"term": {"public": True}}, _any_of([*named, *labelled])]}},
        "post_filter": {"bool": {"filter": [_any_of(named), *text_clauses(before, lexicon)]}},
        "sort": [{"prominence": "desc"}, {"id": "asc"}],
        "size": PRODUCTS,
        "track_total_hits": False,
        "_source": False,
        "aggs": {
            name: {"terms": {"field": "starts", "size": MOST_LABELS, "include": _pattern(some)}}
            for name, some in starts.items()
        },
    }


def completions(answer: Mapping[str, Any]) -> Suggestions:
    return Suggestions(
        products=tuple(ProductId(UUID(each["_id"])) for each in answer["hits"]["hits"]),
        categories=tuple(map(CategoryId, _labels(answer, "categories"))),
        brands=tuple(map(BrandId, _labels(answer, "brands"))),
    )


def _labels(answer: Mapping[str, Any], name: str) -> list[UUID]:
    counts: dict[str, int] = {}
    for each in answer["aggregations"][name]["buckets"]:
        id = each["key"].rpartition(PARTING)[2]
        counts[id] = max(counts.get(id, 0), each["doc_count"])
    return [UUID(id) for id in sorted(counts, key=lambda id: (-counts[id], id))[: _KINDS[name][1]]]


def _any_of(queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def _pattern(starts: Sequence[str]) -> str:
    """A regular expression of Lucene's; what keys begin with has letters and digits alone."""
    return "|".join(f"{each.replace(PARTING, chr(92) + PARTING)}.*" for each in starts)
