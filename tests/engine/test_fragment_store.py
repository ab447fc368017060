"""Fragments: bounds, time, notices that race with loads, and runs that are shared."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, parse

from engine.compiled.engine import Compiled, Engine
from engine.declared.access import NOBODY_YET
from engine.declared.fields import attribute, edge, resolver
from engine.declared.kinds import Arguments
from engine.fragments.declared import Finds, Kept
from engine.fragments.flights import Flights
from engine.fragments.rendered import Rendered
from engine.fragments.store import LIVE_S, NOTICES, Entry, Store
from engine.loading import BatchLoader
from tests.answers import read

BEGIN = datetime(2026, 4, 1, tzinfo=UTC)
ROOM = 1024 * 1024


class Time:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def clock(self) -> float:
        return self.s

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.s)


@dataclass(frozen=True)
class Maker:
    id: int
    name: str


@dataclass(frozen=True)
class Thing:
    id: int
    name: str
    maker_id: int | None
    sale_at: datetime | None = None


@strawberry.type
class MakerView:
    kept = Kept("maker", "makers")
    id: int = attribute(access=None, description="x")
    name: str = attribute(access=None, description="x")


@strawberry.type
class ThingView:
    kept = Kept("thing", "things", changes_at=lambda thing: thing.sale_at, client_age_s=2)
    id: int = attribute(access=None, description="x")
    name: str = attribute(access=None, description="x")
    maker: MakerView | None = edge("makers", key="maker_id", access=None, description="x")


async def _thing(info: strawberry.Info, id: int) -> object:
    info.context.calls.append("thing")
    return await info.context.loaders.load("things", id)


async def _mine(info: strawberry.Info, id: int) -> object:
    return await info.context.loaders.load("things", id)


@strawberry.type
class Query:
    thing: ThingView | None = resolver(
        _thing,
        access=None,
        description="x",
        graphql_type=ThingView | None,
        finds=Finds(lambda given: given["id"], lambda context, key: context.seen.append(key)),
        shared_s=60,
    )
    mine: ThingView | None = resolver(_mine, access=None, description="x", graphql_type=ThingView | None)


SCHEMA: GraphQLSchema = strawberry.Schema(Query)._schema


@dataclass
class Shop:
    """What is stored; `gate` holds loads back, `reached` tells of one that has read and not yet given."""

    things: dict[int, Thing] = field(default_factory=lambda: {1: Thing(1, "one", 1)})
    makers: dict[int, Maker] = field(default_factory=lambda: {1: Maker(1, "first")})
    loads: list[Any] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    def __post_init__(self) -> None:
        self.gate.set()


class Context:
    def __init__(self, shop: Shop, shared_as: str | None) -> None:
        self.shop = shop
        self.viewer = None
        self.admitted = NOBODY_YET
        self.shared_as = shared_as
        self.calls: list[str] = []
        self.seen: list[Any] = []
        self.loaders = self
        self._loaders = {name: BatchLoader(self._batch(name)) for name in ("things", "makers")}

    def _batch(self, name: str) -> Any:
        async def load(keys: list[int]) -> Sequence[Any]:
            self.shop.loads.append((name, sorted(keys)))
            stored: dict[int, Any] = getattr(self.shop, name)
            found = [stored.get(key) for key in keys]
            if self.shop.fails:
                raise OSError("away")
            self.shop.reached.set()
            await self.shop.gate.wait()
            return found

        return load

    async def load_level(self, loader: str, keys: Any, _arguments: Arguments = ()) -> Any:
        return await self._loaders[loader].level(keys)

    async def load(self, loader: str, key: Any, _arguments: Arguments = ()) -> Any:
        return await self._loaders[loader].one(key)


class Runner:
    def __init__(self, text: str = "query ($id: Int!) { thing(id: $id) { id name maker { name } } }") -> None:
        self.time = Time()
        self.store = Store(ROOM, clock=self.time.clock, now=self.time.now)
        self.store.joined()
        self.shop = Shop()
        self.engine = Engine(SCHEMA, compile_at=1, store=self.store)
        self.document = parse(text)
        [self.operation] = [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]
        self.known: dict[str, Compiled] = {}
        self.context = Context(self.shop, None)

    async def run(self, id: int = 1, shared_as: str | None = "ja") -> ExecutionResult:
        self.context = Context(self.shop, shared_as)
        return await self.engine.execute(self.document, self.operation, self.known, {"id": id}, self.context)

    async def data(self, id: int = 1, shared_as: str | None = "ja") -> Any:
        result = await self.run(id, shared_as)
        assert not result.errors
        return read(result.data)

    async def loads(self, id: int = 1, shared_as: str | None = "ja") -> list[Any]:
        """What is loaded to answer."""
        self.shop.loads.clear()
        await self.data(id, shared_as)
        return self.shop.loads


ONE = {"thing": {"id": 1, "name": "one", "maker": {"name": "first"}}}
ALL = [("things", [1]), ("makers", [1])]


async def test_what_is_kept_is_not_loaded_again_and_its_viewer_is_noted() -> None:
    runner = Runner()
    assert await runner.loads() == ALL
    assert (runner.context.calls, runner.context.seen) == (["thing"], [])
    assert await runner.loads() == []
    assert (runner.context.calls, runner.context.seen) == ([], [1])
    assert await runner.data() == ONE


async def test_each_language_has_its_own_and_private_viewers_none() -> None:
    runner = Runner()
    await runner.data()
    assert await runner.loads(shared_as="en") == ALL
    assert await runner.loads(shared_as=None) == ALL
    assert await runner.loads() == []


async def test_a_change_drops_what_shows_it_and_nothing_else() -> None:
    runner = Runner()
    await runner.data()
    runner.shop.makers[1] = Maker(1, "second")
    runner.store.forget(["maker:1"])
    assert await runner.loads() == [("makers", [1])]
    assert (await runner.data())["thing"]["maker"] == {"name": "second"}
    runner.store.forget(["thing:1"])
    assert await runner.loads() == [("things", [1])]


async def test_what_is_not_there_any_more_is_shown_as_null() -> None:
    runner = Runner()
    await runner.data()
    del runner.shop.makers[1]
    runner.store.forget(["maker:1"])
    for _ in range(2):
        assert (await runner.data())["thing"]["maker"] is None
    assert await runner.loads() == []
    runner.shop.makers[1] = Maker(1, "again")
    runner.store.forget(["maker:1"])
    assert (await runner.data())["thing"]["maker"] == {"name": "again"}


@pytest.mark.parametrize("notice", ["maker:1", "thing:1", "*", "left"])
async def test_a_load_that_began_before_a_change_is_not_kept(notice: str) -> None:
    runner = Runner()
    runner.shop.gate.clear()
    slow = asyncio.ensure_future(runner.data())
    await runner.shop.reached.wait()
    runner.shop.things[1] = Thing(1, "new", 1)
    match notice:
        case "*":
            runner.store.drop()
        case "left":
            runner.store.left()
            runner.store.joined()
        case _:
            runner.store.forget([notice])
    runner.shop.gate.set()
    assert (await slow)["thing"]["name"] == "one"
    if notice == "maker:1":  # its load began later, but loaders may give what an operation loaded before
        assert await runner.loads() == [("makers", [1])]
    else:
        assert (await runner.data())["thing"]["name"] == "new"


async def test_a_notice_that_is_forgotten_counts_for_all() -> None:
    store = Store(ROOM)
    store.joined()
    ticket = store.notices
    store.forget(["thing:1"])
    store.forget(f"other:{number}" for number in range(NOTICES))
    entry = Entry(Rendered((b"x", 1), b"{}", 0, float("inf"), ()), (b"{}",), (), ("thing:1",))
    store.put(entry, ticket)
    assert store.counts.refused == 1


async def test_nothing_is_shown_unless_notices_are_known_to_arrive() -> None:
    runner = Runner()
    await runner.data()
    runner.time.s += LIVE_S + 0.1
    assert await runner.loads() == ALL
    runner.store.confirmed(runner.time.s)
    assert await runner.loads() == []
    runner.store.left()
    assert runner.store.counts.entries == 0
    assert await runner.loads() == ALL
    assert await runner.loads() == ALL


async def test_a_sale_begins_by_the_clock() -> None:
    runner = Runner()
    runner.shop.things[1] = Thing(1, "one", 1, sale_at=BEGIN + timedelta(seconds=5))
    await runner.data()
    runner.time.s = 4.9
    runner.store.confirmed(runner.time.s)
    assert await runner.loads() == []
    assert (await runner.run()).extensions == {
        "cache": {"scope": "PUBLIC", "maxAge": 0, "tags": ["thing:1", "maker:1"]}
    }
    runner.time.s = 5.0
    assert await runner.loads() == [("things", [1])]


async def test_nothing_is_kept_for_longer_than_a_minute() -> None:
    runner = Runner()
    await runner.data()
    runner.time.s = 59.0
    runner.store.confirmed(runner.time.s)
    assert await runner.loads() == []
    runner.time.s = 60.0
    runner.store.confirmed(runner.time.s)
    assert await runner.loads() == ALL


async def test_failures_are_not_kept() -> None:
    runner = Runner()
    runner.shop.fails = True
    assert (await runner.run()).errors
    assert runner.store.counts.entries == 0
    runner.shop.fails = False
    assert await runner.data() == ONE


async def test_memory_is_bounded_and_what_is_used_stays() -> None:
    runner = Runner()
    runner.shop.things |= {number: Thing(number, "x" * 1000, None) for number in range(2, 1000)}
    await runner.data(1)
    for number in range(2, 1000):
        await runner.data(number)
        await runner.data(1)
    counts = runner.store.counts
    assert counts.bytes <= ROOM
    assert counts.evicted > 100
    assert await runner.loads(1) == []
    assert counts.entries == len(runner.store._entries)
    assert counts.bytes == sum(entry.size for entry in runner.store._entries.values())
    runner.store.drop()
    assert (counts.bytes, counts.entries, runner.store._by_tag) == (0, 0, {})


async def test_what_there_is_not_is_not_kept_where_clients_name_it() -> None:
    runner = Runner()
    for number in range(100, 110):
        assert await runner.data(number) == {"thing": None}
    assert runner.store.counts.entries == 0


async def test_what_is_for_everybody_says_so() -> None:
    public = {"scope": "PUBLIC", "maxAge": 2, "tags": ["thing:1", "maker:1"]}
    runner = Runner()
    for _ in range(3):
        assert (await runner.run()).extensions == {"cache": public}
    assert (await runner.run(shared_as=None)).extensions is None
    mine = Runner("query ($id: Int!) { thing(id: $id) { name } mine(id: $id) { name } }")
    assert (await mine.run()).extensions is None


class TestSharing:
    async def test_identical_queries_run_once(self) -> None:
        runner = Runner()
        runner.shop.gate.clear()
        running = [asyncio.ensure_future(runner.data()) for _ in range(50)]
        await runner.shop.reached.wait()
        runner.shop.gate.set()
        assert await asyncio.gather(*running) == [ONE] * 50
        assert runner.shop.loads == ALL
        assert runner.engine.flights.joined == 49

    async def test_other_variables_languages_and_viewers_run_by_themselves(self) -> None:
        runner = Runner()
        runner.shop.gate.clear()
        running = [asyncio.ensure_future(runner.data(*each)) for each in ((1, "ja"), (1, "en"), (2, "ja"), (1, None))]
        await asyncio.sleep(0)
        runner.shop.gate.set()
        await asyncio.gather(*running)
        assert runner.engine.flights.joined == 0

    async def test_who_comes_after_a_change_does_not_wait_for_a_run_from_before(self) -> None:
        runner = Runner()
        runner.shop.gate.clear()
        before = asyncio.ensure_future(runner.data())
        await runner.shop.reached.wait()
        runner.shop.things[1] = Thing(1, "new", 1)
        runner.store.forget(["thing:1"])
        after = asyncio.ensure_future(runner.data())
        runner.shop.gate.set()
        assert (await before)["thing"]["name"] == "one"
        assert (await after)["thing"]["name"] == "new"

    async def test_when_the_one_who_runs_goes_away_one_of_the_others_runs(self) -> None:
        runs: list[str] = []
        flights: Flights[str] = Flights()
        gate = asyncio.Event()

        async def share(name: str) -> str:
            async def run() -> str:
                runs.append(name)
                await gate.wait()
                return name

            return (await flights.share("key", run))[0]

        first, *others = [asyncio.ensure_future(share(name)) for name in "abcd"]
        while not runs:
            await asyncio.sleep(0)
        first.cancel()
        others[0].cancel()
        while len(runs) < 2:
            await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(*others[1:]) == ["c", "c"]
        assert runs == ["a", "c"]
        assert first.cancelled()

    async def test_a_failure_is_the_runners_own(self) -> None:
        flights: Flights[str] = Flights()
        failing, gate = [True], asyncio.Event()

        async def run() -> str:
            fails = failing.pop() if failing else False
            await gate.wait()
            if fails:
                raise OSError("away")
            return "fine"

        running = [asyncio.ensure_future(flights.share("key", run)) for _ in range(3)]
        while failing:
            await asyncio.sleep(0)
        gate.set()
        first, *others = await asyncio.gather(*running, return_exceptions=True)
        assert isinstance(first, OSError)
        assert others == [("fine", False)] * 2

    async def test_those_who_wait_are_bounded(self) -> None:
        flights: Flights[int] = Flights(most=2)
        gate = asyncio.Event()
        runs: list[None] = []

        async def run() -> int:
            runs.append(None)
            await gate.wait()
            return len(runs)

        running = [asyncio.ensure_future(flights.share("key", run)) for _ in range(5)]
        while len(runs) < 3:  # the first, and two who find two waiting already
            await asyncio.sleep(0)
        gate.set()
        assert sorted(joined for _, joined in await asyncio.gather(*running)) == [False, False, False, True, True]
