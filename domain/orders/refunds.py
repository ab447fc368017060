"""What goes back of a payment: how much for which cause, of which parts, so that each rate of tax gets its own back.

The rules: a cancelled item goes back whole; a returned or lost one at the price it was bought for; a seller's carriage goes
back when all of that seller's items were cancelled before any was shipped. More than was paid never does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.orders.open_order import OpenItem, OpenOrder, OpenPart
from domain.orders.returns import ReturnId
from domain.orders.states import RefundState
from domain.payments.model import RefundId
from domain.shared.ids import OrderId, OrderItemId, SellerId, UserId, uuid7
from domain.shared.money import Money
from domain.shared.refusals import Refusal
from domain.shared.tax import TaxClass

SHIPPING_PERCENT = TaxClass.STANDARD.percent
"""Carriage is a service, taxed as such whatever is carried."""


class RefundReason(StrEnum):
    CANCELLED = "cancelled"
    RETURNED = "returned"
    LOST = "lost"
    GOODWILL = "goodwill"
    LATE_PAYMENT = "late_payment"
    """Paid after the order had ended."""
    IMPORTED = "imported"
    MANUAL = "manual"
    """Made at the payment provider by hand."""


class BorneBy(StrEnum):
    """Whose money it is that goes back."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"


class RefundExceeds(Refusal):
    """More would go back than is left of what was paid."""

    code = "REFUND_EXCEEDS"


class NotPaid(Refusal):
    """Nothing was paid that could go back."""

    code = "NOT_PAID"


class PaymentDisputed(Refusal):
    """The buyer has the bank take it back: until that is settled nothing else goes back."""

    code = "PAYMENT_DISPUTED"


@dataclass(frozen=True, slots=True)
class RefundPart:
    """A part in minor units. Without an item it is carriage; `quantity` is None where it is only money."""

    item_id: OrderItemId | None
    quantity: int | None
    amount: int
    tax_percent: int


@dataclass(frozen=True, slots=True)
class RefundDraft:
    """A refund to be written, of one seller's part."""

    seller_id: SellerId
    reason: RefundReason
    parts: Sequence[RefundPart]
    borne_by: BorneBy = BorneBy.SELLER
    note: str | None = None
    return_id: ReturnId | None = None
    id: RefundId = field(default_factory=lambda: RefundId(uuid7()))

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts)


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it stands. `seller_id` is None where a payment never became a sale."""

    id: RefundId
    order_id: OrderId
    seller_id: SellerId | None
    amount: Money
    reason: RefundReason
    status: RefundState
    note: str | None
    created_at: datetime
    settled_at: datetime | None
    user_id: UserId | None = None
    guest_id: UUID | None = None


def of_whole_item(item: OpenItem) -> list[RefundPart]:
    """All of an item that has not gone back yet."""
    quantity = item.quantity - item.refunded_quantity or None
    return [RefundPart(item.id, quantity, item.left, item.tax_percent)] if item.left > 0 else []


def of_quantity(item: OpenItem, quantity: int) -> list[RefundPart]:
    """So many of an item at their price; less where a part of it went back before."""
    amount = min(item.unit_price * quantity, item.left)
    return [RefundPart(item.id, quantity, amount, item.tax_percent)] if amount > 0 else []


def of_amount(item: OpenItem, amount: int) -> list[RefundPart]:
    """Some money for an item. Raises RefundExceeds."""
    if amount > item.left:
        raise RefundExceeds(field=("amount",), left=item.left)
    return [RefundPart(item.id, None, amount, item.tax_percent)]


def of_shipping(part: OpenPart) -> list[RefundPart]:
    """What is left of a seller's carriage."""
    return [RefundPart(None, None, part.shipping_left, SHIPPING_PERCENT)] if part.shipping_left > 0 else []


def spread(order: OpenOrder, amount: int) -> dict[SellerId, list[RefundPart]]:
    """An amount over all that is left of an order, in proportion; what does not divide goes to the largest remainders.

    Raises RefundExceeds.
    """
    places: list[tuple[SellerId, OrderItemId | None, int, int]] = [
        (item.seller_id, item.id, item.left, item.tax_percent) for item in order.items if item.left > 0
    ] + [
        (part.seller_id, None, part.shipping_left, SHIPPING_PERCENT)
        for part in order.parts.values()
        if part.shipping_left > 0
    ]
    total = sum(left for _, _, left, _ in places)
    if amount > total:
        raise RefundExceeds(field=("amount",), left=total)
    shares = [divmod(amount * left, total) for _, _, left, _ in places]
    missing = amount - sum(share for share, _ in shares)
    # by the largest remainder; of equal ones the first
    bonus = set(sorted(range(len(places)), key=lambda place: -shares[place][1])[:missing])
    found: dict[SellerId, list[RefundPart]] = {}
    for place, (seller_id, item_id, _, percent) in enumerate(places):
        share = shares[place][0] + (place in bonus)
        if share:
            found.setdefault(seller_id, []).append(RefundPart(item_id, None, share, percent))
    return found


def checked(order: OpenOrder, drafts: Sequence[RefundDraft]) -> Sequence[RefundDraft]:
    """The drafts, if that much is left of what was paid. Raises NotPaid, PaymentDisputed, RefundExceeds."""
    if not drafts:
        return drafts
    payment = order.payment
    if payment is None or not payment.is_paid:
        raise NotPaid
    if payment.is_contested:
        raise PaymentDisputed
    left = payment.left
    if sum(draft.amount for draft in drafts) > left:
        raise RefundExceeds(field=("amount",), left=left)
    return drafts
