"""What is done with many messages of one consumer at once; one by one, as any other's, where that fails."""

import logging
from collections.abc import Sequence

from domain.events.handling import DONE, Handling, Verdict
from domain.events.ports import BatchConsumer, Deliveries, Delivery, Message, Standing
from domain.shared.clock import Clock

log = logging.getLogger("torii.events")


class BatchHandling:
    """One consumer's messages, a handful at a time."""

    def __init__(self, consumer: BatchConsumer, deliveries: Deliveries, clock: Clock, single: Handling) -> None:
        """`single` handles messages one by one, for the same consumer."""
        self._consumer = consumer
        self._deliveries = deliveries
        self._clock = clock
        self._single = single

    async def handle(self, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Act on messages; a verdict for each, in their order. Raises Unavailable where what came of it cannot be kept."""
        if await self._together([message for message in messages if message.record is not None]):
            return [DONE if message.record is not None else await self._single.handle(message) for message in messages]
        verdicts: list[Verdict] = []
        for message in messages:
            # in an outage the others fare no better
            verdicts.append(verdicts[-1] if verdicts and verdicts[-1].is_outage else await self._single.handle(message))
        return verdicts

    async def _together(self, messages: Sequence[Message]) -> bool:
        """Whether all of them are done with."""
        records = {message.record.id: message.record for message in messages if message.record is not None}
        standings = await self._deliveries.standings(self._consumer.name, list(records))
        if Standing.FAILED in standings.values():
            return False
        todo = [records[each] for each, standing in standings.items() if standing is Standing.OPEN]
        if todo:
            try:
                await self._consumer.consume_all([Delivery(each) for each in todo])
            except Exception as problem:
                told = {"consumer": self._consumer.name, "events": len(todo)}
                log.warning("a batch failed, and is done one by one", exc_info=problem, extra={"fields": told})
                return False
            await self._deliveries.all_processed(self._consumer.name, [each.id for each in todo], self._clock.now())
        return True
