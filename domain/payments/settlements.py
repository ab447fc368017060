"""Settling for a caller who waits only so long: what takes longer goes on without, and the next who asks hears of it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from domain.orders.ports import Settlement, SettlementKind
from domain.payments.refusals import ProviderAway
from domain.shared.ids import OrderId

log = logging.getLogger("torii.payments")

AT_MOST = 200
"""At work at once, or kept for who asks next. One above that is left to the next who comes, or to a worker."""
KEPT_S = 5.0
"""How long an answer that nobody waited for any more is kept for who asks next: else a slow provider would be asked for ever."""
PROCESSING = Settlement(SettlementKind.PROCESSING)


class Settlements:
    """The port `Settling`. Those who ask for the same order at the same time wait for the same answer."""

    def __init__(
        self, settle: Callable[[OrderId], Awaitable[Settlement]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settle = settle
        self._clock = clock
        self._running: dict[OrderId, asyncio.Task[Settlement]] = {}
        self._waiting: dict[OrderId, int] = {}
        self._kept: dict[OrderId, tuple[float, Settlement]] = {}

    async def settle(self, order_id: OrderId, within_s: float) -> Settlement:
        """Raises NotFound, Unavailable (the database). A provider that is away is `PROCESSING`."""
        kept = self._kept.pop(order_id, None)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        task = self._begun(order_id)
        return PROCESSING if task is None else await self._awaited(order_id, task, within_s)

    def begin(self, order_id: OrderId) -> None:
        self._begun(order_id)

    async def close(self) -> None:
        """What is at work is given up: somebody else finishes it."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begun(self, order_id: OrderId) -> "asyncio.Task[Settlement] | None":
        """At work on it; None where there is no room for one more."""
        task = self._running.get(order_id)
        if task is None and len(self._running) < AT_MOST:
            task = self._running[order_id] = asyncio.create_task(self._run(order_id))
            task.add_done_callback(lambda done: self._ended(order_id, done))
        return task

    async def _awaited(self, order_id: OrderId, task: "asyncio.Task[Settlement]", within_s: float) -> Settlement:
        self._waiting[order_id] = self._waiting.get(order_id, 0) + 1
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(task)
        except TimeoutError:
            return PROCESSING
        finally:
            self._waiting[order_id] -= 1
            if not self._waiting[order_id]:
                del self._waiting[order_id]

    async def _run(self, order_id: OrderId) -> Settlement:
        try:
            return await self._settle(order_id)
        except ProviderAway as outage:
            log.warning("a payment waits for its provider", exc_info=outage)
            return PROCESSING

    def _ended(self, order_id: OrderId, task: "asyncio.Task[Settlement]") -> None:
        del self._running[order_id]
        if task.cancelled() or order_id in self._waiting:
            return
        problem = task.exception()
        if problem is not None:
            log.error("a payment that nobody waited for was not settled", exc_info=problem)
            return
        now = self._clock()
        self._kept = {key: kept for key, kept in self._kept.items() if now < kept[0]}
        if len(self._kept) < AT_MOST:
            self._kept[order_id] = now + KEPT_S, task.result()
