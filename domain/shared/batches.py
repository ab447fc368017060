"""A stream in handfuls."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def batches(items: AsyncIterable[T], size: int) -> AsyncIterable[Sequence[T]]:
    """All items in their order, `size` at a time; the last may be fewer."""
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def ahead(items: AsyncIterable[T], job: Callable[[T], Awaitable[object]], most: int) -> None:
    """Do the job of each item, in the order in which they come, up to `most` at a time. Where one fails, the others are given
    up and what it raised is raised."""
    room = asyncio.Semaphore(most)

    async def one(item: T) -> None:
        try:
            await job(item)
        finally:
            room.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            async for item in items:
                await room.acquire()
                tasks.create_task(one(item))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0]  # noqa: B904  (its own cause says more)
