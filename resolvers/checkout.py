"""Checkout, and how far an order has come."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.accounts.addresses import AddressFields
from domain.carts.quotes import CartProblem, CartQuote
from domain.orders.buying import Destination
from domain.orders.checkout import CheckedOut, CheckoutRequest
from domain.orders.checkout_refusals import QuoteChanged
from domain.orders.ports import SettlementKind
from domain.payments.refusals import PaymentReason, PaymentRefused
from domain.shared.ids import AddressId, OrderId
from resolvers.addresses import WRITTEN
from resolvers.allowance import address_of
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import decode, key_of

POLL_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Succeeded:
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class Processing:
    order_id: OrderId
    poll_after_ms: int = POLL_AFTER_MS


@dataclass(frozen=True, slots=True)
class ActionRequired:
    order_id: OrderId
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """`reason` and `message` are None where the order was given up without a word of the provider's."""

    order_id: OrderId
    retry_client_secret: str | None = field(repr=False)
    reason: PaymentReason | None
    message: str | None


Outcome = Succeeded | Processing | ActionRequired | Failed


@dataclass(frozen=True, slots=True)
class CheckoutPayload:
    checkout: Outcome | None
    user_errors: Sequence[UserError]
    problems: Sequence[CartProblem] = ()
    quote: CartQuote | None = None


async def place(info: Info, asked: Any) -> CheckoutPayload:
    changed: list[QuoteChanged] = []

    async def use_case() -> CheckedOut:
        try:
            return await info.context.services.checkout.place(info.context.viewer, _request(info, asked))
        except QuoteChanged as refusal:
            changed.append(refusal)
            raise

    done, refusals = await outcome_or_refusal(info, use_case)
    if done is not None:
        return CheckoutPayload(_outcome(info, done), ())
    if changed:
        return CheckoutPayload(None, refusals, changed[0].priced.problems, changed[0].priced.quote)
    return CheckoutPayload(None, refusals)


async def state(info: Info, order_id: str) -> Outcome | None:
    decoded = decode(order_id)
    if decoded is None or decoded[0] != "Order":
        return None
    found = await info.context.services.checkout.state(info.context.viewer, OrderId(decoded[1]))
    return None if found is None else _outcome(info, found)


def _request(info: Info, asked: Any) -> CheckoutRequest:
    address_id = None
    if asked.address_id is not None:
        address_id = AddressId(key_of(asked.address_id, "Address", "addressId"))
    fields = None
    if asked.address is not None:
        fields = AddressFields(*(getattr(asked.address, name) for name in WRITTEN))
    destination = Destination(address_id, fields, asked.email)
    context = info.context
    return CheckoutRequest(asked.idempotency_key, asked.quote_hash, destination, context.language, address_of(context))


def _outcome(info: Info, done: CheckedOut) -> Outcome:
    settlement = done.settlement
    secret, reason = settlement.client_secret, settlement.reason
    match settlement.kind:
        case SettlementKind.SUCCEEDED:
            return Succeeded(done.order_id)
        case SettlementKind.PROCESSING:
            return Processing(done.order_id)
        case SettlementKind.ACTION_REQUIRED if secret is not None:
            return ActionRequired(done.order_id, secret)
        case SettlementKind.FAILED:
            message = None if reason is None else PaymentRefused(reason).told(info.context.language)
            return Failed(done.order_id, secret, reason, message)
    return Processing(done.order_id)  # there is something to do, and what it takes comes later
