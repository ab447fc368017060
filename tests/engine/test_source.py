"""Places in a document are those that graphql-core tells, and are found at once however long the document is."""

import time

from graphql import GraphQLError, GraphQLResolveInfo, Source, build_schema
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import MAX_TOLD
from engine.exchange import Request
from engine.execution import Executor
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.reading.source import LinedSource

SCHEMA = build_schema("type Query { list: [A] }  type A { b: Int }")


@given(st.text(alphabet="\r\n\u2028ab", max_size=12), st.data())
def test_a_place_is_the_one_that_graphql_core_tells(text: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text)))
    assert LinedSource(text).get_location(position) == Source(text).get_location(position)


async def test_a_thousand_errors_below_thousands_of_lines_stall_nothing() -> None:
    def refuse(_source: object, _info: GraphQLResolveInfo) -> None:
        raise GraphQLError("no")

    SCHEMA.query_type.fields["list"].resolve = lambda *_: [{}] * 1_000  # type: ignore[union-attr]
    SCHEMA.type_map["A"].fields["b"].resolve = refuse  # type: ignore[attr-defined]
    executor = Executor(SCHEMA, lambda *_: None, Policy(30.0, Limits(lines=100_000)))
    began = time.process_time()
    answer = await executor.run(Request("\n" * 60_000 + "{ list { b } }"), None)
    assert time.process_time() - began < 1, "reading the lines anew for each error takes some ten"
    *told, more = answer.body["errors"]
    assert len(told) == MAX_TOLD
    assert told[-1]["locations"] == [{"line": 60_001, "column": 10}]
    assert more == {"message": "And 900 more errors.", "extensions": {"code": "MORE_ERRORS", "more": 900}}
