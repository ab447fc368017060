"""What is told of a payment: ids, states and amounts, on the order's stream, and to each seller what concerns its items."""

from collections.abc import Mapping, Sequence

from domain.orders.model import PaymentStatus
from domain.payments.standing import Decision, OrderStep, Standing
from domain.shared.events import Event
from domain.shared.ids import OrderItemId, SellerId

PAID, FAILED, EXPIRED, CANCELLED = "OrderPaid", "OrderPaymentFailed", "OrderExpired", "OrderCancelled"

ItemsOfSellers = Mapping[SellerId, Sequence[OrderItemId]]


def events_of(before: Standing, decision: Decision, items: ItemsOfSellers) -> Sequence[Event]:
    """All that happened by this decision, in order."""
    after = decision.after(before)
    type = _type(decision)
    if type is None:
        return []
    payload = _payload(after)
    stream = f"order/{after.order_id}"
    told = [Event(type, "order", after.order_id, payload, stream)]
    if decision.order is OrderStep.PAID:  # before, there is nothing that a seller could do
        told += [
            Event(type, "seller", seller, payload | {"itemIds": [str(item) for item in ids]}, f"seller/{seller}")
            for seller, ids in sorted(items.items())
        ]
    return told


def _type(decision: Decision) -> str | None:
    if decision.order is OrderStep.PAID:
        return PAID
    if decision.order is OrderStep.RELEASED:
        return EXPIRED
    return FAILED if decision.steps and decision.steps[-1] is PaymentStatus.FAILED else None


def _payload(after: Standing) -> dict[str, object]:
    return {
        "orderId": str(after.order_id),
        "orderStatus": after.order_status.value,
        "itemStatus": after.order_status.value,
        "paymentStatus": after.status.value,
        "amount": after.amount.minor,
        "currency": after.amount.currency,
    }
