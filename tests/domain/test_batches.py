"""Streams in handfuls, some of them on their way at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.shared.batches import ahead, batches


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def test_batches_hold_each_once_and_in_order() -> None:
    assert [each async for each in batches(numbers(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [each async for each in batches(numbers(0), 3)] == []


async def test_no_more_jobs_are_under_way_than_may_be_and_all_are_done() -> None:
    under_way, most, done = 0, 0, []

    async def job(number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(number % 3):
            await asyncio.sleep(0)
        under_way -= 1
        done.append(number)

    await ahead(numbers(20), job, 2)

    assert (most, sorted(done)) == (2, list(range(20)))


async def test_what_fails_a_job_is_raised_as_it_is_and_the_others_are_given_up() -> None:
    begun: list[int] = []
    given_up: list[int] = []

    async def job(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise KeyError(number) from ValueError("why")
        if number == 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.append(number)
                raise

    with pytest.raises(KeyError) as failed:
        await ahead(numbers(100), job, 2)

    assert isinstance(failed.value.__cause__, ValueError)
    assert (begun, given_up) == ([0, 1, 2, 3], [2])


async def test_what_fails_the_stream_is_raised_as_it_is() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise LookupError

    async def job(number: int) -> None:
        await asyncio.sleep(0)

    with pytest.raises(LookupError):
        await ahead(broken(), job, 2)
