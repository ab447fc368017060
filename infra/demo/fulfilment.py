"""How an order goes on after it is placed: the steps it takes until the reference, and what they mean for its payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random

from domain.orders.model import OrderStatus, PaymentStatus
from infra.demo.dice import Weighted
from infra.demo.times import REFERENCE


class Outcome(Enum):
    """How an order ends, once it had the time to."""

    DELIVERED = "delivered"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    NEVER_PAID = "never paid"


OUTCOMES = Weighted([(Outcome.DELIVERED, 90), (Outcome.REFUNDED, 3), (Outcome.CANCELLED, 4), (Outcome.NEVER_PAID, 3)])
NOTES = {
    OrderStatus.PENDING: "ご注文を受け付けました",
    OrderStatus.PROCESSING: "お支払いを確認し、発送の準備を始めました",
    OrderStatus.SHIPPED: "商品を発送しました",
    OrderStatus.DELIVERED: "お届けが完了しました",
    OrderStatus.CANCELLED: "お客様のご希望によりキャンセルしました",
    OrderStatus.REFUNDED: "返品を確認し、返金が完了しました",
}
NEVER_PAID_NOTE = "お支払い期限を過ぎたため、自動的にキャンセルしました"


@dataclass(frozen=True, slots=True)
class Step:
    status: OrderStatus
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Course:
    """The steps of one order so far, the first of them PENDING."""

    steps: Sequence[Step]
    payment: PaymentStatus
    paid_at: datetime | None
    by_convenience_store: bool

    @property
    def status(self) -> OrderStatus:
        return self.steps[-1].status

    @property
    def changed_at(self) -> datetime:
        return self.steps[-1].at


def course_of(random: Random, placed_at: datetime, outcome: Outcome) -> Course:
    """What happened to an order until the reference."""
    by_store = outcome is Outcome.NEVER_PAID or random.random() < 0.15
    paid_at = placed_at + timedelta(minutes=random.randrange(60, 2_000) if by_store else random.randrange(1, 3))
    steps = [step for step in _steps(random, placed_at, paid_at, outcome) if step.at < REFERENCE]
    paid = paid_at < REFERENCE and outcome is not Outcome.NEVER_PAID
    return Course(steps, _payment(steps[-1].status, paid), paid_at if paid else None, by_store)


def _steps(random: Random, placed_at: datetime, paid_at: datetime, outcome: Outcome) -> list[Step]:
    pending = Step(OrderStatus.PENDING, placed_at, NOTES[OrderStatus.PENDING])
    if outcome is Outcome.NEVER_PAID:
        return [pending, Step(OrderStatus.CANCELLED, placed_at + timedelta(days=3), NEVER_PAID_NOTE)]
    hours = (random.randrange(18, 80), random.randrange(16, 60), random.randrange(60, 200))
    shipped, delivered, refunded = (paid_at + timedelta(hours=sum(hours[: count + 1])) for count in range(3))
    paid = [pending, _step(OrderStatus.PROCESSING, paid_at)]
    if outcome is Outcome.CANCELLED:
        return [*paid, _step(OrderStatus.CANCELLED, paid_at + timedelta(hours=random.randrange(1, 12)))]
    sent = [*paid, _step(OrderStatus.SHIPPED, shipped), _step(OrderStatus.DELIVERED, delivered)]
    return [*sent, _step(OrderStatus.REFUNDED, refunded)] if outcome is Outcome.REFUNDED else sent


def _step(status: OrderStatus, at: datetime) -> Step:
    return Step(status, at, NOTES[status])


def _payment(status: OrderStatus, paid: bool) -> PaymentStatus:
    """Money that was taken goes back when the order is cancelled or refunded."""
    if status in (OrderStatus.CANCELLED, OrderStatus.REFUNDED):
        return PaymentStatus.REFUNDED if paid else PaymentStatus.CANCELLED
    return PaymentStatus.SUCCEEDED if paid else PaymentStatus.PENDING
