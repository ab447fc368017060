"""Carrying out at the provider what was decided to go back: each refund once, whatever is lost on the way."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.payments.model import LOST, IntentId, Refund, RefundId, RefundStatus
from domain.payments.ports import PaymentProvider
from domain.payments.refusals import KeySpent, PaymentConflict, PaymentRefused
from domain.shared.clock import Clock
from domain.shared.faults import named
from domain.shared.ids import OrderId
from domain.shared.money import Money
from domain.shared.refusals import NotFound, Unavailable

log = logging.getLogger("torii.payments")

BATCH = 50
AT_ONCE = 4
LEASE = timedelta(seconds=60)
LONGEST_S = 45.0
OUTAGE_REST, PENDING_REST = timedelta(seconds=15), timedelta(hours=1)
SHORTEST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DueRefund:
    """A refund that is decided and not carried out. `attempt`: of which key the provider is asked for it under."""

    id: RefundId
    order_id: OrderId
    intent_id: IntentId
    amount: Money
    created_at: datetime
    attempt: int = 1
    provider_id: str | None = None


class RefundBook(Protocol):
    """Refunds as they are written. Every method raises Unavailable."""

    async def take(self, limit: int, now: datetime, until: datetime) -> Sequence[DueRefund]:
        """Those whose turn it is, the oldest first; nobody else takes them until then."""
        ...

    async def pending(self, intent_id: IntentId) -> Sequence[DueRefund]:
        """All of an intent that are not carried out."""
        ...

    async def settle(
        self, refund_id: RefundId, *, succeeded: bool, provider_id: str | None, problem: str | None
    ) -> None:
        """It went back, or will not; and with it what follows for payment and return. Once: later calls change nothing.

        One that will not go back is asked for under another key when people try again.
        """
        ...

    async def order_of(self, intent_id: IntentId) -> OrderId | None:
        """The order that this intent pays for; None for one in no books."""
        ...

    async def book_made_there(self, order_id: OrderId, made: Sequence[Refund], taker: RefundId | None = None) -> bool:
        """Write what went back at the provider and nobody here decided, each once, and what of all that came back.

        What may be a refund that is about to be asked for waits until that has ended. The `taker` is the one that the caller would
        ask for next, and may be such a one: whether it has ended by that.
        """
        ...

    async def put_off(
        self, refund_id: RefundId, until: datetime, *, provider_id: str | None = None, problem: str | None = None
    ) -> None: ...

    async def spend_key(self, refund_id: RefundId, attempt: int) -> None: ...


class RefundDesk:
    """Any number of them work side by side; a refund that two have at once is one at the provider."""

    def __init__(self, provider: PaymentProvider, book: RefundBook, clock: Clock) -> None:
        self._provider = provider
        self._book = book
        self._clock = clock

    async def work(self) -> int:
        """Carry out what is due, up to a batch; how many those were. Raises Unavailable (the database)."""
        now = self._clock.now()
        due = await self._book.take(BATCH, now, now + LEASE)
        limit = asyncio.Semaphore(AT_ONCE)

        async def carry_out(refund: DueRefund) -> None:
            async with limit:
                await self._carry_out(refund)

        await asyncio.gather(*map(carry_out, due))
        return len(due)

    async def follow(self, intent_id: IntentId) -> bool:
        """Bring the refunds of an intent to what they are at the provider, and book what was made there by hand.

        Whether it is an intent of these books. Raises Unavailable.
        """
        order_id = await self._book.order_of(intent_id)
        if order_id is None:
            return False
        due, made = await asyncio.gather(self._book.pending(intent_id), self._provider.refunds_of(intent_id))
        found = [(refund, _of(refund, made)) for refund in due]
        await asyncio.gather(*(self._write(refund, each) for refund, each in found if each is not None))
        if made:
            await self._book.book_made_there(order_id, made)
        return True

    async def _carry_out(self, due: DueRefund) -> None:
        now = self._clock.now()
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._bring_about(due)
        except (PaymentRefused, NotFound) as refusal:
            log.error("a refund was refused", exc_info=refusal, extra={"fields": {"refundId": str(due.id)}})
            reason = refusal.reason.value if isinstance(refusal, PaymentRefused) else refusal.code
            await self._book.settle(due.id, succeeded=False, provider_id=due.provider_id, problem=reason)
        except Exception as problem:
            log.error("a refund has to wait", exc_info=problem, extra={"fields": {"refundId": str(due.id)}})
            rest = OUTAGE_REST if isinstance(problem, Unavailable) else _rest(due, now)
            await self._book.put_off(due.id, now + rest, problem=named(problem))

    async def _bring_about(self, due: DueRefund) -> None:
        """Have it made at the provider, unless it is there. Raises PaymentRefused, KeySpent, NotFound, Unavailable.

        Each time it is looked for first: people may have given back by hand what waits here, and under another key than before
        nothing keeps the provider from doing twice what was done under the first.
        """
        if await self._is_there(due):
            return
        try:
            made = await self._provider.refund(due.id, due.intent_id, due.amount, due.attempt)
        except (KeySpent, PaymentConflict):
            if await self._is_there(due):
                return
            await self._book.spend_key(due.id, due.attempt)
            made = await self._provider.refund(due.id, due.intent_id, due.amount, due.attempt + 1)
        except PaymentRefused:  # it may be this very one that has taken what was left, or one by hand
            if await self._is_there(due):
                return
            raise
        await self._write(due, made)

    async def _is_there(self, due: DueRefund) -> bool:
        """Whether the provider has it, by whomever: then it is written."""
        made = await self._provider.refunds_of(due.intent_id)
        found = _of(due, made)
        if found is not None:
            await self._write(due, found)
            return True
        return bool(made) and await self._book.book_made_there(due.order_id, made, taker=due.id)

    async def _write(self, due: DueRefund, found: Refund) -> None:
        if found.status is RefundStatus.SUCCEEDED:
            await self._book.settle(due.id, succeeded=True, provider_id=found.provider_id, problem=None)
        elif found.status in LOST:
            log.error("a refund failed at the provider", extra={"fields": {"refundId": str(due.id)}})
            await self._book.settle(due.id, succeeded=False, provider_id=found.provider_id, problem=found.status.value)
        else:  # it is on its way, which takes days with some banks
            await self._book.put_off(due.id, self._clock.now() + PENDING_REST, provider_id=found.provider_id)


def _of(due: DueRefund, made: Sequence[Refund]) -> Refund | None:
    """What was made for it, by this try: one that failed before is told of once, and says nothing of the next."""
    mine = [each for each in made if each.refund_id == due.id]
    return next((each for each in mine if each.status not in LOST or each.provider_id == due.provider_id), None)


def _rest(due: DueRefund, now: datetime) -> timedelta:
    """After half of its age again."""
    return min(max((now - due.created_at) / 2, SHORTEST_REST), LONGEST_REST)
