"""How long an answer takes must not tell what the answer does not say."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from domain.shared.refusals import Refusal, Unavailable

T = TypeVar("T")
Sleep = Callable[[float], Coroutine[Any, Any, None]]


class Pace:
    """Lets no answer go before `floor_s` seconds have passed, refusals included.

    What takes longer than that takes as long as it takes: set the floor above what the user pool needs. An outage is told at
    once, for it says nothing about anybody.
    """

    def __init__(self, floor_s: float, sleep: Sleep = asyncio.sleep) -> None:
        self._floor_s = floor_s
        self._sleep = sleep

    async def keep(self, work: Awaitable[T]) -> T:
        """What `work` gives or raises, no sooner than the floor."""
        floor = asyncio.create_task(self._sleep(self._floor_s))
        try:
            result = await work
            await floor
            return result
        except Unavailable:
            raise
        except Refusal:
            await floor
            raise
        finally:
            floor.cancel()
