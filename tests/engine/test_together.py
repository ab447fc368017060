"""What steps of a level do side by side."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from engine.compiled.together import AGAIN, Together, together

SideBySide = Callable[[Sequence[Coroutine[Any, Any, Any]]], Coroutine[Any, Any, list[Any]]]
either = pytest.mark.parametrize("side_by_side", [together, Together().all], ids=["in tasks", "in turn"])
NAME = ContextVar("name", default="nobody")


@either
async def test_all_are_under_way_at_once_and_their_results_are_in_order(side_by_side: SideBySide) -> None:
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def one(number: int) -> int:
        begun.append(number)
        if len(begun) == 3:
            all_begun.set()
        await all_begun.wait()
        return number

    async with asyncio.timeout(60):
        assert await side_by_side([one(1), one(2), one(3)]) == [1, 2, 3]
    assert await side_by_side([]) == []


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("in_turn", [True, False])
async def test_an_exception_waits_for_the_others_to_end(failing: int, waits: bool, in_turn: bool) -> None:
    ended: list[int] = []

    async def one(number: int) -> None:
        if number == failing:
            raise ValueError(number)
        for _ in range(3 if waits else 0):
            await asyncio.sleep(0)
        ended.append(number)

    with pytest.raises(ValueError, match=str(failing)):
        await (Together().all if in_turn else together)([one(0), one(1), one(2)])
    assert sorted(ended) == [number for number in range(3) if number != failing]


@pytest.mark.parametrize("ends", [0, 2, None])
@pytest.mark.parametrize("in_turn", [True, False])
async def test_who_gives_up_ends_all_of_them(ends: int | None, in_turn: bool) -> None:
    running: set[int] = set()

    async def one(number: int) -> None:
        running.add(number)
        try:
            if number != ends:
                await asyncio.Event().wait()
        finally:
            running.remove(number)

    side_by_side = Together().all if in_turn else together
    task = asyncio.create_task(side_by_side([one(0), one(1), one(2)]))
    async with asyncio.timeout(60):
        while running != {0, 1, 2} - {ends}:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while running:
            await asyncio.sleep(0)


async def test_what_never_waits_takes_no_task_and_no_round_of_the_event_loop() -> None:
    rounds: list[int] = []
    asyncio.get_running_loop().call_soon(rounds.append, 1)

    async def one() -> object:
        return asyncio.current_task()

    assert await Together().all([one(), one(), one()]) == [asyncio.current_task()] * 3
    assert not rounds


async def test_after_one_had_to_wait_all_begin_in_one_round() -> None:
    side_by_side = Together()
    begun: list[int] = []
    seen: list[int] = []

    async def one(number: int) -> None:
        begun.append(number)
        if len(begun) == 1:  # what is asked for in this round
            asyncio.get_running_loop().call_soon(lambda: seen.append(len(begun)))
        await asyncio.sleep(0)

    for _ in range(AGAIN + 2):
        begun.clear()
        await side_by_side.all([one(0), one(1), one(2)])
    assert seen[0] < 3
    assert seen[1 : AGAIN + 1] == [3] * AGAIN
    assert seen[AGAIN + 1] < 3


async def test_a_time_limit_in_one_is_not_felt_by_the_others() -> None:
    async def limited() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"
        return "in time"

    async def other() -> str:
        for _ in range(10):
            await asyncio.sleep(0)
        return "done"

    for order in ([limited, other, limited], [other, limited, other]):
        expected = ["late" if each is limited else "done" for each in order]
        async with asyncio.timeout(60):
            assert await Together().all([each() for each in order]) == expected


async def test_none_sees_what_another_sets_for_itself() -> None:
    async def one(name: str) -> list[str]:
        found = [NAME.get()]
        token = NAME.set(name)
        await asyncio.sleep(0)
        found.append(NAME.get())
        NAME.reset(token)
        return found

    assert await Together().all([one("a"), one("b"), one("c")]) == [["nobody", each] for each in "abc"]
    assert NAME.get() == "nobody"


async def test_what_is_given_up_may_take_leave() -> None:
    left: list[str] = []

    async def one() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            left.append("first")
            raise

    async def other() -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(Together().all([one(), other()]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == ["first"]
