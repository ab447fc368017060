"""The words of a query as clauses that must all match. Text only ever stands where OpenSearch expects text, not a query."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.folding import codes, is_kana, katakana, other_kana
from adapters.language.asked import MAX_PARTS, Part, parts
from adapters.language.lexicon import Lexicon
from adapters.language.reading import asked_keys, asked_labels
from adapters.search_text import FIELD_WEIGHTS, KEY_WEIGHTS, LABEL_WEIGHT, SYNONYM_WEIGHTS

Query = Mapping[str, Any]

_FIELDS = {"name": "goods", "labels": "labels", "description": "description"}
_WEIGHTS = {_FIELDS[name]: weights for name, weights in FIELD_WEIGHTS.items()}

CODE_WEIGHTS = {"name": 25.0, "labels": 12.0, "description": 3.0}
"""AB-1234 itself before the product that has AB and 1234 in it somewhere."""

LONGEST_PHRASE = 24
"""Letters of kana that are looked for side by side as they stand; none where one comes four times in a row. Nobody writes
such words, and 200 の side by side took a server 1.5 s to look for in 100,000 products."""
_DRAWN_OUT = re.compile(r"(.)\1{3}")

_WRITTEN = re.compile(r"[^\W_ー]")
_PARTICLES = frozenset(
    ["の", "は", "が", "を", "に", "へ", "と", "で", "も", "や", "か", "ね", "よ", "から", "まで", "より", "など"]
)


def text_clauses(text: str, lexicon: Lexicon) -> list[Query]:
    """One of each part; none when there is no word in it. Of too many parts the last are asked for together, since
    OpenSearch refuses a query of more than 1,024."""
    asked = [each for part in parts(text, lexicon) for each in _pieces(part)]
    asked = list(dict.fromkeys(asked))
    # の typed as a word says nothing, unless it is all that was typed
    asked = [part for part in asked if part.typed not in _PARTICLES] or asked
    clauses = [_clause(part) for part in asked[:MAX_PARTS]]
    rest = " ".join(part.typed for part in asked[MAX_PARTS:])
    return [*clauses, _words(rest)] if rest else clauses


def whole_label(text: str) -> list[Query]:
    """What has a label that is the whole query comes first: コーヒー豆 is a category, whatever else has コーヒー and 豆."""
    labels = [_constant({"term": {"label_keys": key}}, LABEL_WEIGHT) for key in asked_labels(text)]
    return [_best_of(labels)] if labels else []


def _pieces(part: Part) -> Iterator[Part]:
    """What has no synonyms is cut before and after product codes, without marks that are no words."""
    if len(part.wordings) > 1:
        yield part
        return
    done = 0
    for start, end, _ in codes(part.typed):
        yield from _words_in(part.typed[done:start])
        yield Part((part.typed[start:end],))
        done = end
    yield from _words_in(part.typed[done:])


def _words_in(text: str) -> Iterator[Part]:
    if _WRITTEN.search(text):
        yield Part((text,))


def _clause(part: Part) -> Query:
    typed, *synonyms = part.wordings
    matched = _best_of([_typed(typed), *_keys(asked_keys(typed)), *map(_synonym, synonyms)])
    labels = [_constant({"term": {"label_keys": key}}, LABEL_WEIGHT) for key in asked_labels(typed)]
    return {"bool": {"must": [matched], "should": [_best_of(labels)]}}


def _typed(text: str) -> Query:
    if is_kana(text):
        return _kana(text)
    [*found] = codes(text)
    if len(found) != 1:
        return _words(text)
    exact = [_constant({"term": {f"codes.{field}": found[0][2]}}, weight) for field, weight in CODE_WEIGHTS.items()]
    return _best_of([*exact, _words(text)])


def _synonym(text: str) -> Query:
    """All of its words in one field."""
    return _best_of(
        [
            _constant({"match": {_FIELDS[field]: {"query": text, "operator": "and"}}}, weight)
            for field, weight in SYNONYM_WEIGHTS.items()
        ]
    )


def _keys(keys: Sequence[str]) -> list[Query]:
    return [_constant({"term": {field: key}}, weight) for key in keys for field, weight in KEY_WEIGHTS.items()]


def _words(text: str) -> Query:
    """Every word in any field; the fixed part where a field has them all."""
    everywhere = {
        "query": text,
        "type": "cross_fields",
        "operator": "and",
        "analyzer": "asked",
        "fields": [f"{field}^{multiple}" for field, (_, multiple) in _WEIGHTS.items()],
    }
    within = [
        _constant({"match": {field: {"query": text, "operator": "and"}}}, fixed)
        for field, (fixed, _) in _WEIGHTS.items()
        if fixed
    ]
    return {"bool": {"must": [{"multi_match": everywhere}], "should": [_best_of(within)]}}


def _kana(text: str) -> Query:
    """Kana are one word, in either kind. Kuromoji cuts hiragana that it does not know to crumbs, which count only side
    by side, else し would find every する; of katakana it makes words."""
    ways: list[Query] = [_words(katakana(text))]
    if len(text) > LONGEST_PHRASE or _DRAWN_OUT.search(text):
        return ways[0]
    for field, (fixed, multiple) in _WEIGHTS.items():
        written = f"{field}.written"
        whole: Query = {"match": {written: {"query": text, "analyzer": "whole"}}}
        phrases: list[Query] = [{"match_phrase": {written: {"query": each}}} for each in (text, other_kana(text))]
        ways += [_scored(way, fixed, multiple) for way in (whole, *phrases)]
    return _best_of(ways)


def _scored(query: Query, fixed: float, multiple: float) -> Query:
    scaled: Query = {"bool": {"must": [query], "boost": multiple}}
    return {"bool": {"must": [scaled], "should": [_constant(query, fixed)] if fixed else []}}


def _constant(query: Query, score: float) -> Query:
    return {"constant_score": {"filter": query, "boost": score}}


def _best_of(queries: Sequence[Query]) -> Query:
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": list(queries)}}
