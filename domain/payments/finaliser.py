"""Brings an order to what its payment is at the provider. Whoever comes next finishes what somebody was killed at."""

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from domain.orders.ports import Settlement, SettlementKind
from domain.payments.model import LOST, IntentId, IntentStatus, PaymentIntent, RefundStatus, refund_id_of
from domain.payments.ports import PaymentBook, PaymentProvider
from domain.payments.refusals import KeySpent, PaymentConflict, PaymentRefused
from domain.payments.standing import DEAD_INTENTS, Decision, Standing, decide, settlement
from domain.shared.clock import Clock
from domain.shared.ids import OrderId
from domain.shared.refusals import NotFound, Unavailable

log = logging.getLogger("torii.payments")

CHECK_AGAIN = timedelta(minutes=5)
"""After which a payment that is open is asked for again, if no message came meanwhile."""
KEYS_ARE_KNOWN = timedelta(hours=23)
"""The provider knows a key again for a day: later, what was made under it has to be looked up."""
ROUNDS = 3
"""Each ends with something else having changed the payment between the question and the answer."""
KEYS_AT_ONCE = 2


class Heard(StrEnum):
    """What came of a message of the provider's."""

    SETTLED = "settled"
    STRAY = "stray"
    """It is of an intent that the order does not have: it was cancelled, or paid back."""
    NOT_OURS = "not ours"


