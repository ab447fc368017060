"""What is done with a message: a few attempts, and then it is either done with, or comes again, or is left to people."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.events.ports import Consumer, Deliveries, Delivery, GivenUp, Message, PagedConsumer, Standing
from domain.events.relay import PAUSES_S
from domain.shared.clock import Clock
from domain.shared.faults import named
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.events")

COMES_AGAIN_S = 30
"""How long a message rests that failed."""
MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message: it is deleted, or comes again after `rest_s`, or goes to the dead letters.

    `is_outage`: not the message is to blame, and the next one would fare no better.
    """

    is_done: bool
    rest_s: int = 0
    is_outage: bool = False


DONE = Verdict(is_done=True)


def _unheard() -> None:
    """Nobody waits for a step."""


class Handling:
    """One consumer's messages, one after another."""

    def __init__(
        self,
        consumer: Consumer,
        deliveries: Deliveries,
        clock: Clock,
        pause: Callable[[float], Awaitable[bool]],
        max_receives: int = 2,
    ) -> None:
        """`pause` waits so many seconds, and tells whether the waiting was ended. `max_receives`: the queue's."""
        self._consumer = consumer
        self._deliveries = deliveries
        self._clock = clock
        self._pause = pause
        self._max_receives = max_receives

    async def handle(self, message: Message, step: Callable[[], None] = _unheard) -> Verdict:
        """Act on a message, and keep what came of it. Raises Unavailable where that cannot be kept.

        `step` is called whenever a consumer that goes step by step has come so far.
        """
        record, name = message.record, self._consumer.name
        later = COMES_AGAIN_S if message.receives < self._max_receives else 0
        if record is None:
            log.error("a message is no event", extra={"fields": {"consumer": name}})
            return Verdict(is_done=False, rest_s=later)
        standing, reopened_at = await self._deliveries.standing(name, record.id)
        if standing in (Standing.PROCESSED, Standing.GONE):
            return DONE
        if standing is Standing.FAILED:  # people have it: it goes to the dead letters
            return Verdict(is_done=False)
        problem, attempts = await self._attempted(Delivery(record, reopened_at), step)
        if problem is None:
            await self._deliveries.processed(name, record.id, self._clock.now())
            return DONE
        told = {"consumer": name, "eventId": str(record.id), "type": record.event.type, "attempts": attempts}
        log.error("a consumer failed", exc_info=problem, extra={"fields": told})
        if isinstance(problem, Unavailable):  # not recorded: nobody has to look at it, it goes back by itself
            return Verdict(is_done=False, rest_s=later, is_outage=True)
        await self._deliveries.failed(name, record.id, self._clock.now(), attempts, reason_of(problem))
        return Verdict(is_done=False)

    async def _attempted(self, delivery: Delivery, step: Callable[[], None]) -> tuple[Exception | None, int]:
        """What the last attempt failed with, and how many there were."""
        for attempt, pause in enumerate((*PAUSES_S, None), start=1):
            try:
                await self._consume(delivery, step)
                return None, attempt
            except GivenUp as hopeless:
                return hopeless, attempt
            except Exception as error:  # noqa: BLE001  (a fault ends here, recorded: the other messages go on)
                if pause is None or await self._pause(pause):
                    return error, attempt
        raise AssertionError("the last attempt returns")

    async def _consume(self, delivery: Delivery, step: Callable[[], None]) -> None:
        if isinstance(self._consumer, PagedConsumer):
            await self._consumer.consume_stepwise(delivery, step)
        else:
            await self._consumer.consume(delivery)


def reason_of(problem: BaseException) -> str:
    """What is kept of a failure: our own words, or the type of the exception and where it came from."""
    if isinstance(problem, GivenUp):
        return str(problem)[:MAX_REASON]
    return named(problem)
