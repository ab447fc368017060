"""Work that is begun before it is known whether it has to wait: what never waits costs no task and no timer."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


@coroutine
def resumed(work: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """What work comes to that waits for something already."""
    while True:
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001  (who waits is given up: what is waited for has to hear of it)
            try:
                waits_for = work.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
        else:
            return (yield from work.__await__())


async def in_time(work: Coroutine[Any, Any, T], deadline: float) -> T:
    """What work comes to, which has to be there by the deadline, by the loop's clock, if it waits. Raises TimeoutError."""
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    async with asyncio.timeout_at(deadline):
        return await resumed(work, waits_for)
