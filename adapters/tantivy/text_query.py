"""Clauses into tantivy queries, term by term: what a shopper typed is never read as a query language."""

from collections.abc import Sequence

import tantivy
from tantivy import Occur, Query

from adapters.folding import is_kana
from adapters.language.analysis import Clause, Way, Word
from adapters.language.reading import asked_labels
from adapters.search_text import CRUMB_WEIGHT, FIELD_WEIGHTS, KEY_WEIGHTS, LABEL_WEIGHT, SYNONYM_WEIGHTS

WHOLE_WEIGHT = 1.25
"""AB-1234 itself before the product that has AB and 1234 in it somewhere."""


def text_query(schema: tantivy.Schema, clauses: Sequence[Clause], whole: str = "") -> Query:
    """Documents in which every clause matches; none when there is no clause. Those with a label that is the `whole` query
    come first: コーヒー豆 is a category, whatever else has コーヒー and 豆."""
    if not clauses:
        return Query.empty_query()
    query = _all_of([_clause(schema, clause) for clause in clauses])
    labels = [_constant(schema, "label_keys", key, LABEL_WEIGHT) for key in asked_labels(whole)]
    if len(clauses) == 1 or not labels:
        return query
    return Query.boolean_query([(Occur.Must, query), (Occur.Should, _best_of(labels))])


def _clause(schema: tantivy.Schema, clause: Clause) -> Query:
    most = max(len(way.words) for way in clause.ways)
    ways = [_synonym(schema, way) if way.is_synonym else _way(schema, way, most) for way in clause.ways]
    matched = _best_of([*ways, *(each for key in clause.keys for each in _key(schema, key))])
    labels = [_constant(schema, "label_keys", key, LABEL_WEIGHT) for key in clause.labels]
    return Query.boolean_query([(Occur.Must, matched), (Occur.Should, _best_of(labels))]) if labels else matched


def _way(schema: tantivy.Schema, way: Way, most: int) -> Query:
    """Scores of words add up: a way of fewer words is weighed to count no less than one of the `most`, and first."""
    query = _all_of([_word(schema, word) for word in way.words])
    weight = 1.0 if len(way.words) == most else WHOLE_WEIGHT * most / len(way.words)
    if any(word.is_crumb for word in way.words):
        weight *= CRUMB_WEIGHT
    return query if weight == 1.0 else Query.boost_query(query, weight)


def _synonym(schema: tantivy.Schema, way: Way) -> Query:
    """All of its words in one field."""
    return _best_of(
        [
            Query.const_score_query(_all_of([_any_form(schema, field, word) for word in way.words]), weight)
            for field, weight in SYNONYM_WEIGHTS.items()
        ]
    )


def _any_form(schema: tantivy.Schema, field: str, word: Word) -> Query:
    return Query.term_set_query(schema, field, list(word.forms))


def _word(schema: tantivy.Schema, word: Word) -> Query:
    ways = [_form(schema, field, form) for field in FIELD_WEIGHTS for form in word.forms]
    if word.parts:
        ways.append(_all_of([_best_of([_form(schema, field, part) for field in FIELD_WEIGHTS]) for part in word.parts]))
    if not word.is_crumb:
        ways += [each for form in word.forms if is_kana(form) for each in _key(schema, form)]
    return _best_of(ways)


def _form(schema: tantivy.Schema, field: str, form: str) -> Query:
    fixed, multiple = FIELD_WEIGHTS[field]
    term = Query.term_query(schema, field, form, "freq")
    scored = term if multiple == 1.0 else Query.boost_query(term, multiple)
    if not fixed:
        return scored
    return Query.boolean_query([(Occur.Must, scored), (Occur.Should, Query.const_score_query(term, fixed))])


def _key(schema: tantivy.Schema, key: str) -> list[Query]:
    return [_constant(schema, field, key, weight) for field, weight in KEY_WEIGHTS.items()]


def _constant(schema: tantivy.Schema, field: str, term: str, score: float) -> Query:
    return Query.const_score_query(Query.term_query(schema, field, term, "basic"), score)


def _all_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, query) for query in queries])


def _best_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries)
