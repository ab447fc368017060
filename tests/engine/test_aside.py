"""The thread beside the event loop: bounded, and no client's own."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from threading import Event
from typing import Any

import pytest

from engine.fairness.aside import MAX_OF_ONE, MAX_WAITING, Aside, Busy
from engine.fairness.shares import WHO


@pytest.fixture
def work() -> "Work":
    return Work()


class Work:
    """Pieces that end when they may, and who they were for, in the order in which they were done."""

    def __init__(self) -> None:
        self.aside = Aside()
        self.may_end = Event()
        self.done: list[object] = []

    def ask(self, who: str | None, key: object) -> asyncio.Task[Any]:
        context = copy_context()
        context.run(WHO.set, who)
        return asyncio.get_running_loop().create_task(self.aside.run(key, self._piece, who), context=context)

    def _piece(self, who: object) -> None:
        assert self.may_end.wait(10)
        self.done.append(who)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


async def test_one_client_does_not_fill_the_queue_and_others_are_served_in_turn(work: Work) -> None:
    greedy = [work.ask("greedy", ("greedy", number)) for number in range(MAX_OF_ONE + 3)]
    await until(lambda: sum(task.done() for task in greedy) == 3)
    polite = [work.ask("polite", ("polite", number)) for number in range(2)]
    await until(lambda: work.aside.waiting == MAX_OF_ONE + 2)
    work.may_end.set()
    await asyncio.gather(*polite)
    assert work.done.index("polite") <= 2, "what was under way, and one more"
    answers = await asyncio.gather(*greedy, return_exceptions=True)
    assert [type(answer) for answer in answers[-3:]] == [Busy] * 3
    assert work.aside.waiting == 0
    await work.ask("greedy", "again")


async def test_all_together_are_bounded_and_nobody_known_is_bounded_by_that_alone(work: Work) -> None:
    asked = [work.ask(None, number) for number in range(MAX_WAITING + 2)]
    await until(lambda: sum(task.done() for task in asked) == 2)
    work.may_end.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Busy) for answer in answers) == 2


async def test_who_asks_for_the_same_waits_for_the_same_and_takes_no_place(work: Work) -> None:
    asked = [work.ask("one", "same") for _ in range(MAX_OF_ONE * 2)]
    await until(lambda: work.aside.waiting == 1)
    asked[0].cancel()
    work.may_end.set()
    await asyncio.gather(*asked[1:])
    assert work.done == ["one"]


async def test_what_fails_fails_for_who_asked_and_for_nobody_else(work: Work) -> None:
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await work.aside.run("wrong", fails)
    work.may_end.set()
    await work.ask("one", "right")
