"""What steps of a level do side by side."""

import asyncio

import pytest

from engine.compiled.steps import together


async def test_all_are_under_way_at_once_and_their_results_are_in_order() -> None:
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def one(number: int) -> int:
        begun.append(number)
        if len(begun) == 3:
            all_begun.set()
        await all_begun.wait()
        return number

    async with asyncio.timeout(60):
        assert await together([one(1), one(2), one(3)]) == [1, 2, 3]
    assert await together([]) == []


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_an_exception_waits_for_the_others_to_end(failing: int) -> None:
    ended: list[int] = []

    async def one(number: int) -> None:
        if number == failing:
            raise ValueError(number)
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append(number)

    with pytest.raises(ValueError, match=str(failing)):
        await together([one(0), one(1), one(2)])
    assert sorted(ended) == [number for number in range(3) if number != failing]


@pytest.mark.parametrize("last_ends", [True, False])
async def test_who_gives_up_ends_all_of_them(last_ends: bool) -> None:
    running: set[int] = set()

    async def one(number: int) -> None:
        running.add(number)
        try:
            if not (last_ends and number == 2):
                await asyncio.Event().wait()
        finally:
            running.remove(number)

    task = asyncio.create_task(together([one(0), one(1), one(2)]))  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        while not {0, 1} <= running:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while running:
            await asyncio.sleep(0)
