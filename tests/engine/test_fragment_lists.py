"""Lists at the root and entities in hand: kept as bytes around fragments, no older than promised, and never another's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, parse

from engine.compiled.counts import Compiled
from engine.compiled.engine import Engine
from engine.declared.access import NOBODY_YET
from engine.declared.fields import attribute, edge, resolver, shows
from engine.declared.kinds import Arguments
from engine.fragments.declared import Finds, Kept
from engine.fragments.lists import frozen
from engine.fragments.rendered import written
from engine.fragments.store import Store
from engine.loading import BatchLoader
from engine.reading.bounds import Limits
from engine.reading.cost import price_of

ROOM = 1024 * 1024


@dataclass(frozen=True)
class Maker:
    id: int
    name: str


@dataclass(frozen=True)
class Thing:
    id: int
    name: str
    maker_id: int | None = 1
    version: int = 1
    tags: tuple[str, ...] = ("a",)

    @property
    def wrong(self) -> str:
        raise OSError("away")


@dataclass(frozen=True)
class Page:
    nodes: Sequence[Thing]
    asked: int
    """How often anything was listed before."""


class Order(Enum):
    UP = "up"
    DOWN = "down"


@strawberry.input
class Narrow:
    names: list[str] | None = None
    least: float | None = None


@strawberry.interface
class Named:
    name: str = attribute(access=None, description="x")


@strawberry.type
class MakerView(Named):
    is_type_of = shows(Maker)
    kept = Kept("maker", "makers", held_by="id")
    name: str = attribute(access=None, description="x")


@strawberry.type
class ThingView(Named):
    is_type_of = shows(Thing)
    kept = Kept("thing", "things", held_by="id", version="version", client_age_s=2)
    id: int = attribute(access=None, description="x")
    name: str = attribute(access=None, description="x")
    tags: list[str] = attribute(access=None, description="x")
    wrong: str = attribute(access=None, description="x")
    maker: MakerView | None = edge("makers", key="maker_id", access=None, description="x")


@strawberry.type
class PageView:
    nodes: list[ThingView] = attribute(access=None, description="x")
    asked: int = attribute(access=None, description="x")


async def _things(
    info: strawberry.Info, order: strawberry.enum(Order) = Order.UP, narrow: Narrow | None = None, first: int = 20
) -> object:
    return await info.context.listed(order, narrow, first)


async def _found(info: strawberry.Info, name: str) -> object:
    return await info.context.found(name)


async def _all(info: strawberry.Info, ids: list[int]) -> object:
    return await info.context.all(ids)


THINGS = {"access": None, "description": "x", "graphql_type": PageView | None}


@strawberry.type
class Query:
    things: PageView | None = resolver(_things, shared_s=2, **THINGS)
    mine: PageView | None = resolver(_things, **THINGS)
    thing: ThingView | None = resolver(
        _found,
        access=None,
        description="x",
        graphql_type=ThingView | None,
        finds=Finds(lambda _: None, lambda context, key: context.seen.append(key)),
        shared_s=2,
    )
    all: list[Annotated[Named, strawberry.lazy("tests.engine.test_fragment_lists")] | None] = resolver(
        _all, access=None, description="x", graphql_type=list[Named | None]
    )


SCHEMA: GraphQLSchema = strawberry.Schema(Query, types=[ThingView, MakerView])._schema


@dataclass
class Shop:
    """What is stored; `hides` are things that lists show and loads do not find."""

    things: dict[int, Thing] = field(default_factory=lambda: {n: Thing(n, f"t{n}") for n in (1, 2, 3)})
    makers: dict[int, Maker] = field(default_factory=lambda: {1: Maker(1, "first")})
    loads: list[Any] = field(default_factory=list)
    lists: int = 0
    hides: set[int] = field(default_factory=set)
    fails: bool = False


class Context:
    def __init__(self, shop: Shop, shared_as: str | None, *, knows: bool) -> None:
        self.shop, self.shared_as, self._knows = shop, shared_as, knows
        self.viewer, self.admitted = None, NOBODY_YET
        self.seen: list[Any] = []
        self.loaders = self
        self._loaders = {name: BatchLoader(self._batch(name)) for name in ("things", "makers")}

    def _batch(self, name: str) -> Any:
        async def load(keys: list[int]) -> Sequence[Any]:
            self.shop.loads.append((name, sorted(keys)))
            if self.shop.fails:
                raise OSError("away")
            stored: dict[int, Any] = getattr(self.shop, name)
            return [None if name == "things" and key in self.shop.hides else stored.get(key) for key in keys]

        return load

    async def listed(self, order: Order, narrow: Narrow | None, first: int) -> Page:
        self.shop.loads.append("list")
        self.shop.lists += 1
        found = [
            each for each in self.shop.things.values() if not (narrow and narrow.names) or each.name in narrow.names
        ]
        found = sorted(found, key=lambda each: each.id, reverse=order is Order.DOWN)[:first]
        await asyncio.sleep(0)
        self._know(found)
        return Page(found, self.shop.lists)

    async def found(self, name: str) -> Thing | None:
        self.shop.loads.append("found")
        found = [each for each in self.shop.things.values() if each.name == name]
        self._know(found)
        return found[0] if found else None

    async def all(self, ids: list[int]) -> list[Any]:
        things = await self.load_level("things", ids)
        return [*things, self.shop.makers[1]]

    def _know(self, found: Sequence[Thing]) -> None:
        if self._knows:
            self._loaders["things"].know({each.id: each for each in found})

    async def load_level(self, loader: str, keys: Any, _arguments: Arguments = ()) -> Any:
        return await self._loaders[loader].level(keys)

    async def load(self, loader: str, key: Any, _arguments: Arguments = ()) -> Any:
        return await self._loaders[loader].one(key)


NODES = "nodes { id name tags maker { name } }"
LIST = f"{{ things {{ asked {NODES} }} }}"


class Runner:
    def __init__(self, text: str = LIST, store: Store | None = None, shop: Shop | None = None) -> None:
        self.s = 0.0
        self.store = store or Store(ROOM, clock=lambda: self.s)
        if store is None:
            self.store.joined()
        self.shop = shop or Shop()
        self.engine, self.stock = Engine(SCHEMA, compile_at=1, store=self.store), Engine(SCHEMA, compile_at=None)
        self.document = parse(text)
        [self.operation] = [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]
        self.known: dict[str, Compiled] = {}
        self.context = Context(self.shop, None, knows=True)

    def beside(self, text: str) -> "Runner":
        """Another document in the same shop."""
        other = Runner(text, self.store, self.shop)
        other.s = self.s
        return other

    async def run(self, shared_as: str | None = "ja", *, knows: bool = True, **variables: Any) -> ExecutionResult:
        self.context = Context(self.shop, shared_as, knows=knows)
        return await self.engine.execute(self.document, self.operation, self.known, variables, self.context)

    async def data(self, shared_as: str | None = "ja", *, knows: bool = True, **variables: Any) -> Any:
        result = await self.run(shared_as, knows=knows, **variables)
        assert not result.errors
        return orjson.loads(orjson.dumps(result.data, default=written))

    async def loads(self, shared_as: str | None = "ja", *, knows: bool = True, **variables: Any) -> list[Any]:
        """What is loaded to answer."""
        self.shop.loads.clear()
        await self.data(shared_as, knows=knows, **variables)
        return list(self.shop.loads)

    async def names(self, **variables: Any) -> list[str]:
        return [each["name"] for each in (await self.data(**variables))["things"]["nodes"]]


async def test_a_list_is_kept_and_loads_nothing_the_second_time() -> None:
    runner = Runner()
    assert await runner.loads() == ["list", ("makers", [1])]
    assert await runner.loads() == []
    first = await runner.data()
    assert [each["name"] for each in first["things"]["nodes"]] == ["t1", "t2", "t3"]
    assert await runner.data() == first


async def test_a_list_is_two_seconds_old_at_the_most_and_its_entities_are_not_looked_at_again() -> None:
    runner = Runner()
    await runner.data()
    runner.s = 1.9
    runner.store.confirmed(runner.s)
    assert await runner.loads() == []
    runner.s = 2.0
    runner.store.confirmed(runner.s)
    assert await runner.loads() == ["list"]


async def test_a_change_of_anything_listed_makes_the_list_anew_and_loads_that_alone() -> None:
    runner = Runner()
    await runner.data()
    runner.shop.things[2] = Thing(2, "new", version=2)
    runner.store.forget(["thing:2"])
    assert await runner.loads() == ["list"]  # which brings the thing along
    assert await runner.names() == ["t1", "new", "t3"]
    runner.shop.things[4] = Thing(4, "t4")
    runner.store.forget(["thing:4"])
    assert await runner.names() == ["t1", "new", "t3", "t4"]


async def test_a_change_of_what_is_nested_leaves_the_list() -> None:
    runner = Runner()
    await runner.data()
    runner.shop.makers[1] = Maker(1, "second")
    runner.store.forget(["maker:1"])
    assert await runner.loads() == [("makers", [1])]
    assert (await runner.data())["things"]["nodes"][2]["maker"] == {"name": "second"}


async def test_a_list_read_before_a_change_is_not_kept_after_it() -> None:
    runner = Runner()
    slow = asyncio.ensure_future(runner.data())
    while not runner.shop.lists:
        await asyncio.sleep(0)
    runner.shop.things[2] = Thing(2, "new", version=2)
    runner.store.forget(["thing:2"])
    assert (await slow)["things"]["nodes"][1]["name"] == "t2"
    assert await runner.names() == ["t1", "new", "t3"]


async def test_what_is_newer_in_the_list_than_in_its_fragment_is_shown_before_the_notice_of_it_comes() -> None:
    runner = Runner()
    await runner.data()
    runner.shop.things[2] = Thing(2, "new", version=2)
    runner.s = 2.0
    runner.store.confirmed(runner.s)
    assert await runner.names() == ["t1", "new", "t3"]
    other = runner.beside("{ all(ids: [2]) { name } }")
    assert (await other.data())["all"][0] == {"name": "new"}


async def test_an_older_value_does_not_take_the_place_of_a_newer_one() -> None:
    runner = Runner()
    runner.shop.things[2] = Thing(2, "new", version=2)
    await runner.data()
    runner.shop.things[2] = Thing(2, "old", version=1)  # as a replica may still have it
    runner.s = 2.0
    runner.store.confirmed(runner.s)
    assert await runner.names() == ["t1", "new", "t3"]


async def test_values_that_may_be_behind_are_loaded_before_they_are_kept() -> None:
    runner = Runner()
    assert await runner.loads(knows=False) == ["list", ("things", [1, 2, 3]), ("makers", [1])]
    assert await runner.loads(knows=False) == []
    runner.s = 2.0
    runner.store.confirmed(runner.s)
    assert await runner.loads(knows=False) == ["list"]


async def test_what_has_gone_between_list_and_load_is_shown_as_the_list_has_it() -> None:
    runner = Runner()
    runner.shop.hides = {2}
    for _ in range(2):
        assert [each["name"] for each in (await runner.data(knows=False))["things"]["nodes"]] == ["t1", "t2", "t3"]


async def test_a_kept_list_with_something_that_has_gone_is_made_anew() -> None:
    runner = Runner()
    await runner.data()
    del runner.shop.things[2]
    for at in [at for at in runner.store._entries if at[1] == 2]:
        runner.store._remove(at)  # evicted, and its notice is still to come
    assert await runner.names() == ["t1", "t3"]


async def test_failures_are_not_kept() -> None:
    runner = Runner()
    runner.shop.fails = True
    assert (await runner.run()).errors
    assert runner.store.counts.entries == 0
    runner.shop.fails = False
    assert await runner.names() == ["t1", "t2", "t3"]
    broken = runner.beside("{ things { nodes { id wrong } } }")
    for _ in range(2):
        result = await broken.run()
        assert [error.path for error in result.errors or ()] == [["things", "nodes", 0, "wrong"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("first: 2", "first: 3"),
        ("order: UP", "order: DOWN"),
        ('narrow: {names: ["t1"]}', 'narrow: {names: ["t2"]}'),
        ("narrow: {names: []}", "narrow: {names: null}"),
        ("narrow: {least: 1}", "narrow: {least: 0}"),
    ],
)
async def test_other_arguments_are_another_list(one: str, other: str) -> None:
    runner = Runner(f"{{ a: things({one}) {{ {NODES} }} b: things({other}) {{ {NODES} }} }}")
    for _ in range(2):
        data = await runner.data()
        expected = await runner.stock.execute(
            runner.document, runner.operation, {}, {}, Context(runner.shop, "ja", knows=True)
        )
        assert data == expected.data
    assert runner.store.counts.hits > 0


async def test_conditions_and_other_selections_are_other_lists() -> None:
    runner = Runner(
        "query ($all: Boolean!) { things { nodes { id name @include(if: $all) ... @skip(if: $all) { tags } } } }"
    )
    for _ in range(2):
        assert (await runner.data(all=True))["things"]["nodes"][0] == {"id": 1, "name": "t1"}
        assert (await runner.data(all=False))["things"]["nodes"][0] == {"id": 1, "tags": ["a"]}


async def test_each_language_has_its_own_and_private_viewers_none() -> None:
    runner = Runner()
    await runner.data()
    assert await runner.loads("en") == ["list", ("makers", [1])]
    for _ in range(2):
        assert await runner.loads(None) == ["list", ("makers", [1])]


async def test_a_list_that_is_not_declared_the_same_for_everybody_is_asked_for_each_time() -> None:
    runner = Runner(f"{{ mine {{ asked {NODES} }} things {{ asked }} }}")
    await runner.data()
    for _ in range(2):
        assert await runner.loads() == ["list"]  # and its things are out of fragments
    assert (await runner.run()).extensions is None


async def test_what_a_name_finds_is_shown_out_of_fragments() -> None:
    runner = Runner('{ thing(name: "t2") { name maker { name } } }')
    assert await runner.loads() == ["found", ("makers", [1])]
    assert await runner.loads() == ["found"]
    assert (await runner.run()).extensions == {
        "cache": {"scope": "PUBLIC", "maxAge": 2, "tags": ["thing:2", "maker:1"]}
    }
    missing = runner.beside('{ thing(name: "x") { name } }')
    for _ in range(2):
        assert await missing.data() == {"thing": None}


async def test_who_waits_for_another_is_noted_to_have_looked() -> None:
    runner = Runner('{ thing(name: "t2") { name } }')
    contexts = []
    running = []
    for _ in range(3):
        running.append(asyncio.ensure_future(runner.run()))
        await asyncio.sleep(0)
        contexts.append(runner.context)
    await asyncio.gather(*running)
    assert runner.engine.flights.joined == sum(context.seen == [2] for context in contexts)


async def test_values_of_several_types_are_shown_out_of_fragments() -> None:
    runner = Runner("{ all(ids: [1, 2]) { name ... on ThingView { tags maker { name } } } }")
    assert await runner.loads() == [("things", [1, 2]), ("makers", [1])]
    assert await runner.loads() == [("things", [1, 2])]
    thing = {"tags": ["a"], "maker": {"name": "first"}}
    assert (await runner.data())["all"] == [{"name": "t1"} | thing, {"name": "t2"} | thing, {"name": "first"}]


async def test_it_costs_the_same_and_says_what_is_in_it() -> None:
    runner = Runner(f"{{ things {{ asked {NODES} }} again: things {{ nodes {{ id }} }} }}")
    price = price_of(SCHEMA, runner.document, runner.operation, Limits())
    stock = await runner.stock.execute(
        runner.document, runner.operation, {}, {}, Context(runner.shop, "ja", knows=True)
    )
    told = []
    for _ in range(3):
        result = await runner.run()
        assert price.actual(result.data) == price.actual(stock.data)
        told.append(result.extensions)
    assert (
        told
        == [{"cache": {"scope": "PUBLIC", "maxAge": 2, "tags": ["things", "thing:1", "thing:2", "thing:3", "maker:1"]}}]
        * 3
    )


async def test_memory_is_bounded_with_all_that_lists_are_made_of() -> None:
    runner = Runner(f"query ($first: Int!) {{ things(first: $first) {{ {NODES} }} }}")
    runner.shop.things = {n: Thing(n, "x" * 2_000) for n in range(100)}
    for first in (*range(1, 100), *range(1, 100)):
        await runner.data(first=first)
    counts = runner.store.counts
    entries = runner.store._entries.values()
    assert counts.evicted > 0
    assert counts.bytes <= ROOM
    assert counts.bytes == sum(entry.size for entry in entries)
    held = sum(
        sum(map(len, each.texts)) + (len(each.whole.body) if each.whole and each.holes else 0) for each in entries
    )
    assert held <= counts.bytes
    runner.store.drop()
    assert (counts.bytes, runner.store._by_tag) == (0, {})


def test_arguments_that_have_no_text_of_their_own_make_no_list() -> None:
    assert frozen({"a": object()}) is None
    assert frozen({"a": [{"b": object()}]}) is None
    assert len({repr(frozen({"a": each})) for each in (1, 1.0, True, "1", None, [1], [], {}, [[1]], Order.UP)}) == 10


async def test_a_product_is_replaced_by_a_newer_one_alone() -> None:
    runner = Runner()
    await runner.data()
    newer = replace(runner.shop.things[1], version=9)
    runner.shop.things[1] = newer
    await runner.beside("{ things(first: 1) { nodes { id name tags maker { name } } } }").data()
    [entry] = [each for at, each in runner.store._entries.items() if at[1] == 1 and b"tags" in each.texts[0]]
    assert entry.version == 9
