"""What is told of a payment: ids, states and amounts, on the order's stream, and to each seller what concerns its items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.orders.model import PaymentStatus
from domain.orders.states import REFUND_MOVES, Actor, RefundState, checked_move
from domain.payments.model import RefundId
from domain.payments.standing import Decision, OrderStep, Standing
from domain.shared.events import Event
from domain.shared.ids import OrderId, OrderItemId, SellerId
from domain.shared.money import Money

PAID, FAILED, EXPIRED, CANCELLED = "OrderPaid", "OrderPaymentFailed", "OrderExpired", "OrderCancelled"


@dataclass(frozen=True, slots=True)
class SellersPart:
    """What an order has of a seller's, in minor units with its carriage."""

    item_ids: Sequence[OrderItemId]
    amount: int


def events_of(before: Standing, decision: Decision, parts: Mapping[SellerId, SellersPart]) -> Sequence[Event]:
    """All that happened by this decision, in order. A seller is told of the own part: what others sold is nobody's business."""
    after = decision.after(before)
    type = _type(decision)
    if type is None:
        return []
    payload = _payload(after)
    stream = f"order/{after.order_id}"
    told = [Event(type, "order", after.order_id, payload, stream)]
    if decision.order is OrderStep.PAID:  # before, there is nothing that a seller could do
        told += [
            Event(type, "seller", seller, payload | _of_part(part), f"seller/{seller}")
            for seller, part in sorted(parts.items())
        ]
    return told


def _type(decision: Decision) -> str | None:
    if decision.order is OrderStep.PAID:
        return PAID
    if decision.order is OrderStep.RELEASED:
        return EXPIRED
    return FAILED if decision.steps and decision.steps[-1] is PaymentStatus.FAILED else None


def _of_part(part: SellersPart) -> dict[str, object]:
    return {"amount": part.amount, "itemIds": [str(item) for item in part.item_ids]}


def _payload(after: Standing) -> dict[str, object]:
    return {
        "orderId": str(after.order_id),
        "orderStatus": after.order_status.value,
        "itemStatus": after.order_status.value,
        "paymentStatus": after.status.value,
        "amount": after.amount.minor,
        "currency": after.amount.currency,
    }


@dataclass(frozen=True, slots=True)
class RefundTold:
    """A refund as it ended. `seller_id`: whose sale it is of, where it is of one."""

    refund_id: RefundId
    order_id: OrderId
    order_status: str
    payment_status: str
    seller_id: SellerId | None
    amount: Money
    reason: str
    has_succeeded: bool


def events_of_refund(told: RefundTold) -> Sequence[Event]:
    target = RefundState.SUCCEEDED if told.has_succeeded else RefundState.FAILED
    move = checked_move(REFUND_MOVES, RefundState.PENDING, target, {Actor.SYSTEM})
    payload: dict[str, object] = {
        "refundId": str(told.refund_id),
        "orderId": str(told.order_id),
        "orderStatus": told.order_status,
        "paymentStatus": told.payment_status,
        "amount": told.amount.minor,
        "currency": told.amount.currency,
        "reason": told.reason,
    }
    events = [Event(str(move.event), "order", told.order_id, payload, f"order/{told.order_id}")]
    if told.seller_id is not None:
        events.append(Event(str(move.event), "seller", told.seller_id, payload, f"seller/{told.seller_id}"))
    return events
