"""Answers that are found where they were the last time: nothing of the request is read again, and nothing is older for it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.compiled.shadow import Shadow
from engine.compiled.variables import Variables
from engine.fragments.places import LARGEST_BYTES, Places
from tests.engine.test_fragment_lists import NODES, Maker, Runner, Thing

FIRST = f"query ($first: Int!, $order: Order = UP) {{ __typename things(first: $first, order: $order) {{ {NODES} }} }}"


class Read(Exception):
    """The variables were read."""


def unread(*_: Any) -> Any:
    raise Read


@pytest.fixture
def reads_nothing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From here on nobody may read variables."""
    return lambda: monkeypatch.setattr(Variables, "of", unread)


async def test_who_asks_the_same_again_is_answered_without_reading_the_request(reads_nothing: Any) -> None:
    runner = Runner(FIRST)
    first = await runner.run(first=2)
    data = await runner.data(first=2)
    reads_nothing()
    assert await runner.data(first=2) == data
    assert list(data) == ["__typename", "things"]
    assert (await runner.run(first=2)).extensions == first.extensions
    for others in ({"first": 3}, {"first": 2, "order": "DOWN"}, {"first": 2.0}):
        with pytest.raises(Read):
            await runner.run(**others)
    for viewer in ("en", None):
        with pytest.raises(Read):
            await runner.run(viewer, first=2)


async def test_whatever_changes_is_shown() -> None:
    runner = Runner(FIRST)
    for _ in range(2):
        await runner.data(first=2)
    runner.shop.things[2] = Thing(2, "new", version=2)
    runner.store.forget(["thing:2"])
    assert await runner.names(first=2) == ["t1", "new"]
    runner.shop.makers[1] = Maker(1, "second")
    runner.store.forget(["maker:1"])
    assert (await runner.data(first=2))["things"]["nodes"][0]["maker"] == {"name": "second"}
    runner.s = 2.0
    runner.store.confirmed(runner.s)
    assert await runner.loads(first=2) == ["list"]
    runner.s = 10.0  # nothing is heard of changes any more
    assert await runner.loads(first=2) == ["list", ("makers", [1])]


async def test_what_a_name_finds_is_looked_for_each_time() -> None:
    runner = Runner('{ thing(name: "t2") { id } }')
    for _ in range(3):
        assert await runner.data() == {"thing": {"id": 2}}
    runner.shop.things[2] = replace(runner.shop.things[2], name="t5", version=2)
    runner.shop.things[3] = replace(runner.shop.things[3], name="t2", version=2)
    assert await runner.data() == {"thing": {"id": 3}}  # before any notice


async def test_an_answer_with_something_private_in_it_is_read_each_time(reads_nothing: Any) -> None:
    runner = Runner("{ things { nodes { id } } mine { nodes { id } } }")
    for _ in range(3):
        await runner.data()
    reads_nothing()
    with pytest.raises(Read):
        await runner.data()


async def test_what_is_compared_with_graphql_core_runs() -> None:
    runner = Runner(FIRST)
    for _ in range(2):
        await runner.data(first=2)
    runner.engine.shadow = Shadow(1.0)
    assert await runner.loads(first=2) == ["list", ("makers", [1])]
    await runner.engine.shadow.settled()
    assert runner.engine.shadow.compared.same == 1


async def test_failures_leave_nothing_to_find(reads_nothing: Any) -> None:
    runner = Runner(FIRST)
    runner.shop.fails = True
    for _ in range(2):
        assert (await runner.run(first=2)).errors
    reads_nothing()
    with pytest.raises(Read):
        await runner.run(first=2)


async def test_places_are_bounded() -> None:
    runner = Runner("query ($names: [String!]) { things(narrow: {names: $names}) { nodes { id } } }")
    places = runner.engine._places = Places(most=3)
    for number in range(10):
        await runner.data(names=[str(number)])
    assert len(places._known) == 3
    for _ in range(2):
        await runner.data(names=["x" * LARGEST_BYTES])
    assert all(len(given) <= LARGEST_BYTES for _, _, given in places._known)


async def test_many_at_once_are_answered_alike() -> None:
    runner = Runner(FIRST)
    await runner.data(first=3)
    answers = await asyncio.gather(*(runner.data(first=3) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
