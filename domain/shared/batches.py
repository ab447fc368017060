"""A stream in handfuls."""

from collections.abc import AsyncIterable, Sequence
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
