"""Who waits for what there is not enough of: those who pay take turns, however much each of them asks for."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")

WHO: ContextVar[Hashable] = ContextVar("who", default=None)
"""The client that pays for what runs; None where nobody does, and where there are no rate limits."""


class InTurn(Generic[T]):
    """A queue for each client, of which one after the other is served."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, who: Hashable) -> int:
        """How many of a client's wait."""
        return len(self._queues.get(who, ()))

    def add(self, who: Hashable, item: T) -> None:
        self._queues.setdefault(who, deque()).append(item)
        self._count += 1

    def pop(self) -> T:
        """The next one. There has to be one."""
        who, queue = self._queues.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._queues[who] = queue
        self._count -= 1
        return item


class Gate:
    """Lets so many in at a time. Where more want to, a place that gets free goes to the client whose turn it is."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: InTurn[asyncio.Future[None]] = InTurn()

    def place(self, within_s: float | None = None) -> "_Place":
        """A place for as long as the block takes, for the client in WHO. Raises TimeoutError when none gets free in time."""
        return _Place(self, within_s)

    async def enter(self, within_s: float | None) -> None:
        if self._free > 0:
            self._free -= 1
            return
        async with asyncio.timeout(within_s):
            await self._turn()

    async def _turn(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(WHO.get(), place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it came in the moment in which nobody wanted it any more
                self.leave()
            raise

    def leave(self) -> None:
        while self._waiting:
            place = self._waiting.pop()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


class _Place:
    """What `Gate.place` gives: a generator would take as long as a good part of what is done inside."""

    __slots__ = ("_gate", "_within_s")

    def __init__(self, gate: Gate, within_s: float | None) -> None:
        self._gate = gate
        self._within_s = within_s

    async def __aenter__(self) -> None:
        await self._gate.enter(self._within_s)

    async def __aexit__(self, *_: object) -> None:
        self._gate.leave()
