"""The loops of a worker that events run through: relaying what is in the outbox, and working messages off."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from adapters.aws import queues
from adapters.postgres.events import CHANNEL
from adapters.postgres.events_streams import LIVE_CHANNEL
from domain.events.handling import Handling
from domain.events.ports import Message, PlacesAreGone, Queue
from domain.events.relay import Relay
from domain.events.telling import Teller
from domain.shared.refusals import Unavailable
from infra.woken import POLL_S, Bell, Ensure, Trouble, WokenLoop
from infra.worker import Stop

log = logging.getLogger("torii.events")

POLL_QUEUE_S = 2
"""The longest that a receive waits, and so the longest that a stop waits for it."""
HEARTBEAT_S = 10.0
LONGEST_S = 600.0
"""The longest that a consumer may be at one message, or at one step of it where it goes step by step."""


class RelayLoop(WokenLoop):
    """Sends what is in the outbox when PostgreSQL says that there is something, and looks every second besides."""

    def __init__(self, relay: Relay, url: str, stop: Stop, ensure: Ensure) -> None:
        trouble = Trouble("the relay of the outbox", stop, ensure)
        super().__init__(relay.send_batch, Bell(url, CHANNEL, "torii relay"), stop, trouble)


class TellingLoop(WokenLoop):
    """Tells those who watch what happened when PostgreSQL says that there is something. While it cannot it tries every second."""

    def __init__(self, teller: Teller, url: str, stop: Stop) -> None:
        trouble = Trouble("the telling of those who watch", stop, _nothing_to_make, longest_pause_s=POLL_S)
        super().__init__(teller.tell_batch, Bell(url, LIVE_CHANNEL, "torii live"), stop, trouble)


async def _nothing_to_make() -> None:
    """Redis has channels for whoever asks."""


class QueueLoop:
    """Works one queue off, one message at a time, so that a worker that is killed spends one message's receive."""

    def __init__(self, name: str, queue: Queue, handling: Handling, stop: Stop, ensure: Ensure) -> None:
        self._name = name
        self._queue = queue
        self._handling = handling
        self._stop = stop
        self._trouble = Trouble(f"the consumer {name}", stop, ensure)

    async def run(self) -> None:
        """Until it is asked to stop: the message at work is finished."""
        while not self._stop.is_asked:
            if self._trouble.breaker.is_open:
                await self._stop.within(POLL_S)
                continue
            try:
                messages = await self._queue.receive(wait_s=POLL_QUEUE_S)
                for message in messages:
                    await self.work(message)
                if not messages:
                    self._trouble.is_over()
            except Exception as problem:  # noqa: BLE001  (a fault ends here, logged: the queue goes on)
                await self._trouble.met(problem)

    async def work(self, message: Message) -> None:
        """Handle a message, and keep it from others meanwhile. Raises Unavailable, PlacesAreGone, TimeoutError."""
        now = asyncio.get_running_loop().time
        async with kept_from_others(self._queue, [message]), asyncio.timeout(LONGEST_S) as limit:
            verdict = await self._handling.handle(message, lambda: limit.reschedule(now() + LONGEST_S))
        if verdict.is_done:
            await self._queue.delete([message])
        else:
            await self._queue.hide(message, verdict.rest_s)
        if verdict.is_outage:
            self._trouble.breaker.failed()
        else:
            self._trouble.is_over()


@asynccontextmanager
async def kept_from_others(queue: Queue, messages: Sequence[Message]) -> AsyncIterator[None]:
    """Extend the visibility of messages while the block runs."""

    async def extend() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for message in messages:
                try:
                    await queue.hide(message, queues.VISIBLE_AGAIN_S)
                except (Unavailable, PlacesAreGone) as problem:  # somebody else may begin: then one of the two is late
                    log.warning("the visibility of a message was not extended", exc_info=problem)

    heart = asyncio.create_task(extend())
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart
