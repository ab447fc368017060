"""What is found, and how it is ranked."""

from collections.abc import Mapping
from typing import Any

from adapters.language.lexicon import Lexicon
from adapters.opensearch.text_query import text_clauses, whole_label
from domain.search.request import SearchQuery

Query = Mapping[str, Any]

_NOTHING: Query = {"match_none": {}}
_PUBLIC: Query = {"term": {"public": True}}


def matching(query: SearchQuery, lexicon: Lexicon) -> Query:
    """What the query finds, scored by its text alone."""
    if query.is_browse:
        return {"bool": {"filter": [_PUBLIC]}}
    clauses = text_clauses(query.text, lexicon)
    labels = whole_label(query.text) if len(clauses) > 1 else []
    return {"bool": {"filter": [_PUBLIC], "must": clauses, "should": labels}} if clauses else _NOTHING


def ranked(query: SearchQuery, matches: Query) -> Query:
    """What the query finds, popular and new products a little up."""
    if query.is_browse:
        return matches
    factor = {"field": "text_factor", "missing": 1}
    return {"function_score": {"query": matches, "field_value_factor": factor, "boost_mode": "multiply"}}
