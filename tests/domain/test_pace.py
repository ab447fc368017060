"""Answers that take as long whatever they say."""

import asyncio

import pytest

from domain.accounts.pace import Pace
from domain.accounts.refusals import InvalidCredentials
from domain.shared.refusals import Unavailable


class Clock:
    """Sleeps that end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.passed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.passed.wait()


async def done() -> str:
    return "done"


async def refused() -> str:
    raise InvalidCredentials


async def out() -> str:
    raise Unavailable("Cognito")


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("work", [done, refused])
async def test_neither_an_answer_nor_a_refusal_goes_before_the_floor(work: object) -> None:
    clock = Clock()
    kept = asyncio.create_task(Pace(0.5, clock.sleep).keep({done: done, refused: refused}[work]()))  # type: ignore[index]
    await settle()
    assert (kept.done(), clock.asked) == (False, [0.5])
    clock.passed.set()
    await asyncio.wait([kept])
    assert isinstance(kept.exception(), InvalidCredentials) if work is refused else kept.result() == "done"


async def test_an_outage_is_told_at_once() -> None:
    with pytest.raises(Unavailable):
        await Pace(3600, Clock().sleep).keep(out())


async def test_what_takes_longer_than_the_floor_is_not_made_longer() -> None:
    clock, finish = Clock(), asyncio.Event()
    clock.passed.set()

    async def slow() -> str:
        await finish.wait()
        return "done"

    kept = asyncio.create_task(Pace(0.5, clock.sleep).keep(slow()))
    await settle()
    assert not kept.done()
    finish.set()
    assert await kept == "done"


async def test_who_goes_away_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    kept = asyncio.create_task(Pace(3600, Clock().sleep).keep(done()))
    await settle()
    kept.cancel()
    await asyncio.wait([kept])
    await settle()
    assert asyncio.all_tasks() == before
