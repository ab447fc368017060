"""What plans are written as: nothing of a client's is in it, and what is written alike is compiled once."""

from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse, validate

from engine.compiled import source
from engine.compiled.engine import Engine
from engine.compiled.source import LONGEST, Source
from engine.declared.fields import attribute, resolver
from tests.answers import read_result
from tests.engine.works import SCHEMA, Context

OPERATION = """
query SENT_name($names: [String!]!, $SENT_variable: String = "SENT_default", $SENT_if: Boolean = true) {
  SENT_a: books(names: $names) {
    SENT_b: title SENT_c: place(tag: "SENT_text") SENT_d: place(tag: $SENT_variable) ...SENT_fragment
    SENT_e: again { SENT_f: id }
  }
  SENT_g: works(names: $names) { ... on FilmView @include(if: $SENT_if) { SENT_h: parts { SENT_i: __typename } } }
}
fragment SENT_fragment on BookView { SENT_j: writer { SENT_k: id ... on WriterView { SENT_l: label } } }
"""


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    compiled = source._code
    monkeypatch.setattr(source, "_code", lambda text: (found.append(text), compiled(text))[1])
    return found


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str = "x"


@dataclass(frozen=True, slots=True)
class Wide:
    leaves: tuple[Leaf, ...] = (Leaf(), Leaf("y"))
    leaf: Leaf = Leaf("z")


@strawberry.type
class LeafView:
    name: str = attribute(access=None, description="x")


@strawberry.type
class WideView:
    leaves: list[LeafView] = attribute(access=None, description="x")
    leaf: LeafView = attribute(access=None, description="x")
    called: int = resolver(lambda: 7, access=None, description="x", graphql_type=int)


@strawberry.type
class Query:
    wide: list[WideView] = resolver(
        lambda: [Wide() for _ in range(5)], access=None, description="x", graphql_type=list[WideView]
    )


@pytest.mark.parametrize("columns", range(0, 40))
@pytest.mark.parametrize("around", ["leaf { name } leaves { name } CALLED", "CALLED leaves { name } leaf { name }"])
async def test_any_number_of_columns_stands_beside_lists_of_values(columns: int, around: str) -> None:
    schema = strawberry.Schema(Query)._schema
    called = " ".join(f"a{number}: called" for number in range(columns))
    document = parse(f"{{ wide {{ {around.replace('CALLED', called)} }} }}")
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    engine = Engine(schema, compile_at=1)
    result = await engine.execute(document, operation, {}, None, Context())
    assert (engine.counts.compiled, engine.counts.deviated) == (1, 0)
    one = {"leaves": [{"name": "x"}, {"name": "y"}], "leaf": {"name": "z"}}
    one |= {f"a{number}": 7 for number in range(columns)}
    assert read_result(result).data == {"wide": [one] * 5}


async def run(text: str) -> Any:
    document = parse(text)
    assert not validate(SCHEMA, document)
    operation, *_ = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    engine = Engine(SCHEMA, compile_at=1)
    names = ["book", "again", "book", "parts", "film"][: 3 if "books" in text else 5]
    result = await engine.execute(document, operation, {}, {"names": names}, Context())
    assert not result.errors
    assert engine.counts.compiled == 1
    return result.data


async def test_nothing_that_a_client_sent_is_in_the_source(texts: list[str]) -> None:
    await run(OPERATION)
    assert len(texts) > 10
    assert not [text for text in texts if "SENT" in text]


async def test_what_differs_in_a_clients_names_alone_is_compiled_once() -> None:
    await run(OPERATION)
    before = source._code.cache_info().misses
    await run(OPERATION.replace("SENT", "OTHER"))
    assert source._code.cache_info().misses == before


def test_long_texts_are_not_kept() -> None:
    before = source._code.cache_info().currsize
    for number in range(3):
        written = Source()
        written.line(f"return {number} + len('{'x' * LONGEST}')")
        assert written.function()() == number + LONGEST
    assert source._code.cache_info().currsize == before


def test_places_that_are_written_alike_have_their_own_objects() -> None:
    functions = []
    for value in ("one", "two"):
        written = Source(before=value)
        name = written.put("v", f"(given, before, {written.named('k', value)})")
        written.line(f"return {name}")
        functions.append(written.function("given"))
    first, second = functions
    assert (first("x"), second("y")) == (("x", "one", "one"), ("y", "two", "two"))
    assert first.__code__ is second.__code__
