"""Payments as the marketplace sees them, whoever moves the money."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.payments.refusals import PaymentReason
from domain.shared.ids import OrderId, uuid7, uuid7_time
from domain.shared.money import Money

IntentId = NewType("IntentId", str)
"""The provider's own key of a payment intent."""
RefundId = NewType("RefundId", UUID)
"""Our key of a refund, made before the provider is asked for it."""


class IntentStatus(StrEnum):
    """Where a payment intent stands. The names are Stripe's."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    """The customer has to authenticate."""
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


class RefundStatus(StrEnum):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


LOST = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})
"""Nothing went back by these."""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """What was paid with, as far as anybody may know: `kind` is Stripe's type (`card`), `wallet` such as `apple_pay`.

    Never a card's number, its expiry or its fingerprint.
    """

    kind: str
    brand: str | None = None
    last4: str | None = None
    wallet: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """What is asked for an order. `order_id` is None where it is not one of ours; `decline_code` is of the last try,
    and `reason` what people are told of it."""

    id: IntentId
    order_id: OrderId | None
    amount: Money
    received: Money
    status: IntentStatus
    created_at: datetime
    charge_id: str | None
    decline_code: str | None
    client_secret: str = field(repr=False)
    """For the customer's browser, to pay with. Nobody else's, and no log's."""
    reason: PaymentReason | None = None
    method: PaymentMethod | None = None
    """Of a payment that succeeded."""

    @property
    def is_paid(self) -> bool:
        return self.status is IntentStatus.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back; `provider_id` is the provider's key, `refund_id` ours, where it is one of ours."""

    provider_id: str
    intent_id: IntentId
    amount: Money
    status: RefundStatus
    refund_id: RefundId | None = None


class DisputeStatus(StrEnum):
    """The names are Stripe's (docs.stripe.com/api/disputes/object). What begins with `warning` is an inquiry: nothing is taken."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


INQUIRIES = frozenset({DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.WARNING_UNDER_REVIEW})
CONTESTED = frozenset({DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW})
"""While it is in these the provider refunds nothing of the payment."""
OPEN = INQUIRIES | CONTESTED
ANSWERED = frozenset({DisputeStatus.WARNING_UNDER_REVIEW, DisputeStatus.UNDER_REVIEW})


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as the provider has it. `provider_id` is the provider's key, `reason` its word for why.

    `is_withdrawn`: its amount was taken from us, and not given back; `moves`: how often it was one or the other.
    """

    provider_id: str
    intent_id: IntentId
    amount: Money
    status: DisputeStatus
    reason: str
    is_withdrawn: bool
    moves: int
    opened_at: datetime
    due_by: datetime | None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def age(self) -> tuple[int, int]:
        return age(self.moves, self.status)


def age(moves: int, status: DisputeStatus) -> tuple[int, int]:
    """Of two looks at one dispute the later never has less of this: money moves, it is answered, it is closed."""
    if status not in OPEN:
        return moves, 2
    return moves, int(status in ANSWERED)


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """Something that happened at the provider, as it told us. `id` is unique; `payload` is its JSON, word for word."""

    id: str
    type: str
    payload: str


def refund_id_of(order_id: OrderId, intent_id: IntentId) -> RefundId:
    """The key of a refund of all of an intent that came too late, or astray: always the same, so that it goes back once."""
    entropy = int.from_bytes(hashlib.sha256(f"{order_id} {intent_id}".encode()).digest())
    return RefundId(uuid7(uuid7_time(order_id), entropy))
