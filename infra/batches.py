"""The loop of a consumer that takes many messages at once."""

import asyncio
from collections.abc import Sequence

from domain.events.batches import BatchHandling
from domain.events.ports import BatchConsumer, Message, Queue
from infra.messages import LONGEST_S, POLL_QUEUE_S, kept_from_others
from infra.woken import POLL_S, Ensure, Trouble
from infra.worker import Stop

PAGE = 10
"""What a queue hands out at once."""
MOST = 200
"""Messages taken together. Those of a worker that is killed at them come a second time, 30 s later."""
AT_ONCE = 5
"""Pages asked for side by side, once one was full."""


class BatchLoop:
    """Works one queue off, as many messages at a time as there are. Of several workers one does, where the consumer says so."""

    def __init__(
        self, consumer: BatchConsumer, queue: Queue, handling: BatchHandling, stop: Stop, ensure: Ensure
    ) -> None:
        self._consumer = consumer
        self._queue = queue
        self._handling = handling
        self._stop = stop
        self._trouble = Trouble(f"the consumer {consumer.name}", stop, ensure)

    async def run(self) -> None:
        """Until it is asked to stop: the messages at work are finished."""
        while not self._stop.is_asked:
            try:
                if self._trouble.breaker.is_open or not await self._consumer.leads():
                    await self._stop.within(POLL_S)
                    continue
                messages = await self._received()
                if messages:
                    await self.work(messages)
                else:
                    self._trouble.is_over()
            except Exception as problem:  # noqa: BLE001  (a fault ends here, logged: the queue goes on)
                await self._trouble.met(problem)

    async def work(self, messages: Sequence[Message]) -> None:
        """Handle messages, and keep them from others meanwhile. Raises Unavailable, PlacesAreGone, TimeoutError."""
        async with kept_from_others(self._queue, messages), asyncio.timeout(LONGEST_S):
            verdicts = await self._handling.handle(messages)
        told = list(zip(messages, verdicts, strict=True))
        await self._queue.delete([message for message, verdict in told if verdict.is_done])
        await asyncio.gather(
            *(self._queue.hide(message, verdict.rest_s) for message, verdict in told if not verdict.is_done)
        )
        if any(verdict.is_outage for verdict in verdicts):
            self._trouble.breaker.failed()
        else:
            self._trouble.is_over()

    async def _received(self) -> Sequence[Message]:
        """What is there now; when there is nothing, what comes next."""
        messages = list(await self._queue.receive(PAGE, wait_s=POLL_QUEUE_S))
        is_full = len(messages) == PAGE
        while is_full and len(messages) < MOST:
            pages = await asyncio.gather(*(self._queue.receive(PAGE) for _ in range(AT_ONCE)))
            messages += [message for page in pages for message in page]
            is_full = all(pages)
        return messages
