"""What is found without regard to words."""

import tantivy
from tantivy import Query


def browse_query(schema: tantivy.Schema) -> Query:
    return Query.term_query(schema, "public", True, "basic")
