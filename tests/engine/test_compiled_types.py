"""Plans of interfaces, unions and resolvers below lists: the answers of graphql-core, the same calls, and no call twice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLResolveInfo, GraphQLSchema, OperationDefinitionNode, parse, validate

from engine.access import NOBODY_YET
from engine.compiled.counts import Compiled
from engine.compiled.engine import Engine
from engine.fields import attribute, computed, edge, mutation, resolver, shows
from engine.kinds import Arguments
from engine.loading import BatchLoader


@dataclass(frozen=True, slots=True)
class Book:
    id: int
    title: str | None
    writer_id: int = 1


@dataclass(frozen=True, slots=True)
class Film:
    id: int
    minutes: int = 90
    parts: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Writer:
    id: int


class OpenFilm(Film):
    """Has a dict, so that it could say of itself what it is."""


class Stranger:
    id = 5


class Speaking(OpenFilm):
    def __init__(self) -> None:
        super().__init__(7)
        object.__setattr__(
            self, "_Speaking__typename", "FilmView"
        )  # what graphql-core looks at first: `self.__typename`


ITEMS: dict[str, object] = {
    "book": Book(1, "one"),
    "again": Book(1, "one"),
    "untitled": Book(2, None),
    "film": Film(1),
    "open": OpenFilm(3),
    "parts": Film(4, 10, ((Book(1, "one"), Film(5)), (), (Book(8, "eight", 2),))),
    "stranger": Stranger(),
    "speaking": Speaking(),
}


async def _place(info: strawberry.Info, tag: str = "") -> str:
    path = "/".join(map(str, info.path.as_list()))
    info.context.calls.append(f"place {path} {tag}")
    await asyncio.sleep(0)
    return path


def _again(info: strawberry.Info, root: strawberry.Parent[Any]) -> object:
    info.context.calls.append(f"again {info.path.as_list()}")
    return root


async def _fails(info: strawberry.Info, root: strawberry.Parent[Any]) -> int:
    await asyncio.sleep(0)
    info.context.calls.append(f"fails {info.path.as_list()}")
    if root.id == 2:
        raise ValueError("no")
    return int(root.id)


@strawberry.interface
class Item:
    id: int = attribute(access=None, description="x")


@strawberry.type
class WriterView(Item):
    is_type_of = shows(Writer)
    label: str = computed(lambda writer: f"writer {writer.id}", access=None, description="x")


@strawberry.type
class BookView(Item):
    is_type_of = shows(Book)
    title: str = attribute(access=None, description="x")
    place: str = resolver(_place, access=None, description="x", graphql_type=str)
    again: Annotated["BookView", strawberry.lazy("tests.engine.test_compiled_types")] = resolver(
        _again,
        access=None,
        description="x",
        graphql_type=Annotated["BookView", strawberry.lazy("tests.engine.test_compiled_types")],
    )
    fails: int | None = resolver(_fails, access=None, description="x", graphql_type=int | None)
    writer: Item | None = edge("writers", key="writer_id", access=None, description="x")


@strawberry.type
class FilmView(Item):
    is_type_of = shows(Film)
    minutes: int = attribute(access=None, description="x")
    parts: list[list[Annotated["Work", strawberry.lazy("tests.engine.test_compiled_types")]]] = attribute(
        access=None, description="x"
    )


Work = Annotated[BookView | FilmView, strawberry.union("Work")]


def _items(info: strawberry.Info, names: list[str]) -> Any:
    info.context.calls.append("items")
    return [ITEMS[name] for name in names]


@strawberry.type
class Query:
    items: list[Item | None] = resolver(_items, access=None, description="x", graphql_type=list[Item | None])
    works: list[Work | None] = resolver(_items, access=None, description="x", graphql_type=list[Work | None])
    books: list[BookView] = resolver(_items, access=None, description="x", graphql_type=list[BookView])


@strawberry.type
class Mutation:
    make: list[Work] | None = mutation(_items, access=None, description="x", graphql_type=list[Work] | None)


SCHEMA: GraphQLSchema = strawberry.Schema(Query, Mutation, types=[WriterView])._schema


@dataclass
class Context:
    viewer: object = None
    admitted: Any = NOBODY_YET
    calls: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loaders = self
        self._writers = BatchLoader(self._load)

    async def _load(self, keys: list[int]) -> list[Writer]:
        self.calls.append(f"writers {sorted(keys)}")
        await asyncio.sleep(0)
        return [Writer(key) for key in keys]

    async def load_level(self, _loader: str, keys: Any, _arguments: Arguments = ()) -> Any:
        return await self._writers.level(keys)

    async def load(self, _loader: str, key: Any, _arguments: Arguments = ()) -> Any:
        return await self._writers.one(key)


@dataclass
class Both:
    """An operation run by both engines; their answers are compared, and their calls whatever their order."""

    ours: ExecutionResult
    calls: Sequence[str]
    counts: tuple[int, int, int]


async def both(text: str, *names: str) -> Both:
    document = parse(text)
    assert not validate(SCHEMA, document)
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    variables = {"names": list(names)}
    results = []
    for compile_at in (1, None):
        engine, context, known = Engine(SCHEMA, compile_at=compile_at), Context(), dict[str, Compiled]()
        results.append(
            (await engine.execute(document, operation, known, variables, context), context.calls, engine.counts)
        )
    (ours, calls, counts), (theirs, their_calls, _) = results
    assert ours.data == theirs.data
    assert repr(ours.data) == repr(theirs.data)  # in the same order
    assert [each.formatted for each in ours.errors or ()] == [each.formatted for each in theirs.errors or ()]
    if not theirs.errors:  # graphql-core lets go of what stands beside an error
        assert sorted(calls) == sorted(their_calls)
    return Both(ours, calls, (counts.compiled, counts.interpreted, counts.deviated))


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
    async with asyncio.timeout(5):
        await ended.wait()
