"""Work that is begun at once: no timer where it never waits, and no more time than it has where it does."""

import asyncio
from typing import Any

import pytest

from engine.fairness.resuming import in_time


def deadline(within_s: float) -> float:
    return asyncio.get_running_loop().time() + within_s


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    plain = asyncio.timeout_at
    monkeypatch.setattr(asyncio, "timeout_at", lambda when: (found.append(when), plain(when))[1])
    return found


@pytest.mark.parametrize("rounds", [0, 1, 3])
async def test_work_comes_to_what_it_would_have(rounds: int, timers: list[Any]) -> None:
    async def work(fails: bool) -> int:
        for _ in range(rounds):
            await asyncio.sleep(0)
        if fails:
            raise ValueError("no")
        return rounds

    assert await in_time(work(False), deadline(60)) == rounds
    with pytest.raises(ValueError, match="no"):
        await in_time(work(True), deadline(60))
    assert len(timers) == (2 if rounds else 0)


@pytest.mark.parametrize("within_s", [0.01, -1])
async def test_work_that_takes_longer_than_it_may_is_given_up(within_s: float) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("told")

    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            await in_time(work(), deadline(within_s))
    assert ended == ["told"]


async def test_work_may_still_end_well_after_it_was_told_to_end() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done"

    async with asyncio.timeout(60):
        assert await in_time(stubborn(), deadline(0.01)) == "done"


async def test_who_gives_up_ends_the_work() -> None:
    begun, ended = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("told")

    task = asyncio.create_task(in_time(work(), deadline(60)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["told"]
