"""Clauses into tantivy queries, term by term: what a shopper typed is never read as a query language."""

from collections.abc import Sequence

import tantivy
from tantivy import Occur, Query

from adapters.folding import is_kana
from adapters.tantivy.analysis import Clause, Word

FIELD_WEIGHTS = {"name": (6.0, 2.0), "labels": (2.0, 1.0), "description": (0.0, 1.0)}
"""A word's score in a field is a fixed part plus a multiple of BM25. The fixed part keeps names first even for a word
that nearly every name holds, where BM25 alone would prefer the rare description that mentions it."""

READING_WEIGHT = 0.5
"""Kana typed for a word written with kanji; last, since はし is 橋, 箸 and 端."""

WHOLE_WEIGHT = 1.25
"""AB-1234 itself before the product that has AB and 1234 in it somewhere."""


def browse_query(schema: tantivy.Schema) -> Query:
    return Query.term_query(schema, "public", True, "basic")


def text_query(schema: tantivy.Schema, clauses: Sequence[Clause]) -> Query:
    """Documents in which every clause matches; none when there is no clause."""
    if not clauses:
        return Query.empty_query()
    return _all_of([_clause(schema, clause) for clause in clauses])


def _clause(schema: tantivy.Schema, clause: Clause) -> Query:
    most = max(len(way) for way in clause.ways)
    return _best_of([_way(schema, way, most) for way in clause.ways])


def _way(schema: tantivy.Schema, way: Sequence[Word], most: int) -> Query:
    """Scores of words add up: a way of fewer words is weighed to count no less than one of the `most`, and first."""
    query = _all_of([_word(schema, word) for word in way])
    return query if len(way) == most else Query.boost_query(query, WHOLE_WEIGHT * most / len(way))


def _word(schema: tantivy.Schema, word: Word) -> Query:
    ways = [_form(schema, field, form) for field in FIELD_WEIGHTS for form in word.forms]
    if not word.is_crumb:
        readings = [Query.term_query(schema, "reading", form, "freq") for form in word.forms if is_kana(form)]
        ways += [Query.boost_query(reading, READING_WEIGHT) for reading in readings]
    return _best_of(ways)


def _form(schema: tantivy.Schema, field: str, form: str) -> Query:
    fixed, multiple = FIELD_WEIGHTS[field]
    term = Query.term_query(schema, field, form, "freq")
    scored = term if multiple == 1.0 else Query.boost_query(term, multiple)
    if not fixed:
        return scored
    return Query.boolean_query([(Occur.Must, scored), (Occur.Should, Query.const_score_query(term, fixed))])


def _all_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, query) for query in queries])


def _best_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries)
