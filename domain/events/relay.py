"""Sends what the outbox has to the bus. Any number of relays work side by side, each on rows that the others leave out."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from domain.events.ports import EventBus, Outbox
from domain.shared.clock import Clock
from domain.shared.events import EventRecord

log = logging.getLogger("torii.events")

BATCH = 100
PAUSES_S = (1, 2, 4)
LONGEST_PAUSE_S = 30


def pause_s(failures: int) -> int:
    """How long to wait after so many failures in a row: 1, 2, 4 s, and then twice as long each time, up to 30 s."""
    return int(min(LONGEST_PAUSE_S, PAUSES_S[0] * 2 ** min(max(failures, 1) - 1, 10)))


class Relay:
    """Marks a row only after the bus took its event: what is killed in between is sent twice, and never lost."""

    def __init__(self, outbox: Outbox, bus: EventBus, clock: Clock) -> None:
        self._outbox = outbox
        self._bus = bus
        self._clock = clock

    async def send_batch(self) -> int:
        """Send what is due, up to a batch; how many events were due. Raises Unavailable, PlacesAreGone."""
        async with self._outbox.batch(BATCH, self._clock.now()) as batch:
            if not batch.events:
                return 0
            refused = await self._bus.publish([record for record, _ in batch.events])
            now = self._clock.now()
            await batch.sent([record.id for record, _ in batch.events if record.id not in refused], now)
            if refused:
                _tell([record for record, _ in batch.events if record.id in refused], set(refused.values()))
                await batch.put_off(
                    {
                        record.id: now + timedelta(seconds=pause_s(attempts + 1))
                        for record, attempts in batch.events
                        if record.id in refused
                    }
                )
            return len(batch.events)


def _tell(refused: Sequence[EventRecord], reasons: set[str]) -> None:
    fields = {
        "events": len(refused),
        "types": sorted({each.event.type for each in refused}),
        "reasons": sorted(reasons),
    }
    log.warning("the bus refused events, which are tried again", extra={"fields": fields})
