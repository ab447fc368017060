"""Payments as the marketplace sees them, whoever moves the money."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.shared.ids import OrderId
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


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """What is asked for an order. `order_id` is None where it is not one of ours; `decline_code` is of the last try."""

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


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back; `provider_id` is the provider's key."""

    provider_id: str
    intent_id: IntentId
    amount: Money
    status: RefundStatus


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """Something that happened at the provider, as it told us. `id` is unique; `payload` is its JSON, word for word."""

    id: str
    type: str
    payload: str
