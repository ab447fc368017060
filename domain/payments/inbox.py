"""Acting on what the provider told: each message once, in whatever order they come, and however often.

A message says no more than that something happened to a payment or a refund. What it is now the provider is asked.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.payments.model import IntentId
from domain.shared.clock import Clock
from domain.shared.faults import named
from domain.shared.ids import OrderId
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.payments")

BATCH = 50
AT_ONCE = 8
LEASE = timedelta(seconds=60)
"""For so long nobody else takes a message that somebody is at. Who is killed at it leaves it to others then."""
LONGEST_S = 45.0
LONGEST_REST = timedelta(minutes=15)
OUTAGE_REST = timedelta(seconds=15)
"""The longest that a message rests for an outage: what comes back is found within a minute."""
IGNORED = "ignored"
"""Of a type that nobody acts on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about: an intent, what goes back of it, or what the bank takes back. `order_id`: as the message has it."""

    intent_id: IntentId
    order_id: OrderId | None = None
    is_refund: bool = False
    is_dispute: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it is kept. `attempts` counts this one."""

    id: UUID
    type: str
    payload: str
    attempts: int


class Subjects(Protocol):
    def of(self, told: Told) -> Subject | None:
        """What it is about; None where it is of no type that is acted on."""
        ...


class ToldEvents(Protocol):
    """Messages that wait. Every method raises Unavailable."""

    async def take(self, limit: int, now: datetime, until: datetime) -> Sequence[Told]:
        """Those whose turn it is, the oldest first; nobody else takes them until then."""
        ...

    async def handled(self, outcomes: Mapping[UUID, str], at: datetime) -> None:
        """They were acted on, with this outcome, and never are again."""
        ...

    async def put_off(self, ids: Sequence[UUID], until: datetime, problem: str) -> None: ...


class Acting(Protocol):
    """Whoever brings things to what they are at the provider."""

    async def on(self, subject: Subject) -> str:
        """What came of it, in a word. Raises Unavailable."""
        ...


class PaymentInbox:
    """Any number of them work side by side. Messages about one thing that came together are acted on together."""

    def __init__(self, events: ToldEvents, subjects: Subjects, acting: Acting, clock: Clock) -> None:
        self._events = events
        self._subjects = subjects
        self._acting = acting
        self._clock = clock

    async def work(self) -> int:
        """Act on what waits, up to a batch; how many messages that were. Raises Unavailable (the database)."""
        now = self._clock.now()
        told = await self._events.take(BATCH, now, now + LEASE)
        about: dict[Subject | None, list[Told]] = {}
        for each in told:
            about.setdefault(self._subjects.of(each), []).append(each)
        ignored = about.pop(None, [])
        if ignored:
            await self._events.handled({each.id: IGNORED for each in ignored}, now)
        limit = asyncio.Semaphore(AT_ONCE)

        async def act(subject: Subject, some: Sequence[Told]) -> None:
            async with limit:
                await self._act(subject, some)

        await asyncio.gather(*(act(subject, some) for subject, some in about.items() if subject is not None))
        return len(told)

    async def _act(self, subject: Subject, told: Sequence[Told]) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                outcome = await self._acting.on(subject)
        except Exception as problem:  # noqa: BLE001  (a fault ends here, recorded: the other messages go on)
            await self._rest(told, problem)
            return
        await self._events.handled({each.id: outcome for each in told}, self._clock.now())

    async def _rest(self, told: Sequence[Told], problem: Exception) -> None:
        attempts = max(each.attempts for each in told)
        is_outage = isinstance(problem, Unavailable)
        fields = {"types": sorted({each.type for each in told}), "attempts": attempts}
        level = logging.WARNING if is_outage else logging.ERROR
        log.log(level, "a message of the payment provider has to wait", exc_info=problem, extra={"fields": fields})
        rest = min(timedelta(seconds=2 ** min(attempts, 20)), OUTAGE_REST if is_outage else LONGEST_REST)
        await self._events.put_off([each.id for each in told], self._clock.now() + rest, named(problem))
