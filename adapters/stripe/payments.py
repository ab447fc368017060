"""Payment intents and refunds at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.stripe.connection import StripeConnection
from adapters.stripe.faults import reason_of
from domain.payments.model import (
    Dispute,
    DisputeStatus,
    IntentId,
    IntentStatus,
    PaymentIntent,
    PaymentMethod,
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
    from stripe.params import RefundListParams

ORDER = "order_id"
"""Key of the metadata that leads from an intent to its order."""
REFUND = "refund_id"
MOST_OF_AN_ORDER = 100


class StripePayments:
    """The port `PaymentProvider`. Keys that Stripe knows a call again by are made of ours, never of a client's."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection

    async def create_intent(self, order_id: OrderId, amount: Money, attempt: int = 1) -> PaymentIntent:
        async with self._connection.calling() as client:
            made = await client.v1.payment_intents.create_async(
                {
                    "amount": amount.minor,
                    "currency": amount.currency.lower(),
                    "automatic_payment_methods": {"enabled": True},
                    # and the wallets on top of cards: what takes days would outlive what is set aside for the order
                    "allowed_payment_method_types": ["card"],
                    "metadata": {ORDER: str(order_id)},
                    "transfer_group": f"order:{order_id}",
                },
                {"idempotency_key": _key(f"order:{order_id}:intent", attempt)},
            )
        return intent_of(made)

    async def intent(self, intent_id: IntentId) -> PaymentIntent | None:
        try:
            async with self._connection.calling() as client:
                # how it was paid stands with the charge
                found = await client.v1.payment_intents.retrieve_async(intent_id, {"expand": ["latest_charge"]})
                return intent_of(found)
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

    async def refund(self, refund_id: RefundId, intent_id: IntentId, amount: Money, attempt: int = 1) -> Refund:
        async with self._connection.calling() as client:
            made = await client.v1.refunds.create_async(
                {"payment_intent": intent_id, "amount": amount.minor, "metadata": {REFUND: str(refund_id)}},
                {"idempotency_key": _key(f"refund:{refund_id}", attempt)},
            )
        return refund_of(made)

    async def refunds_of(self, intent_id: IntentId) -> Sequence[Refund]:
        if not intent_id:  # without it all of the account's are listed
            raise NotFound("nothing was paid")
        found: list[Refund] = []
        which: RefundListParams = {"payment_intent": intent_id, "limit": MOST_OF_AN_ORDER}
        while True:
            async with self._connection.calling() as client:
                page = await client.v1.refunds.list_async(which)
            found += [refund_of(each) for each in page.data]
            if not page.has_more:
                return found
            which["starting_after"] = page.data[-1].id

    async def disputes_of(self, intent_id: IntentId) -> Sequence[Dispute]:
        async with self._connection.calling() as client:
            # more than one is rare, and a hundred are none that the books could hold
            page = await client.v1.disputes.list_async({"payment_intent": intent_id, "limit": MOST_OF_AN_ORDER})
        return [dispute_of(each) for each in page.data]


def _key(name: str, attempt: int) -> str:
    """The first attempt's key is the name itself."""
    return name if attempt == 1 else f"{name}:{attempt}"


def refund_of(found: "stripe.Refund") -> Refund:
    raw: Mapping[str, Any] = found.to_dict()
    named = _uuid((raw.get("metadata") or {}).get(REFUND))
    return Refund(
        provider_id=raw["id"],
        intent_id=IntentId(raw.get("payment_intent") or ""),
        amount=Money(raw["amount"], raw["currency"].upper()),
        status=RefundStatus(raw.get("status") or RefundStatus.PENDING),
        refund_id=RefundId(named) if named else None,
    )


def dispute_of(found: "stripe.Dispute") -> Dispute:
    """Where its money is say the entries of our balance: what its events tell of that comes in any order."""
    raw: Mapping[str, Any] = found.to_dict()
    moved = raw.get("balance_transactions") or []
    due_by = (raw.get("evidence_details") or {}).get("due_by")
    return Dispute(
        provider_id=raw["id"],
        intent_id=IntentId(raw.get("payment_intent") or ""),
        amount=Money(raw["amount"], raw["currency"].upper()),
        status=DisputeStatus(raw["status"]),
        reason=raw["reason"],
        is_withdrawn=sum(each["amount"] for each in moved) < 0,
        moves=len(moved),
        opened_at=datetime.fromtimestamp(raw["created"], UTC),
        due_by=None if due_by is None else datetime.fromtimestamp(due_by, UTC),
    )


def intent_of(found: "stripe.PaymentIntent") -> PaymentIntent:
    """What Stripe leaves out raises AttributeError in the library's objects, so they are read as plain values."""
    raw: Mapping[str, Any] = found.to_dict()
    currency = raw["currency"].upper()
    failed = raw.get("last_payment_error") or {}
    code = failed.get("decline_code") or failed.get("code")
    charge = raw.get("latest_charge")
    details = charge if isinstance(charge, Mapping) else {"id": charge}
    return PaymentIntent(
        id=IntentId(raw["id"]),
        order_id=order_of(raw.get("metadata") or {}),
        amount=Money(raw["amount"], currency),
        received=Money(raw.get("amount_received") or 0, currency),
        status=IntentStatus(raw["status"]),
        created_at=datetime.fromtimestamp(raw["created"], UTC),
        charge_id=details["id"],
        decline_code=code,
        client_secret=raw.get("client_secret") or "",
        reason=reason_of(code) if code else None,
        method=_method_of(details) if raw["status"] == IntentStatus.SUCCEEDED else None,
    )


def _method_of(charge: Mapping[str, Any]) -> PaymentMethod | None:
    """Of all that Stripe tells, what a receipt shows."""
    details = charge.get("payment_method_details")
    if not details:
        return None
    of_its_kind = details.get(details["type"]) or {}
    wallet = of_its_kind.get("wallet") or {}
    return PaymentMethod(details["type"], of_its_kind.get("brand"), of_its_kind.get("last4"), wallet.get("type"))


def order_of(metadata: Mapping[str, str]) -> OrderId | None:
    """Others may use the same account of Stripe: what has no order of ours is none of ours."""
    named = _uuid(metadata.get(ORDER))
    return OrderId(named) if named else None


def _uuid(named: str | None) -> UUID | None:
    try:
        return UUID(named) if named else None
    except ValueError:
        return None
