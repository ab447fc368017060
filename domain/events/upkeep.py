"""What goes wrong between the parts is put right: events that never came, dead letters that nobody is to blame for."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.events.ports import Deliveries, Failures, Message, Queue, Standing
from domain.shared.clock import Clock
from domain.shared.events import EventId

log = logging.getLogger("torii.events")

FORGOTTEN_AFTER = timedelta(minutes=2)
"""With nothing waiting in the queue, what was sent so long ago and did not come was forgotten by the bus."""
LATE_AFTER = timedelta(hours=1)
"""With something waiting, it may be among it: sent again early, a queue that is slow would only grow."""
BATCH = 100
MAX_RETURNS = 10
FIRST_DELAY_S = 10
LONGEST_DELAY_S = 900
"""The longest that SQS holds a message back."""
LEFT_FOR_S = 900
"""How long a dead letter rests that is left to people."""
LOOKED_AT = 500
"""Dead letters of one sweep."""
TOO_OFTEN = f"its worker was killed, or what it needs was away, {MAX_RETURNS} times"


@dataclass(frozen=True, slots=True)
class Places:
    """A consumer, what it wants, and its queues."""

    consumer: str
    types: frozenset[str]
    queue: Queue
    dead_letters: Queue
    undelivered: Queue


class EventUpkeep:
    """Safe to run at any time, also twice at once. Every method raises Unavailable, PlacesAreGone."""

    def __init__(self, places: Sequence[Places], deliveries: Deliveries, clock: Clock) -> None:
        self._places = places
        self._deliveries = deliveries
        self._clock = clock

    async def settle(self) -> AsyncGenerator[int, None]:
        """Mark events done that all who want them have; how many, a batch at a time."""
        wanted = {each.consumer: each.types for each in self._places}
        async for settled in self._deliveries.settle(wanted, self._clock.now()):
            yield settled

    async def send_forgotten(self) -> AsyncGenerator[int, None]:
        """Send to each consumer what should have come and did not; how many events, a batch at a time."""
        for each in self._places:
            is_waiting = await each.queue.waiting() + await each.undelivered.waiting() > 0
            after = LATE_AFTER if is_waiting else FORGOTTEN_AFTER
            while True:
                now = self._clock.now()
                events = await self._deliveries.forgotten(each.consumer, each.types, now, after, BATCH)
                if not events:
                    break
                fields = {"consumer": each.consumer, "events": len(events)}
                log.warning("events did not come, and are sent again", extra={"fields": fields})
                await each.queue.send(events)
                await self._deliveries.sent_again(each.consumer, [record.id for record in events], now)
                yield len(events)

    async def return_dead_letters(self) -> AsyncGenerator[int, None]:
        """Send dead letters back whose failure was not recorded; how many, a page at a time."""
        for each in self._places:
            for place in (each.undelivered, each.dead_letters):
                looked_at = 0
                while looked_at < LOOKED_AT and (messages := await place.receive(limit=10)):
                    looked_at += len(messages)
                    yield sum(await asyncio.gather(*(self._return(each, place, message) for message in messages)))

    async def _return(self, places: Places, place: Queue, message: Message) -> bool:
        """Whether it goes back. What is left where it is rests for a while, so that a sweep comes to an end."""
        record = message.record
        standing = Standing.FAILED
        if record is not None:
            standing, _ = await self._deliveries.standing(places.consumer, record.id)
        if record is None or standing is Standing.FAILED:
            await place.hide(message, LEFT_FOR_S)
            return False
        if standing is Standing.OPEN:
            times = await self._deliveries.returned(places.consumer, record.id)
            if times > MAX_RETURNS:
                await self._deliveries.failed(places.consumer, record.id, self._clock.now(), 0, TOO_OFTEN)
                await place.hide(message, LEFT_FOR_S)
                return False
            await places.queue.send([record], delay_s=delay_s(times))
        await place.delete([message])
        return standing is Standing.OPEN


def delay_s(times: int) -> int:
    """How long a message is held back that goes back for the so-many-th time: 10, 20, 40 s and so on, up to 15 minutes."""
    return int(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(times - 1, 10)))


async def redrive(
    places: Places, failures: Failures, clock: Clock, ids: Sequence[EventId] | None = None, limit: int = BATCH
) -> Sequence[EventId]:
    """Give a consumer failed events once more, as if they came for the first time: these, or the oldest ones.

    Killed in between, what was not sent counts as forgotten and is sent by itself. Raises Unavailable, PlacesAreGone.
    """
    events = await failures.reopen(places.consumer, ids, limit, clock.now())
    await places.queue.send(events)
    return [record.id for record in events]
