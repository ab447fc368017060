"""Plans of interfaces, unions and resolvers below lists: the answers of graphql-core, the same calls, and no call twice."""

import asyncio
import gc
import time
from typing import Any

import pytest
from graphql import GraphQLResolveInfo, OperationDefinitionNode, parse

from engine.compiled.engine import Engine
from tests.engine.works import SCHEMA, Context, both

FRAGMENTS = """
    id ... on BookView { title ...Wrote } ... on FilmView { minutes id } ... on WriterView { label }
"""
WROTE = "fragment Wrote on BookView { writer { __typename id ... on WriterView { label } } }"


@pytest.mark.parametrize("names", [(), ("book",), ("film", "book", "open", "again", "film"), ("book", "book")])
async def test_values_of_an_interface_are_shown_by_their_types(names: tuple[str, ...]) -> None:
    ran = await both(
        "query ($names: [String!]!) { items(names: $names) { __typename " + FRAGMENTS + "} }" + WROTE, *names
    )
    assert ran.counts == (1, 0, 0)
    assert ran.calls.count("writers [1]") == (1 if "book" in names else 0)


async def test_values_of_a_union_are_shown_by_their_types_in_lists_of_lists_too() -> None:
    ran = await both(
        """query ($names: [String!]!) { works(names: $names) { ... on FilmView { parts { ... on BookView { title
        writer { id } place } ... on FilmView { minutes } } } ... on BookView { title } ... on Item { id } } }""",
        "parts", "book", "film", "parts",
    )  # fmt: skip
    assert ran.counts == (1, 0, 0)
    assert "place works/3/parts/2/0/place " in ran.calls
    assert "writers [1, 2]" in ran.calls


@pytest.mark.parametrize("name", ["stranger", "speaking"])
@pytest.mark.parametrize("field", ["items", "works"])
async def test_a_value_whose_type_cannot_be_told_is_for_graphql_core(name: str, field: str) -> None:
    ran = await both(f"query ($names: [String!]!) {{ {field}(names: $names) {{ __typename }} }}", "book", name)
    assert ran.counts == (0, 0, 1)
    assert ran.calls == ["items"]


async def test_a_resolver_below_a_list_is_called_for_each_value_and_knows_where_that_is() -> None:
    ran = await both(
        """query ($names: [String!]!) { books(names: $names) { place a: place(tag: "x")
        again { place again { id } } } }""",
        "book", "again", "book",
    )  # fmt: skip
    assert ran.counts == (1, 0, 0)
    assert ran.ours.data is not None
    assert [book["again"]["place"] for book in ran.ours.data["books"]] == [
        f"books/{row}/again/place" for row in range(3)
    ]


@pytest.mark.parametrize("rounds", range(8))
async def test_who_gives_up_leaves_no_resolver_behind_that_never_began(
    rounds: int, recwarn: pytest.WarningsRecorder
) -> None:
    document = parse('{ books(names: ["book", "again", "book"]) { place again { place } a: place } }')
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    engine = Engine(SCHEMA, compile_at=1)
    task = asyncio.create_task(engine.execute(document, operation, {}, None, Context()))
    for _ in range(rounds):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    gc.collect()
    assert not [each for each in recwarn if "never awaited" in str(each.message)]


async def test_nothing_is_called_twice_when_one_of_many_fails() -> None:
    ran = await both(
        "query ($names: [String!]!) { books(names: $names) { id place fails writer { id } } }",
        "book",
        "untitled",
        "book",
    )
    assert ran.counts == (0, 0, 1)
    assert [error.path for error in ran.ours.errors or ()] == [["books", 1, "fails"]]
    assert len(ran.calls) == len(set(ran.calls)) == 1 + 3 + 3 + 1


async def test_nothing_is_called_twice_when_a_value_of_a_union_is_not_as_its_type_says() -> None:
    ran = await both(
        """mutation ($names: [String!]!) { a: make(names: $names) { ... on BookView { place writer { id } title } }
        b: make(names: ["book"]) { ... on BookView { place fails } } }""",
        "film", "untitled",
    )  # fmt: skip
    assert ran.counts == (0, 0, 1)
    assert [error.path for error in ran.ours.errors or ()] == [["a", 1, "title"]]
    assert sorted(ran.calls) == sorted(
        ["items", "writers [1]", "place a/1/place ", "items", "place b/0/place ", "fails ['b', 0, 'fails']"]
    )


async def test_what_resolvers_are_told_is_what_graphql_core_tells_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[GraphQLResolveInfo[Any]] = []

    async def listen(_root: Any, info: GraphQLResolveInfo[Any], tag: str = "") -> str:
        told.append(info)
        return tag + "".join(await info.async_helpers.gather([asyncio.sleep(0, "a"), asyncio.sleep(0, "b")]))

    place: Any = SCHEMA.type_map["BookView"]
    monkeypatch.setattr(place.fields["place"], "resolve", listen)
    await both(
        """query ($names: [String!]!) { items(names: $names) { ... on BookView { p: place ...Again } } }
        fragment Again on BookView { p: place }""",
        "film", "book",
    )  # fmt: skip
    ours, theirs = told
    differing = [name for name in ours._fields if getattr(ours, name) != getattr(theirs, name)]
    assert set(differing) <= {"context", "variable_values", "async_helpers"}  # objects of each run
    assert ours.variable_values.coerced == theirs.variable_values.coerced
    assert ours.path == theirs.path
    assert type(ours.async_helpers) is type(theirs.async_helpers)
    assert [type(each) for each in ours] == [type(each) for each in theirs]


async def test_work_that_a_resolver_lets_go_of_is_seen_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def later() -> None:
        ended.set()
        raise ValueError("nobody hears of it")

    def let_go(_root: Any, info: GraphQLResolveInfo[Any], tag: str = "") -> str:
        info.async_helpers.track([later(), "nothing to wait for"])
        return tag

    place: Any = SCHEMA.type_map["BookView"]
    monkeypatch.setattr(place.fields["place"], "resolve", let_go)
    ran = await both("query ($names: [String!]!) { books(names: $names) { place } }", "book")
    assert ran.counts == (1, 0, 0)
    async with asyncio.timeout(60):
        await ended.wait()


async def test_resolvers_of_a_long_list_leave_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    others = 0

    def slow(_root: Any, _info: GraphQLResolveInfo[Any], tag: str = "") -> str:
        rounds.append(others)
        until = time.perf_counter() + 0.0001
        while time.perf_counter() < until:  # busy: a thousand of them are more than a round of the event loop may take
            pass
        return tag

    async def live() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    place: Any = SCHEMA.type_map["BookView"]
    monkeypatch.setattr(place.fields["place"], "resolve", slow)
    living = asyncio.create_task(live())
    runner = parse("query ($names: [String!]!) { books(names: $names) { place } }")
    [operation] = [each for each in runner.definitions if isinstance(each, OperationDefinitionNode)]
    engine = Engine(SCHEMA, compile_at=1)
    result = await engine.execute(runner, operation, {}, {"names": ["book"] * 1000}, Context())
    living.cancel()
    assert engine.counts.compiled == 1
    assert result.data is not None
    assert len(result.data["books"]) == len(rounds) == 1000
    assert len(set(rounds)) >= 4
