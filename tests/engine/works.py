"""Books, films and writers, shown by interfaces and a union, with resolvers that tell where they were called."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import strawberry
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, parse, validate

from engine.compiled.counts import Compiled
from engine.compiled.engine import Engine
from engine.declared.access import NOBODY_YET
from engine.declared.fields import attribute, computed, edge, mutation, resolver, shows
from engine.declared.kinds import Arguments
from engine.loading import BatchLoader
from tests.answers import read_result


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
    again: Annotated["BookView", strawberry.lazy("tests.engine.works")] = resolver(
        _again,
        access=None,
        description="x",
        graphql_type=Annotated["BookView", strawberry.lazy("tests.engine.works")],
    )
    fails: int | None = resolver(_fails, access=None, description="x", graphql_type=int | None)
    writer: Item | None = edge("writers", key="writer_id", access=None, description="x")


@strawberry.type
class FilmView(Item):
    is_type_of = shows(Film)
    minutes: int = attribute(access=None, description="x")
    parts: list[list[Annotated["Work", strawberry.lazy("tests.engine.works")]]] = attribute(
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

    def forget(self) -> None:
        self._writers = BatchLoader(self._load)


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
            (
                read_result(await engine.execute(document, operation, known, variables, context)),
                context.calls,
                engine.counts,
            )
        )
    (ours, calls, counts), (theirs, their_calls, _) = results
    assert ours.data == theirs.data
    assert repr(ours.data) == repr(theirs.data)  # in the same order
    assert [each.formatted for each in ours.errors or ()] == [each.formatted for each in theirs.errors or ()]
    if not theirs.errors:  # graphql-core lets go of what stands beside an error
        assert sorted(calls) == sorted(their_calls)
    return Both(ours, calls, (counts.compiled, counts.interpreted, counts.deviated))
