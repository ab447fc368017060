"""What nobody told us of: payments that are open for long, and orders whose time to be paid is over."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol

from domain.payments.disputes import DisputeDesk
from domain.payments.finaliser import Finaliser, Heard
from domain.payments.inbox import Subject
from domain.payments.refunds import RefundDesk
from domain.payments.refusals import ProviderAway
from domain.shared.clock import Clock
from domain.shared.ids import OrderId
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.payments")

BATCH = 100
AT_ONCE = 8


class OpenPayments(Protocol):
    """Both raise Unavailable."""

    async def unchecked(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        """Orders whose payment the provider is to be asked for by now, by key."""
        ...

    async def expired(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        """Orders that are not paid, and had to be by now, by key."""
        ...


class Reconciliation:
    """Each run looks at every order once. One that cannot be settled is logged, and holds up none."""

    def __init__(self, finaliser: Finaliser, payments: OpenPayments, clock: Clock) -> None:
        self._finaliser = finaliser
        self._payments = payments
        self._clock = clock

    async def check(self) -> AsyncGenerator[int, None]:
        """Ask for payments whose message never came; how many, a batch at a time. Raises Unavailable."""
        async for settled in self._settle_all(is_expiry=False):
            yield settled

    async def expire(self) -> AsyncGenerator[int, None]:
        """End orders that were not paid in time, unless they were just now. Raises Unavailable."""
        async for settled in self._settle_all(is_expiry=True):
            yield settled

    async def _settle_all(self, *, is_expiry: bool) -> AsyncGenerator[int, None]:
        now, last = self._clock.now(), None
        find = self._payments.expired if is_expiry else self._payments.unchecked
        while page := await find(now, last, BATCH):
            last = page[-1]
            limit = asyncio.Semaphore(AT_ONCE)
            done = await asyncio.gather(*(self._settle(order_id, limit) for order_id in page))
            yield sum(done)

    async def _settle(self, order_id: OrderId, limit: asyncio.Semaphore) -> bool:
        async with limit:
            try:
                await self._finaliser.settle(order_id)
            except ProviderAway as outage:  # it comes again; orders that wait too long are released without
                log.warning("a payment waits for its provider", exc_info=outage)
                return False
            except Unavailable:
                raise
            except Exception as problem:  # a fault ends here, logged: what others set aside is let go
                log.error("a payment was not settled", exc_info=problem, extra={"fields": {"orderId": str(order_id)}})
                return False
        return True


class Bringing:
    """The port `Acting`: payments, refunds and disputes, each by its own desk."""

    def __init__(self, finaliser: Finaliser, refunds: RefundDesk, disputes: DisputeDesk) -> None:
        self._finaliser = finaliser
        self._refunds = refunds
        self._disputes = disputes

    async def on(self, subject: Subject) -> str:
        # what is refunded or disputed was paid: nobody may have heard of that yet
        heard = await self._finaliser.hear(subject.intent_id, subject.order_id)
        if not (subject.is_refund or subject.is_dispute):
            return heard.value
        desk = self._refunds if subject.is_refund else self._disputes
        return "followed" if await desk.follow(subject.intent_id) else Heard.NOT_OURS.value
