"""What begins with what was typed, in one request to OpenSearch."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.language.beginnings import BRAND, CATEGORY, PARTING, beginnings
from adapters.language.lexicon import Lexicon
from adapters.opensearch.text_query import text_clauses
from domain.search.facet_terms import FacetKind
from domain.search.suggesting import BRANDS, CATEGORIES, PRODUCTS, Suggestions
from domain.shared.ids import BrandId, CategoryId, ProductId

LABELS = ((CATEGORY, FacetKind.CATEGORY, CATEGORIES), (BRAND, FacetKind.BRAND, BRANDS))
"""Kinds of names as keys have them, the facet that says which products have one, and how many are shown."""


def label_starts_of(prefix: str, kind: str) -> list[str]:
    return [PARTING.join((kind, each)) for each in beginnings(prefix)]


def products_body(prefix: str, lexicon: Lexicon) -> dict[str, Any] | None:
    """Products with a word that begins so, and all words before it; None where nothing can. Only what is public has keys."""
    before, _, last = prefix.rpartition(" ")
    begun = [{"prefix": {"name_keys": each}} for each in beginnings(last)]
    if not begun:
        return None
    return {
        "query": {"bool": {"filter": [_any_of(begun), *text_clauses(before, lexicon)]}},
        "sort": [{"prominence": "desc"}, {"id": "asc"}],  # as the index is sorted: it ends at the first that fit
        "size": PRODUCTS,
        "track_total_hits": False,
        "_source": False,
    }


def label_body(kind: FacetKind, id: str) -> dict[str, Any]:
    """Whether there is a product to show of a category or brand."""
    return {
        "query": {"bool": {"filter": [{"term": {f"facet.{kind}": id}}]}},
        "size": 0,
        "terminate_after": 1,
        "track_total_hits": True,
    }


def completions(answers: Sequence[Mapping[str, Any]], names: Sequence[tuple[FacetKind, str]]) -> Suggestions:
    """From the answers to `products_body`, and to `label_body` of each name."""
    shown = [name for name, each in zip(names, answers[1:], strict=True) if each["hits"]["total"]["value"]]
    return Suggestions(
        products=tuple(ProductId(UUID(each["_id"])) for each in answers[0]["hits"]["hits"]),
        categories=tuple(CategoryId(UUID(id)) for kind, id in shown if kind is FacetKind.CATEGORY),
        brands=tuple(BrandId(UUID(id)) for kind, id in shown if kind is FacetKind.BRAND),
    )


def _any_of(queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}
