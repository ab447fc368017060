"""How an order's payment stands, and what follows from what the provider says of it: no more than values in and values out."""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.ports import Settlement, SettlementKind
from domain.orders.states import PAYMENT_MOVES
from domain.payments.model import IntentId, IntentStatus, PaymentIntent
from domain.shared.ids import OrderId
from domain.shared.money import Money

UNANSWERED = timedelta(minutes=10)
"""How long an order that was not paid in time waits for a provider that does not say whether it was. Then its stock is sold to
others, and money that comes all the same goes back."""
DEAD = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})
DEAD_INTENTS = frozenset({IntentStatus.CANCELED, IntentStatus.SUCCEEDED})
"""Nothing more comes of these."""
UNDER_WAY = frozenset({IntentStatus.PROCESSING, IntentStatus.REQUIRES_CAPTURE})


class OrderStep(StrEnum):
    """What becomes of the order and its stock."""

    NONE = "none"
    PAID = "paid"
    """Its items are to be sent, and the reserved stock is theirs."""
    RELEASED = "released"
    """It is not paid, and will not be: it is cancelled, and its stock is for others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is written of an order's payment. `attempt`: of which key the provider's intent is asked for under.

    `expires_at`: until when the order has to be paid. `is_settled`: nothing that the provider could say changes it any more.
    `problem`: why people have to look at it.
    """

    order_id: OrderId
    order_status: OrderStatus
    created_at: datetime
    expires_at: datetime | None
    payment_id: UUID
    status: PaymentStatus
    amount: Money
    intent_id: IntentId | None = None
    attempt: int = 1
    is_settled: bool = False
    problem: str | None = None

    @property
    def is_unpaid(self) -> bool:
        return self.order_status is OrderStatus.PENDING

    @property
    def is_dead(self) -> bool:
        return self.order_status in DEAD

    def has_expired(self, now: datetime) -> bool:
        return self.is_unpaid and self.expires_at is not None and now >= self.expires_at

    def is_given_up(self, now: datetime) -> bool:
        """Whether its stock is let go without the provider's word."""
        return self.has_expired(now - UNANSWERED)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written, in one transaction, under the order's lock.

    `steps` are the states that the payment goes through; `refund` is what goes back at once; `abandons`: the provider's intent
    is to be cancelled, and nothing is handed out of it before; `is_stray`: the order has another intent by now.

    `problem`: the provider's payment is over something else than the order, so that it neither pays for it nor is handed out;
    `gives_back`: all that was received of it goes back, and stands in no books.
    """

    steps: tuple[PaymentStatus, ...] = ()
    order: OrderStep = OrderStep.NONE
    intent_id: IntentId | None = None
    refund: Money | None = None
    is_settled: bool = False
    abandons: bool = False
    is_stray: bool = False
    problem: str | None = None
    gives_back: bool = False

    def after(self, standing: Standing) -> Standing:
        """How it stands once this is written."""
        became = {OrderStep.PAID: OrderStatus.PROCESSING, OrderStep.RELEASED: OrderStatus.CANCELLED}
        return replace(
            standing,
            order_status=became.get(self.order, standing.order_status),
            status=self.steps[-1] if self.steps else standing.status,
            intent_id=standing.intent_id or self.intent_id,
            is_settled=standing.is_settled or self.is_settled,
            problem=standing.problem if self.is_stray else self.problem,
        )


def decide(
    standing: Standing,
    intent: PaymentIntent | None,
    now: datetime,
    *,
    is_silent: bool = False,
    is_given_back: bool = False,
) -> Decision:
    """What follows. `intent` is as the provider has it now; None: it has none, or `is_silent`.

    `is_given_back`: nothing is left of what was received of an intent that is over something else than the order.
    """
    if standing.is_settled:
        return Decision(is_stray=intent is not None and intent.id != standing.intent_id)
    if intent is None:
        return _unanswered(standing, now) if is_silent else _without_intent(standing, now)
    if standing.intent_id is not None and intent.id != standing.intent_id:
        return Decision(is_stray=True)
    problem = _mismatch(standing, intent)
    if problem is not None:
        return _mismatched(standing, intent, now, problem, is_given_back=is_given_back)
    if intent.status is IntentStatus.SUCCEEDED:
        return _paid(standing, intent)
    if intent.status is IntentStatus.CANCELED:
        steps, released = _way(standing.status, PaymentStatus.CANCELLED), _released(standing)
        return Decision(steps, released, intent.id, is_settled=True)
    return _open(standing, intent, now)


def _unanswered(standing: Standing, now: datetime) -> Decision:
    order = OrderStep.RELEASED if standing.is_given_up(now) else OrderStep.NONE
    return Decision(order=order, problem=standing.problem)


def _mismatch(standing: Standing, intent: PaymentIntent) -> str | None:
    """What differs, for people."""
    asked, paid, due = intent.amount, intent.received, standing.amount
    if asked != due:
        return f"{asked.amount} {asked.currency} is asked for at the provider, and {due.amount} {due.currency} is due"
    if intent.status is IntentStatus.SUCCEEDED and paid != due:
        return f"{paid.amount} {paid.currency} was paid at the provider, and {due.amount} {due.currency} is due"
    return None


def _mismatched(
    standing: Standing, intent: PaymentIntent, now: datetime, problem: str, *, is_given_back: bool
) -> Decision:
    """It never pays for the order. People may put it right while the order can be paid; then it ends, and its money goes back."""
    if intent.status is IntentStatus.CANCELED or is_given_back:
        steps, released = _way(standing.status, PaymentStatus.CANCELLED), _released(standing)
        return Decision(steps, released, intent.id, is_settled=True)
    if not (standing.is_dead or standing.has_expired(now)):
        return Decision(intent_id=intent.id, problem=problem)
    if intent.status is IntentStatus.SUCCEEDED:
        return Decision(order=_released(standing), intent_id=intent.id, problem=problem, gives_back=True)
    if intent.status in UNDER_WAY:
        released = _released(standing) if standing.is_given_up(now) else OrderStep.NONE
        return Decision(order=released, intent_id=intent.id, problem=problem)
    return Decision(intent_id=intent.id, problem=problem, abandons=True)


def _without_intent(standing: Standing, now: datetime) -> Decision:
    """Nobody can pay: of an intent that is not written, nothing was handed out."""
    if not (standing.is_dead or standing.has_expired(now)):
        return Decision()
    return Decision(_way(standing.status, PaymentStatus.CANCELLED), _released(standing), is_settled=True)


def _paid(standing: Standing, intent: PaymentIntent) -> Decision:
    """Money that comes for an order that is no more goes back, all of it."""
    return Decision(
        _way(standing.status, PaymentStatus.SUCCEEDED),
        OrderStep.PAID if standing.is_unpaid else OrderStep.NONE,
        intent.id,
        refund=intent.received if standing.is_dead else None,
        is_settled=True,
    )


def _open(standing: Standing, intent: PaymentIntent, now: datetime) -> Decision:
    """The provider waits: for the buyer, or for a bank."""
    if intent.status in UNDER_WAY:
        released = _released(standing) if standing.is_given_up(now) else OrderStep.NONE
        return Decision(_way(standing.status, PaymentStatus.PROCESSING), released, intent.id)
    if standing.is_dead or standing.has_expired(now):
        return Decision(intent_id=intent.id, abandons=True)
    target = standing.status
    if intent.status is IntentStatus.REQUIRES_ACTION:
        target = PaymentStatus.PROCESSING
    elif intent.reason is not None:
        target = PaymentStatus.FAILED
    return Decision(_way(standing.status, target), intent_id=intent.id)


def _released(standing: Standing) -> OrderStep:
    return OrderStep.RELEASED if standing.is_unpaid else OrderStep.NONE


def _way(source: PaymentStatus, target: PaymentStatus) -> tuple[PaymentStatus, ...]:
    """The shortest way by moves that are allowed; empty where there is none: what is written then stays as it is."""
    ways: deque[tuple[PaymentStatus, ...]] = deque([(source,)])
    seen = {source}
    while ways:
        way = ways.popleft()
        if way[-1] is target:
            return way[1:]
        for move in PAYMENT_MOVES:
            # what went back whole and came back is for whoever looks after refunds
            if move.source is way[-1] and move.source is not PaymentStatus.REFUNDED and move.target not in seen:
                seen.add(move.target)
                ways.append((*way, move.target))
    return ()


def settlement(standing: Standing, intent: PaymentIntent | None) -> Settlement:
    """What the buyer is told. The secret is for an order that can still be paid, with the intent that is written there.

    An order that was sent and came back was paid for all the same.
    """
    if standing.order_status is OrderStatus.CANCELLED:
        return Settlement(SettlementKind.FAILED, reason=intent.reason if intent else None)
    if not standing.is_unpaid:
        return Settlement(SettlementKind.SUCCEEDED)
    is_of_it = intent is not None and intent.id == standing.intent_id
    if intent is None or not is_of_it or standing.problem is not None or intent.status in UNDER_WAY:
        return Settlement(SettlementKind.PROCESSING)
    if standing.status is PaymentStatus.FAILED:
        return Settlement(SettlementKind.FAILED, intent.client_secret, intent.reason)
    return Settlement(SettlementKind.ACTION_REQUIRED, intent.client_secret)
