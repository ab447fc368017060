"""Long work is done piece by piece: in the order it was asked for, clients in turn, and with the same answer."""

import asyncio
import contextlib
import time
from contextvars import copy_context
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLResolveInfo, build_schema, execute, parse

from bench.hostile import longest_stretch
from engine.compiled.engine import Engine
from engine.fairness import turns
from engine.fairness.shares import WHO
from engine.fairness.turns import turn
from engine.loading import WOKEN, BatchLoader

SCHEMA = build_schema(
    """
    type Query { list: [Item!]  numbers: [Int] }
    type Item { name: String  other: Item  strict: String!  parts: [Item] }
    """
)
TRIES = 5


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_others_are_served_between_pieces() -> None:
    async def work() -> None:
        for _ in range(50):
            await turn()
            busy(0.002)

    async def both() -> None:
        await asyncio.gather(work(), work(), work())

    longest = min([await longest_stretch(both()) for _ in range(TRIES)])
    assert longest < 3 * turns.SLICE_S, "a slice, and the piece that began in it"


async def test_clients_take_turns() -> None:
    done: list[object] = []

    async def work(pieces: int) -> None:
        for _ in range(pieces):
            await turn()
            busy(turns.SLICE_S)
        done.append(WHO.get())

    def begin(who: str, pieces: int) -> asyncio.Task[None]:
        context = copy_context()
        context.run(WHO.set, who)
        return asyncio.get_running_loop().create_task(work(pieces), context=context)

    greedy = [begin("greedy", 5) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.gather(begin("polite", 5), *greedy)
    assert done.index("polite") <= 1


async def test_who_gives_up_is_not_waited_for() -> None:
    async def work() -> None:
        for _ in range(4):
            await turn()
            busy(turns.SLICE_S)

    tasks = [asyncio.create_task(work()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[1:9]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not tasks[0].cancelled()
    assert not tasks[9].cancelled()


class Item:
    def __init__(self, number: int) -> None:
        self.name = f"{number}"
        self.number = number
        self.parts = [None, self]


def answer(query: str, *, waits: bool) -> Any:
    loader = BatchLoader(load)

    async def other(item: Item, _info: GraphQLResolveInfo[Any]) -> Any:
        return await loader.one(item.number)

    def strict(item: Item, _info: GraphQLResolveInfo[Any]) -> str:
        if item.number % 7 == 3:
            raise GraphQLError("no")
        return "yes"

    fields = SCHEMA.type_map["Item"].fields  # type: ignore[attr-defined]
    fields["other"].resolve, fields["strict"].resolve = other, strict

    def items(*_: object) -> list[Any]:
        found: list[Any] = [Item(number) for number in range(60)]
        if waits:
            found[5] = asyncio.sleep(0, found[5])
        return found

    root = SCHEMA.query_type
    assert root is not None
    root.fields["list"].resolve = items
    root.fields["numbers"].resolve = lambda *_: list(range(60))
    return parse(query)


async def load(keys: list[int]) -> list[Any]:
    LOADED.append(len(keys))
    return [ValueError(f"{key}") if key % 5 == 4 else Item(key + 1_000) for key in keys]


LOADED: list[int] = []


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    "query",
    [
        "{ list { name parts { name } } numbers }",
        "{ list { name other { name other { name } } } a: list { other { name } } }",
        "{ list { name strict } }",
        "{ list { name other { strict name } } }",
    ],
)
async def test_pieces_answer_as_the_whole_does(query: str, waits: bool) -> None:
    engine = Engine(SCHEMA, compile_at=None)

    async def paced() -> Any:
        document = answer(query, waits=waits)
        return (await engine.execute(document, document.definitions[0], {}, None, None)).formatted

    async def whole() -> Any:
        result = execute(SCHEMA, answer(query, waits=waits))
        return (await result if asyncio.iscoroutine(result) else result).formatted  # type: ignore[union-attr]

    in_pieces, at_once = await paced(), await whole()
    assert in_pieces["data"] == at_once["data"]
    by_path = {"key": lambda error: str(error["path"])}
    assert sorted(in_pieces.get("errors", []), **by_path) == sorted(at_once.get("errors", []), **by_path)


async def test_keys_of_a_list_that_is_walked_in_pieces_are_loaded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_S", 0.0)  # so that each piece has a round of its own
    document = answer("{ list { other { other { name } } } a: list { other { name } } }", waits=False)
    LOADED.clear()
    await Engine(SCHEMA, compile_at=None).execute(document, document.definitions[0], {}, None, None)
    assert LOADED == [60, 48]


async def test_those_who_wait_for_a_batch_are_not_all_served_at_once() -> None:
    loader = BatchLoader(load)

    async def ask(key: int) -> None:
        with contextlib.suppress(ValueError):
            await loader.one(key)
        busy(0.001)

    async def everybody() -> None:
        await asyncio.gather(*(ask(key) for key in range(100)))

    longest = min([await longest_stretch(everybody()) for _ in range(TRIES)])
    assert longest < (2 * WOKEN + 10) / 1_000
