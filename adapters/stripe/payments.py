"""Payment intents and refunds at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.stripe.connection import StripeConnection
from domain.payments.model import (
    IntentId,
    IntentStatus,
    PaymentIntent,
    Refund,
    RefundId,
    RefundStatus,
)
from domain.payments.refusals import PaymentRefused
from domain.shared.ids import OrderId
from domain.shared.money import Money
from domain.shared.refusals import NotFound

if TYPE_CHECKING:
    import stripe

ORDER = "order_id"
"""Key of the metadata that leads from an intent to its order."""
MOST_OF_AN_ORDER = 100


class StripePayments:
    """The port `PaymentProvider`. Keys that Stripe knows a call again by are made of ours, never of a client's."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection

    async def create_intent(self, order_id: OrderId, amount: Money) -> PaymentIntent:
        async with self._connection.calling() as client:
            made = await client.v1.payment_intents.create_async(
                {
                    "amount": amount.minor,
                    "currency": amount.currency.lower(),
                    "automatic_payment_methods": {"enabled": True},
                    "metadata": {ORDER: str(order_id)},
                    "transfer_group": f"order:{order_id}",
                },
                {"idempotency_key": f"order:{order_id}:intent"},
            )
        return intent_of(made)

    async def intent(self, intent_id: IntentId) -> PaymentIntent | None:
        try:
            async with self._connection.calling() as client:
                return intent_of(await client.v1.payment_intents.retrieve_async(intent_id))
        except NotFound:
            return None

    async def intents_of(self, order_id: OrderId) -> Sequence[PaymentIntent]:
        query = f"metadata['{ORDER}']:'{order_id}'"
        async with self._connection.calling() as client:
            found = await client.v1.payment_intents.search_async({"query": query, "limit": MOST_OF_AN_ORDER})
        return [intent_of(each) for each in found.data]

    async def cancel_intent(self, intent_id: IntentId) -> PaymentIntent:
        # Without a key of its own: Stripe would give a refusal of today again tomorrow, when it could be done.
        try:
            async with self._connection.calling() as client:
                return intent_of(await client.v1.payment_intents.cancel_async(intent_id))
        except PaymentRefused:
            found = await self.intent(intent_id)
            if found is not None and found.status is IntentStatus.CANCELED:
                return found
            raise

    async def refund(self, refund_id: RefundId, intent_id: IntentId, amount: Money) -> Refund:
        async with self._connection.calling() as client:
            made = await client.v1.refunds.create_async(
                {"payment_intent": intent_id, "amount": amount.minor, "metadata": {"refund_id": str(refund_id)}},
                {"idempotency_key": f"refund:{refund_id}"},
            )
        return Refund(
            provider_id=made.id,
            intent_id=intent_id,
            amount=Money(made.amount, made.currency.upper()),
            status=RefundStatus(made.status or RefundStatus.PENDING),
        )


def intent_of(found: "stripe.PaymentIntent") -> PaymentIntent:
    """What Stripe leaves out raises AttributeError in the library's objects, so they are read as plain values."""
    raw: Mapping[str, Any] = found.to_dict()
    currency = raw["currency"].upper()
    failed = raw.get("last_payment_error") or {}
    charge = raw.get("latest_charge")
    return PaymentIntent(
        id=IntentId(raw["id"]),
        order_id=_order_of(raw.get("metadata") or {}),
        amount=Money(raw["amount"], currency),
        received=Money(raw.get("amount_received") or 0, currency),
        status=IntentStatus(raw["status"]),
        created_at=datetime.fromtimestamp(raw["created"], UTC),
        charge_id=charge if isinstance(charge, str) else None,
        decline_code=failed.get("decline_code") or failed.get("code"),
        client_secret=raw.get("client_secret") or "",
    )


def _order_of(metadata: Mapping[str, str]) -> OrderId | None:
    """Others may use the same account of Stripe: what has no order of ours is none of ours."""
    named = metadata.get(ORDER)
    try:
        return OrderId(UUID(named)) if named else None
    except ValueError:
        return None
