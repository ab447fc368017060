"""Long work on the event loop, cut into pieces between which everybody else is served.

Whoever has much to do without a break asks for a turn before each piece of a few milliseconds. All pieces of one round of the
event loop have SLICE_S together; who comes later waits, and of those who wait one goes on in each round, clients in turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from weakref import WeakKeyDictionary

from engine.fairness.shares import WHO, InTurn

T = TypeVar("T")

SLICE_S = 0.005
BEGINS = 4
"""Rounds until what was found last has asked for what it needs: a task in a task, each of which takes one to begin."""


class Turns:
    """The rounds of one event loop."""

    def __init__(self) -> None:
        self._until: float | None = None
        """When the time of this round is over; None before anybody asked in it."""
        self._waiting: InTurn[asyncio.Future[None]] = InTurn()
        self._is_going = False
        self._loop = asyncio.get_running_loop()

    async def turn(self) -> None:
        """Wait until there is time for a piece of work."""
        if self._waiting or not self._has_time():
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiting.add(WHO.get(), waiter)
            self._keep_going()
            await waiter

    def _has_time(self) -> bool:
        now = time.perf_counter()
        if self._until is None:
            self._until = now + SLICE_S
            self._keep_going()
        return now < self._until

    def _keep_going(self) -> None:
        if not self._is_going:
            self._is_going = True
            self._loop.call_soon(self._next_round)

    def _next_round(self) -> None:
        """One of those who wait goes on in each round, however little time it has: else nobody might."""
        self._is_going = False
        self._until = None
        while self._waiting:
            waiter = self._waiting.pop()
            if not waiter.done():
                waiter.set_result(None)
                self._until = time.perf_counter() + SLICE_S
                self._keep_going()
                return


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


async def turn() -> None:
    """Wait until the running event loop has time for a piece of work."""
    loop = asyncio.get_running_loop()
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = Turns()
    await turns.turn()


async def pieces(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """All items in their order, at most `size` at a time, each piece in its turn. Few are one piece, at once."""
    if len(items) <= size:
        yield items
        return
    for start in range(0, len(items), size):
        await turn()
        yield items[start : start + size]


class Walk:
    """What of one operation is still gone through piece by piece: until then it does not know all that it has to load."""

    def __init__(self) -> None:
        self._going = 0
        self._over: asyncio.Event = asyncio.Event()

    @contextmanager
    def going(self) -> Iterator[None]:
        """Around what may yet find more to load. It must wait for nothing that is loaded."""
        self._going += 1
        self._over.clear()
        try:
            yield
        finally:
            self._going -= 1
            if self._going == 0:
                self._over.set()

    async def over(self) -> None:
        """Wait until everything has been gone through, and what was found by it has begun."""
        while self._going:
            await self._over.wait()
            for _ in range(BEGINS):
                await asyncio.sleep(0)


WALK: ContextVar[Walk | None] = ContextVar("walk", default=None)
"""That of the operation which runs; None where nothing is gone through in pieces."""


@contextmanager
def walked() -> Iterator[None]:
    """Around the execution of one operation, whose lists are gone through together."""
    token = WALK.set(Walk())
    try:
        yield
    finally:
        WALK.reset(token)