class Finaliser:
    """Asks the provider, outside of any transaction, and writes what follows in one, under the order's lock.

    Called alike after checkout, by the buyer's next try, by the provider's messages, and by jobs: any number of times, at once.
    """

    def __init__(self, provider: PaymentProvider, book: PaymentBook, clock: Clock) -> None:
        self._provider = provider
        self._book = book
        self._clock = clock

    async def settle(self, order_id: OrderId, heard_of: IntentId | None = None) -> Settlement:
        """How far the payment is. `heard_of`: an intent of this order that the provider told of.

        Raises NotFound, Unavailable.
        """
        now = self._clock.now()
        standing = await self._book.begin(order_id, now + CHECK_AGAIN)
        if standing is None:
            raise NotFound("there is no such order, or nothing to pay for it")
        if standing.is_settled:
            return settlement(standing, None)
        try:
            intent = await self._intent_of(standing, heard_of, now)
        except PaymentRefused as refusal:  # it will not be asked for: the order ends when its time is over
            return Settlement(SettlementKind.FAILED, reason=refusal.reason)
        except Unavailable:
            if not standing.is_given_up(now):
                raise
            return await self._written(standing, None, now, is_silent=True)
        return await self._written(standing, intent, now)

    async def hear(self, intent_id: IntentId, order_id: OrderId | None) -> Heard:
        """Something happened to an intent. `order_id` is whose it says it is. Raises Unavailable."""
        order_id = order_id or await self._book.order_of(intent_id)
        if order_id is None:
            return Heard.NOT_OURS
        try:
            await self.settle(order_id, intent_id)
        except NotFound:
            return Heard.NOT_OURS
        standing = await self._book.standing(order_id)
        if standing is None or standing.intent_id == intent_id:
            return Heard.SETTLED
        return await self._turn_away(order_id, intent_id)

    async def _written(
        self, standing: Standing, intent: PaymentIntent | None, now: datetime, *, is_silent: bool = False
    ) -> Settlement:
        """Write what follows; where the intent is to be cancelled first, or is another by now, ask again."""
        for _ in range(ROUNDS):
            judge = partial(decide, intent=intent, now=now, is_silent=is_silent)
            before, decision = await self._book.settle(standing.order_id, intent, judge, now)
            if decision.problem is not None and decision.problem != before.problem:
                fields = {"orderId": str(standing.order_id), "problem": decision.problem}
                log.error("a payment is over something else than its order", extra={"fields": fields})
            if intent is not None and decision.gives_back:
                return await self._end_amiss(decision.after(before), intent, now)
            if intent is None or not (decision.abandons or decision.is_stray):
                return settlement(decision.after(before), intent)
            try:
                intent = await self._next(before, decision, intent)
            except Unavailable:  # it says how the payment is, and does not do as it is told
                if is_silent or not before.is_given_up(now):
                    raise
                return await self._written(before, None, now, is_silent=True)
        return Settlement(SettlementKind.PROCESSING)

    async def _next(self, standing: Standing, decision: Decision, intent: PaymentIntent) -> PaymentIntent | None:
        cancelled = await self._cancelled(intent)
        if not decision.is_stray:
            return cancelled
        return None if standing.intent_id is None else await self._provider.intent(standing.intent_id)

    async def _intent_of(self, standing: Standing, heard_of: IntentId | None, now: datetime) -> PaymentIntent | None:
        """The order's intent as the provider has it; made where there is none, and where it can still be paid."""
        if standing.intent_id is not None:
            return await self._provider.intent(standing.intent_id)
        if heard_of is not None:
            found = await self._provider.intent(heard_of)
            if found is not None and found.order_id == standing.order_id:
                return found
        if standing.is_dead or standing.has_expired(now):
            return None
        if now - standing.created_at > KEYS_ARE_KNOWN:
            found = await self._found(standing)
            if found is not None:
                return found
        return await self._made(standing)

    async def _made(self, standing: Standing) -> PaymentIntent | None:
        """Raises PaymentRefused, Unavailable."""
        for attempt in range(standing.attempt, standing.attempt + KEYS_AT_ONCE):
            try:
                return await self._provider.create_intent(standing.order_id, standing.amount, attempt)
            except (KeySpent, PaymentConflict):
                found = await self._found(standing)
                if found is not None:
                    return found
                await self._book.spend_key(standing.order_id, attempt)
        return None

    async def _found(self, standing: Standing) -> PaymentIntent | None:
        """One that was made before: rather one that is paid, never one that is cancelled."""
        alive = [each for each in await self._provider.intents_of(standing.order_id) if _may_be(each, standing)]
        return min(alive, key=lambda each: each.status is not IntentStatus.SUCCEEDED, default=None)

    async def _cancelled(self, intent: PaymentIntent) -> PaymentIntent | None:
        """As it is when the provider has been asked to cancel it: it may have been paid just now."""
        if intent.status in DEAD_INTENTS:
            return intent
        try:
            return await self._provider.cancel_intent(intent.id)
        except NotFound:
            return None
        except PaymentRefused:
            return await self._provider.intent(intent.id)

    async def _turn_away(self, order_id: OrderId, intent_id: IntentId) -> Heard:
        """An intent that says it is of this order, which has another, or needs none: nobody was given its secret by us."""
        found = await self._provider.intent(intent_id)
        if found is None or found.order_id != order_id:
            return Heard.NOT_OURS
        now = await self._cancelled(found)
        if now is not None and now.status is IntentStatus.SUCCEEDED:
            log.error("an intent was paid that is not its order's", extra={"fields": {"orderId": str(order_id)}})
            await self._give_back(order_id, now)
        return Heard.STRAY

    async def _end_amiss(self, standing: Standing, intent: PaymentIntent, now: datetime) -> Settlement:
        """The order has ended, and what was paid for it was something else: it is over when all of that went back."""
        if not await self._give_back(standing.order_id, intent):
            return settlement(standing, None)
        judge = partial(decide, intent=intent, now=now, is_given_back=True)
        before, decision = await self._book.settle(standing.order_id, intent, judge, now)
        return settlement(decision.after(before), None)

    async def _give_back(self, order_id: OrderId, intent: PaymentIntent) -> bool:
        """All that was received of an intent that stands in no books, once, whoever gives it back; whether nothing is left."""
        refund_id = refund_id_of(order_id, intent.id)
        for attempt in range(1, KEYS_AT_ONCE + 1):
            refusal: Exception | None = None
            try:
                await self._provider.refund(refund_id, intent.id, intent.received, attempt)
            except (PaymentRefused, KeySpent, PaymentConflict) as refused:
                refusal = refused
            made = await self._provider.refunds_of(intent.id)
            coming = sum(each.amount.minor for each in made if each.status not in LOST)
            if coming >= intent.received.minor:  # what is on its way may still fail
                back = sum(each.amount.minor for each in made if each.status is RefundStatus.SUCCEEDED)
                return back >= intent.received.minor
            log.warning("a payment that is in no books was not refunded", exc_info=refusal)
            if isinstance(refusal, PaymentRefused):  # some of it went back by another's hand
                return False
        return False


def _may_be(intent: PaymentIntent, standing: Standing) -> bool:
    return intent.amount == standing.amount and intent.status is not IntentStatus.CANCELED
