"""What the provider told and nobody here heard: refunds that came back, disputes, refunds by hand."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.payments.model import ProviderEvent
from domain.payments.ports import EventInbox
from domain.shared.clock import Clock

LOOKED_BACK = timedelta(days=3)
"""For so long the provider tries to tell by itself; whoever was away for longer asks for all of that."""


class EventArchive(Protocol):
    def since(self, at: datetime) -> AsyncGenerator[Sequence[ProviderEvent], None]:
        """What happened to payments that are over, newest first, a page at a time. Raises Unavailable."""
        ...


class MissedEvents:
    """Puts it in where what is told is kept: each once, and acted on as if it had just come."""

    def __init__(self, archive: EventArchive, inbox: EventInbox, clock: Clock) -> None:
        self._archive = archive
        self._inbox = inbox
        self._clock = clock

    async def fetch(self, back: timedelta = LOOKED_BACK) -> AsyncGenerator[int, None]:
        """How many were new, a page at a time. Raises Unavailable."""
        async for page in self._archive.since(self._clock.now() - back):
            yield await self._inbox.keep_all(page)
