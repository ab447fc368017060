"""Tells those who watch what happened in streams, apart from the bus: whoever watches waits for no queue."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.events.streams import Announcer
from domain.shared.events import EventRecord

BATCH = 100


class Untold(Protocol):
    def batch(self, limit: int) -> AbstractAsyncContextManager[Sequence[EventRecord]]:
        """Up to so many events of streams that nobody was told of, each stream's in its order, and that nobody else tells meanwhile.

        They are told once the block ends without an exception. Raises Unavailable.
        """
        ...


class Teller:
    """Keeps what it told only afterwards: killed in between, it tells it twice, and never not at all."""

    def __init__(self, untold: Untold, announcer: Announcer) -> None:
        self._untold = untold
        self._announcer = announcer

    async def tell_batch(self) -> int:
        """How many events there were. Raises Unavailable."""
        async with self._untold.batch(BATCH) as events:
            if events:
                await self._announcer.announce(events)
            return len(events)
