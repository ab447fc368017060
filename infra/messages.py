"""The loops of a worker that events run through: relaying what is in the outbox, and working messages off."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from adapters.aws import queues
from adapters.breaker import Breaker
from adapters.postgres.events import CHANNEL
from adapters.postgres.listening import LOST, listening
from domain.events.handling import Handling
from domain.events.ports import Message, PlacesAreGone, Queue
from domain.events.relay import Relay, pause_s
from domain.shared.refusals import Refusal, Unavailable
from infra.worker import Stop

log = logging.getLogger("torii.events")

POLL_S = 1.0
"""How often a relay looks by itself: for what is tried again, and for what it was not told of."""
RELISTEN_S = 1.0
POLL_QUEUE_S = 2
"""The longest that a receive waits, and so the longest that a stop waits for it."""
HEARTBEAT_S = 10.0
LONGEST_S = 600.0
"""The longest that a consumer may be at one message."""

Ensure = Callable[[], Awaitable[None]]


class Trouble:
    """What a loop does when a back end fails: pauses of 1, 2, 4 s and so on, places made anew, a breaker."""

    def __init__(self, what: str, stop: Stop, ensure: Ensure) -> None:
        self.breaker = Breaker()
        self._what = what
        self._stop = stop
        self._ensure = ensure
        self._failures = 0

    async def met(self, problem: Exception) -> None:
        """Wait as long as is fitting, and put right what can be."""
        self._failures += 1
        if self._failures == 1 or not isinstance(problem, Unavailable | PlacesAreGone):
            log.error("%s is held up", self._what, exc_info=problem)
        if isinstance(problem, PlacesAreGone):
            try:
                await self._ensure()
            except Refusal as refusal:
                log.error("the places that events go through were not made", exc_info=refusal)
        else:
            self.breaker.failed()
        await self._stop.within(pause_s(self._failures))

    def is_over(self) -> None:
        if self._failures:
            log.info("%s goes on", self._what)
        self._failures = 0
        self.breaker.succeeded()


class RelayLoop:
    """Sends what is in the outbox when PostgreSQL says that there is something, and looks every second besides."""

    def __init__(self, relay: Relay, url: str, stop: Stop, ensure: Ensure) -> None:
        self._relay = relay
        self._url = url
        self._stop = stop
        self._told = asyncio.Event()
        self._trouble = Trouble("the relay of the outbox", stop, ensure)

    async def run(self) -> None:
        """Until it is asked to stop: a batch that is on its way is finished."""
        hearing = asyncio.create_task(self._hear())
        try:
            while not self._stop.is_asked:
                self._told.clear()
                if self._trouble.breaker.is_open or not await self._send():
                    await self._next()
        finally:
            hearing.cancel()
            with suppress(asyncio.CancelledError):
                await hearing

    async def _send(self) -> bool:
        """Whether there may be more to send at once."""
        try:
            sent = await self._relay.send_batch()
        except Exception as problem:  # noqa: BLE001  (a fault ends here, logged: the relay goes on)
            await self._trouble.met(problem)
            return True
        self._trouble.is_over()
        return sent > 0

    async def _next(self) -> None:
        told, stopped = asyncio.create_task(self._told.wait()), asyncio.create_task(self._stop.asked())
        try:
            await asyncio.wait({told, stopped}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            stopped.cancel()

    async def _hear(self) -> None:
        while True:
            try:
                async with listening(self._url, (CHANNEL,), "torii relay") as channel:
                    while True:
                        await channel.next()
                        self._told.set()
            except LOST as error:
                log.warning("lost the channel %s, and looks every second meanwhile: %s", CHANNEL, error)
            await asyncio.sleep(RELISTEN_S)


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
        async with self._kept(message), asyncio.timeout(LONGEST_S):
            verdict = await self._handling.handle(message)
        if verdict.is_done:
            await self._queue.delete([message])
        else:
            await self._queue.hide(message, verdict.rest_s)
        if verdict.is_outage:
            self._trouble.breaker.failed()
        else:
            self._trouble.is_over()

    @asynccontextmanager
    async def _kept(self, message: Message) -> AsyncIterator[None]:
        """Extend the message's visibility while the block runs."""

        async def extend() -> None:
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                try:
                    await self._queue.hide(message, queues.VISIBLE_AGAIN_S)
                except (Unavailable, PlacesAreGone) as problem:  # somebody else may begin: then one of the two is late
                    log.warning("the visibility of a message was not extended", exc_info=problem)

        heart = asyncio.create_task(extend())
        try:
            yield
        finally:
            heart.cancel()
            with suppress(asyncio.CancelledError):
                await heart
