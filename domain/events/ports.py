"""What the way of an event needs from the outside: the outbox, the bus, queues, and what is kept of each delivery."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from domain.shared.events import EventId, EventRecord
from domain.shared.refusals import Refusal

Unsent = tuple[EventRecord, int]
"""An event, and how often sending it failed before."""


class OutboxBatch(Protocol):
    """Events that nobody else sends meanwhile. What is said of them counts once the block ends without an exception."""

    @property
    def events(self) -> Sequence[Unsent]: ...

    async def sent(self, ids: Sequence[EventId], at: datetime) -> None:
        """The bus has them. Raises Unavailable."""
        ...

    async def put_off(self, until: Mapping[EventId, datetime]) -> None:
        """The bus refused them: they are to be tried again then. Raises Unavailable."""
        ...


class Outbox(Protocol):
    def batch(self, limit: int, now: datetime) -> AbstractAsyncContextManager[OutboxBatch]:
        """Up to so many events that are to be sent by now, older ones first. Raises Unavailable."""
        ...


class EventBus(Protocol):
    async def publish(self, events: Sequence[EventRecord]) -> Mapping[EventId, str]:
        """Send them, any number. Gives those that the bus refused, with its reason in a word. Raises Unavailable, PlacesAreGone.

        When it raises, some may have been sent.
        """
        ...


class PlacesAreGone(Refusal):
    """A bus or queue is not there: nobody made it yet, an emulator was started anew, or somebody removed it."""

    code = "EVENT_PLACES_GONE"

    def __init__(self, service: str) -> None:
        super().__init__(service=service)


@dataclass(frozen=True, slots=True)
class Message:
    """What a queue handed out, for as long as its visibility lasts.

    `record` is None where the body is no event of ours. `receives` counts this time.
    """

    handle: str
    record: EventRecord | None
    receives: int = 1
    body: str = ""


class Queue(Protocol):
    """One queue. Every method raises Unavailable, and PlacesAreGone where the queue is not there."""

    async def receive(self, limit: int = 1, wait_s: int = 0) -> Sequence[Message]:
        """Messages, up to ten, that nobody else sees for 30 s; none when none came within `wait_s`."""
        ...

    async def hide(self, message: Message, seconds: int) -> None:
        """Let nobody else see it for so long from now. A handle that is no longer good is let be."""
        ...

    async def delete(self, messages: Sequence[Message]) -> None: ...

    async def send(self, records: Sequence[EventRecord], delay_s: int = 0) -> None:
        """Put these in, any number. They are seen after the delay, of 900 s at most. When it raises, some may be in."""
        ...

    async def waiting(self) -> int:
        """About how many messages are in there, seen, hidden or delayed."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as a consumer gets it. `reopened_at`: when people last asked for it to be acted on in spite of a failure."""

    record: EventRecord
    reopened_at: datetime | None = None


Wanted = Mapping[str, frozenset[str]]
"""The types of event that each consumer is to have."""


class Consumer(Protocol):
    """Somebody who acts on events of some types."""

    @property
    def name(self) -> str:
        """Its queues are called after it: it stays as it is."""
        ...

    async def consume(self, delivery: Delivery) -> None:
        """Act on the event, which may come several times, and at once, and after others that happened later.

        The effect either does no harm when it happens again, or is in the transaction that keeps that the event was
        processed (`first_time` in adapters.postgres.events_deliveries.py). Raises GivenUp, Unavailable.
        """
        ...


@runtime_checkable
class BatchConsumer(Consumer, Protocol):
    """A consumer for whom many events at once are hardly more work than one."""

    async def leads(self) -> bool:
        """Whether this process is to take messages, of all that could. Asked often."""
        ...

    async def consume_all(self, deliveries: Sequence[Delivery]) -> None:
        """Act on all of these, as `consume` does on one; when it raises, on none or some. Raises Unavailable."""
        ...


@runtime_checkable
class PagedConsumer(Consumer, Protocol):
    """A consumer that may be at one event for any time: each step of the way has a limit of its own, and not the whole."""

    async def consume_stepwise(self, delivery: Delivery, step: Callable[[], None]) -> None:
        """Act on the event as `consume` does, and call `step` after each step."""
        ...


class GivenUp(Exception):
    """Trying again is of no use. The text is ours, is kept, and holds nothing of the event or its person."""


class Standing(StrEnum):
    """How it stands between a consumer and an event."""

    OPEN = "OPEN"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    """A failure is recorded: people have to look at it."""
    GONE = "GONE"
    """There is no such event, or it had its time: nothing may be done for it any more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A recorded failure. `reason`: the type of an exception and where, or a text of ours; never what an event holds."""

    consumer: str
    record: EventRecord
    failed_at: datetime
    attempts: int
    reason: str


class Deliveries(Protocol):
    """What is kept of each event and consumer. Every method raises Unavailable."""

    async def standing(self, consumer: str, event_id: EventId) -> tuple[Standing, datetime | None]:
        """How it stands, and when people last reopened it."""
        ...

    async def standings(self, consumer: str, ids: Sequence[EventId]) -> Mapping[EventId, Standing]:
        """How it stands with each of several."""
        ...

    async def all_processed(self, consumer: str, ids: Sequence[EventId], at: datetime) -> None:
        """`processed` of several, some of which may be gone."""
        ...

    async def processed(self, consumer: str, event_id: EventId, at: datetime) -> bool:
        """Keep that the consumer acted on the event, and forget its failure; False where it had, or the event is gone."""
        ...

    async def failed(self, consumer: str, event_id: EventId, at: datetime, attempts: int, reason: str) -> None:
        """Keep that it failed for good, unless it was processed."""
        ...

    async def returned(self, consumer: str, event_id: EventId) -> int:
        """Count that its message goes from a dead-letter queue back to the queue; how often that was now."""
        ...

    def settle(self, wanted: Wanted, at: datetime) -> AsyncGenerator[int, None]:
        """Keep of sent events that all who want them have them, or failed; how many, a batch at a time."""
        ...

    async def forgotten(
        self, consumer: str, types: frozenset[str], at: datetime, after: timedelta, limit: int
    ) -> Sequence[EventRecord]:
        """Events that were sent that long ago and never came, the oldest first.

        What was sent again for it is left alone for as long, then twice as long, and so on.
        """
        ...

    async def sent_again(self, consumer: str, ids: Sequence[EventId], at: datetime) -> None: ...


class Failures(Protocol):
    """What people look at. Every method raises Unavailable."""

    async def counts(self) -> Mapping[str, tuple[int, datetime]]:
        """How many failures each consumer has that has any, and when the oldest was."""
        ...

    async def newest(self, consumer: str, limit: int) -> Sequence[Failure]: ...

    async def find(self, consumer: str, event_id: EventId) -> Failure | None: ...

    async def reopen(
        self, consumer: str, ids: Sequence[EventId] | None, limit: int, at: datetime
    ) -> Sequence[EventRecord]:
        """Forget failures, the oldest first: these, or any. Gives the events, which are then as those that never came."""
        ...
