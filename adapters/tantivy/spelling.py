"""What somebody may have meant to type, in a state of the index."""

from tantivy import Occur, Query

from adapters.language.analysis import Analyzer
from adapters.language.spelling import LOOKED_AT, changes_allowed, closest, spelling_key
from adapters.tantivy.queries import browse_query
from adapters.tantivy.snapshots import Snapshot
from adapters.tantivy.text_query import text_query


def respelled(snapshot: Snapshot, analyzer: Analyzer, word: str) -> str | None:
    schema, searcher, key = snapshot.schema, snapshot.searcher, spelling_key(word)
    allowed = changes_allowed(key)
    if not allowed or searcher.search(text_query(schema, analyzer.clauses(word)), 1, count=False).hits:
        return None
    near = Query.const_score_query(Query.fuzzy_term_query(schema, "name_keys", key, distance=allowed), 1.0)
    query = Query.boolean_query([(Occur.Must, near), (Occur.Must, browse_query(schema))])
    hits = searcher.search(query, LOOKED_AT, count=False, order_by_field="prominence").hits
    names = (str(searcher.doc(address).get_first("goods")) for _, address in hits)
    return closest(key, (each for name in names for each in analyzer.keys(name).items()))
