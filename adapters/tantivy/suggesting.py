"""What begins with what was typed, in a state of the index."""

from collections.abc import Sequence
from uuid import UUID

import tantivy
from tantivy import Occur, Query

from adapters.language.analysis import Analyzer
from adapters.language.beginnings import BRAND, CATEGORY, PARTING, beginnings
from adapters.tantivy.documents import product_ids
from adapters.tantivy.queries import browse_query
from adapters.tantivy.snapshots import Snapshot
from adapters.tantivy.text_query import text_query
from domain.search.suggesting import BRANDS, CATEGORIES, NO_SUGGESTIONS, PRODUCTS, Suggestions
from domain.shared.ids import BrandId, CategoryId

MOST_TERMS = 500
"""Words that begin so, the commonest of them, in which products are looked for."""


def completed(snapshot: Snapshot, analyzer: Analyzer, prefix: str) -> Suggestions:
    before, _, last = prefix.rpartition(" ")
    begun = beginnings(last)
    if not begun:
        return NO_SUGGESTIONS
    whole = beginnings(prefix)
    return Suggestions(
        products=tuple(product_ids(snapshot.searcher, _products(snapshot, analyzer, before, begun))),
        categories=tuple(map(CategoryId, _labels(snapshot, CATEGORY, whole, CATEGORIES))),
        brands=tuple(map(BrandId, _labels(snapshot, BRAND, whole, BRANDS))),
    )


def _products(
    snapshot: Snapshot, analyzer: Analyzer, before: str, begun: Sequence[str]
) -> Sequence[tantivy.DocAddress]:
    schema, searcher = snapshot.schema, snapshot.searcher
    terms = {term for each in begun for term, _ in searcher.terms_with_prefix("name_keys", each, limit=MOST_TERMS)}
    if not terms:
        return []
    query = Query.const_score_query(Query.term_set_query(schema, "name_keys", list(terms)), 1.0)
    clauses = analyzer.clauses(before)
    if clauses:
        query = Query.boolean_query([(Occur.Must, query), (Occur.Must, text_query(schema, clauses))])
    found = searcher.search(query, PRODUCTS, count=False, order_by_field="prominence").hits
    return [address for _, address in found]


def _labels(snapshot: Snapshot, kind: str, begun: Sequence[str], most: int) -> list[UUID]:
    """Those of public products, the ones of most products first."""
    is_public = browse_query(snapshot.schema)
    counts: dict[str, int] = {}
    for each in begun:
        start = PARTING.join((kind, each))
        for term, count in snapshot.searcher.terms_with_prefix("starts", start, filter_query=is_public):
            if count:
                id = term.rpartition(PARTING)[2]
                counts[id] = max(counts.get(id, 0), count)
    return [UUID(id) for id in sorted(counts, key=lambda id: (-counts[id], id))[:most]]
