"""A shopper's query as clauses that must all match. Text only ever stands where OpenSearch expects text, not a query."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.folding import codes, is_kana, katakana, normalize, other_kana
from domain.search.request import SearchQuery

Query = Mapping[str, Any]

FIELD_WEIGHTS = {"name": (6.0, 2.0), "labels": (2.0, 1.0), "description": (0.0, 1.0)}
"""A match in a field scores a fixed part plus a multiple of BM25. The fixed part keeps names first even for a word
that nearly every name holds, where BM25 alone would prefer the rare description that mentions it."""

CODE_WEIGHTS = {"name": 25.0, "labels": 12.0, "description": 3.0}
"""AB-1234 itself before the product that has AB and 1234 in it somewhere."""

READING_WEIGHT = 0.5
"""Kana typed for a word written with kanji; last, since はし is 橋, 箸 and 端."""

MAX_CLAUSES = 24
"""Words asked for one by one: OpenSearch refuses a query of more than 1,024 parts. The rest is asked for together."""

_WRITTEN = re.compile(r"[^\W_ー]")
_PARTICLES = frozenset(
    ["の", "は", "が", "を", "に", "へ", "と", "で", "も", "や", "か", "ね", "よ", "から", "まで", "より", "など"]
)
_NOTHING: Query = {"match_none": {}}
_PUBLIC: Query = {"term": {"public": True}}


def matching(query: SearchQuery) -> Query:
    """What the query finds, scored by its text alone."""
    if query.is_browse:
        return {"bool": {"filter": [_PUBLIC]}}
    clauses = _clauses(query.text)
    return {"bool": {"filter": [_PUBLIC], "must": clauses}} if clauses else _NOTHING


def ranked(query: SearchQuery) -> Query:
    """The same, popular and new products a little up."""
    if query.is_browse:
        return matching(query)
    factor = {"field": "text_factor", "missing": 1}
    return {"function_score": {"query": matching(query), "field_value_factor": factor, "boost_mode": "multiply"}}


def _clauses(text: str) -> list[Query]:
    parts = list(dict.fromkeys(part for chunk in normalize(text).split() for part in _parts(chunk)))
    # の typed as a word says nothing, unless it is all that was typed
    parts = [part for part in parts if part not in _PARTICLES] or parts
    clauses = [_clause(part) for part in parts[:MAX_CLAUSES]]
    rest = " ".join(parts[MAX_CLAUSES:])
    return [*clauses, _words(rest)] if rest else clauses


def _parts(chunk: str) -> Iterator[str]:
    """What is typed without a space, cut before and after product codes. Without marks that are no words."""
    done = 0
    for start, end, _ in codes(chunk):
        yield from _words_in(chunk[done:start])
        yield chunk[start:end]
        done = end
    yield from _words_in(chunk[done:])


def _words_in(text: str) -> Iterator[str]:
    if _WRITTEN.search(text):
        yield text


def _clause(part: str) -> Query:
    if is_kana(part):
        return _kana(part)
    [*found] = codes(part)
    if not found:
        return _words(part)
    exact = [_constant({"term": {f"codes.{field}": found[0][2]}}, weight) for field, weight in CODE_WEIGHTS.items()]
    return _best_of([*exact, _words(part)])


def _words(text: str) -> Query:
    """Every word in any field; the fixed part where a field has them all."""
    everywhere = {
        "query": text,
        "type": "cross_fields",
        "operator": "and",
        "analyzer": "asked",
        "fields": [f"{field}^{multiple}" for field, (_, multiple) in FIELD_WEIGHTS.items()],
    }
    within = [
        _constant({"match": {field: {"query": text, "operator": "and"}}}, fixed)
        for field, (fixed, _) in FIELD_WEIGHTS.items()
        if fixed
    ]
    return {"bool": {"must": [{"multi_match": everywhere}], "should": [_best_of(within)]}}


def _kana(text: str) -> Query:
    """Kana are one word, in either kind, or its reading. Kuromoji cuts hiragana that it does not know to crumbs, which
    count only side by side, else し would find every する; of katakana it makes words."""
    ways: list[Query] = [_words(katakana(text))]
    for field, (fixed, multiple) in FIELD_WEIGHTS.items():
        written = f"{field}.written"
        whole: Query = {"match": {written: {"query": text, "analyzer": "whole"}}}
        phrases: list[Query] = [{"match_phrase": {written: {"query": each}}} for each in (text, other_kana(text))]
        ways += [_scored(way, fixed, multiple) for way in (whole, *phrases)]
    for field in ("name", "labels"):
        fixed, multiple = FIELD_WEIGHTS[field]
        reading: Query = {"match": {f"{field}.reading": {"query": text}}}
        ways.append(_scored(reading, READING_WEIGHT * fixed, READING_WEIGHT * multiple))
    return _best_of(ways)


def _scored(query: Query, fixed: float, multiple: float) -> Query:
    scaled: Query = {"bool": {"must": [query], "boost": multiple}}
    return {"bool": {"must": [scaled], "should": [_constant(query, fixed)] if fixed else []}}


def _constant(query: Query, score: float) -> Query:
    return {"constant_score": {"filter": query, "boost": score}}


def _best_of(queries: Sequence[Query]) -> Query:
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": list(queries)}}
