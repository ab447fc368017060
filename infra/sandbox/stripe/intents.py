"""PaymentIntents: what is asked for, from creation to success (docs.stripe.com/payments/paymentintents/lifecycle)."""

import secrets

from infra.sandbox.stripe.cards import payment_method
from infra.sandbox.stripe.errors import ApiError, Json, unexpected_state
from infra.sandbox.stripe.lists import Action, listing, retrieving, searching
from infra.sandbox.stripe.params import Params, merged
from infra.sandbox.stripe.paying import capture_charge, pay
from infra.sandbox.stripe.store import Transaction, public

KIND, URL = "payment_intent", "/v1/payment_intents"
LEAST = {"jpy": 50, "usd": 50, "eur": 50, "gbp": 30, "krw": 100}
"""Smallest charge by currency, in minor units (docs.stripe.com/currencies)."""
MOST = 99_999_999
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
UNSUPPORTED = (
    "transfer_data",
    "application_fee_amount",
    "on_behalf_of",
    "payment_method_data",
    "confirmation_token",
    "mandate_data",
    "shipping",
    "setup_future_usage",
)


def create(params: Params) -> Action:
    currency = params.needed("currency").lower()
    if currency not in LEAST:
        raise ApiError(400, f"Invalid currency: {currency}.", param="currency")
    amount = _amount(params, currency)
    if amount is None:
        raise ApiError(400, "Missing required param: amount.", code="parameter_missing", param="amount")
    texts = {name: params.text(name) for name in ("description", "receipt_email", "transfer_group", "customer")}
    suffix = params.text("statement_descriptor_suffix", longest=22)
    metadata = merged({}, params.metadata())
    capture = params.choice("capture_method", ("automatic", "automatic_async", "manual")) or "automatic_async"
    automatic = params.group("automatic_payment_methods")
    if automatic is not None:
        automatic.flag("enabled")
        automatic.choice("allow_redirects", ("always", "never"))
        automatic.done()
    types = params.strings("payment_method_types")
    allowed = params.strings("allowed_payment_method_types")
    params.choice("confirmation_method", ("automatic", "manual"))
    confirms = params.flag("confirm") or False
    how = _Confirmation(params)
    params.unsupported(*UNSUPPORTED)
    params.done()

    def act(tx: Transaction) -> Json:
        if texts["customer"]:
            tx.get("customer", texts["customer"], "customer")
        intent = tx.new("pi", KIND, {**BLANK, **texts, "amount": amount, "currency": currency, "created": tx.now})
        intent |= {
            "client_secret": f"{intent['id']}_secret_{secrets.token_urlsafe(18)}",
            "allowed_payment_method_types": allowed or None,
            "automatic_payment_methods": None if types else {"allow_redirects": "always", "enabled": True},
            "capture_method": capture,
            "metadata": metadata,
            "payment_method_types": types or ["card"],
            "statement_descriptor_suffix": suffix,
        }
        tx.put(intent)
        tx.emit("payment_intent.created", intent)
        return _confirmed(tx, intent, how) if confirms else _with_method(tx, intent, how)

    return act


def update(params: Params, key: str) -> Action:
    amount = params.integer("amount", least=1, most=MOST)
    texts = {name: value for name in ("description", "receipt_email") if (value := params.text(name)) is not None}
    metadata = params.metadata()
    params.unsupported(*UNSUPPORTED, "payment_method", "currency", "customer", "transfer_group")
    params.done()

    def act(tx: Transaction) -> Json:
        intent = tx.get(KIND, key, "intent")
        if amount is not None and intent["status"] not in ("requires_payment_method", "requires_confirmation"):
            message = f"This PaymentIntent's amount could not be updated: it has a status of {intent['status']}."
            raise unexpected_state(message, public(intent))
        intent |= texts
        intent["amount"] = intent["amount"] if amount is None else amount
        intent["metadata"] = merged(intent["metadata"], metadata)
        return public(tx.put(intent))

    return act


def confirm(params: Params, key: str) -> Action:
    how = _Confirmation(params)
    params.unsupported(*UNSUPPORTED)
    params.done()
    return lambda tx: _confirmed(tx, tx.get(KIND, key, "intent"), how)


def capture(params: Params, key: str) -> Action:
    asked = params.integer("amount_to_capture", least=1, most=MOST)
    params.unsupported(*UNSUPPORTED, "final_capture", "metadata")
    params.done()

    def act(tx: Transaction) -> Json:
        intent = tx.get(KIND, key, "intent")
        if intent["status"] != "requires_capture":
            message = (
                f"This PaymentIntent could not be captured because it has a status of {intent['status']}. "
                "Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
            )
            raise unexpected_state(message, public(intent))
        amount = asked or intent["amount_capturable"]
        if amount > intent["amount_capturable"]:
            message = "The amount to capture is larger than the amount that was authorized."
            raise ApiError(400, message, code="amount_too_large", param="amount_to_capture")
        return public(capture_charge(tx, intent, amount))

    return act


def cancel(params: Params, key: str) -> Action:
    reason = params.choice("cancellation_reason", REASONS)
    params.done()

    def act(tx: Transaction) -> Json:
        intent = tx.get(KIND, key, "intent")
        if intent["status"] in ("succeeded", "canceled", "processing"):
            message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
            raise unexpected_state(message, public(intent))
        intent |= {
            "status": "canceled",
            "canceled_at": tx.now,
            "cancellation_reason": reason,
            "amount_capturable": 0,
            "next_action": None,
        }
        tx.put(intent)
        tx.emit("payment_intent.canceled", intent)
        return public(intent)

    return act


def authenticate(params: Params, key: str) -> Action:
    """What a customer does on the bank's page; a call of ours, not of Stripe's. `succeed=false`: they fail."""
    succeeds = params.flag("succeed") is not False
    params.done()

    def act(tx: Transaction) -> Json:
        intent = tx.get(KIND, key, "intent")
        if intent["status"] != "requires_action":
            raise unexpected_state("There is nothing to authenticate.", public(intent))
        return pay(tx, intent, authenticated=succeeds)

    return act


def retrieve(params: Params, key: str) -> Action:
    secret = params.text("client_secret")
    read = retrieving(params, KIND, key, "intent")

    def act(tx: Transaction) -> Json:
        found = read(tx)
        if secret is not None and secret != found["client_secret"]:
            message = "The client_secret provided does not match the client_secret associated with the PaymentIntent."
            raise ApiError(400, message, code="payment_intent_invalid_parameter", param="client_secret")
        return found

    return act


def index(params: Params) -> Action:
    return listing(params, KIND, URL, ("customer",))


def search(params: Params) -> Action:
    return searching(params, KIND, f"{URL}/search")


class _Confirmation:
    """How a payment is confirmed."""

    def __init__(self, params: Params) -> None:
        self.method = params.text("payment_method")
        self.return_url = params.text("return_url")
        self.off_session = params.flag("off_session") or False
        self.fails_on_action = params.flag("error_on_requires_action") or False
        params.flag("use_stripe_sdk")


def _with_method(tx: Transaction, intent: Json, how: _Confirmation) -> Json:
    if how.method:
        intent |= {"payment_method": payment_method(tx, how.method)["id"], "status": "requires_confirmation"}
        tx.put(intent)
    return public(intent)


def _confirmed(tx: Transaction, intent: Json, how: _Confirmation) -> Json:
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        state = "already succeeded" if intent["status"] == "succeeded" else f"a status of {intent['status']}"
        message = f"You cannot confirm this PaymentIntent because it has {state}."
        raise unexpected_state(message, public(intent))
    if not (how.method or intent["payment_method"]):
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise unexpected_state(message, public(intent))
    _with_method(tx, intent, how)
    return pay(tx, intent, return_url=how.return_url, off_session=how.off_session, fails_on_action=how.fails_on_action)


def _amount(params: Params, currency: str) -> int | None:
    amount = params.integer("amount", least=1, most=MOST)
    if amount is not None and amount < LEAST[currency]:
        message = f"Amount must be at least {LEAST[currency]} of the smallest unit of {currency}"
        raise ApiError(400, message, code="amount_too_small", param="amount")
    return amount


BLANK: Json = {
    "allowed_payment_method_types": None,
    "amount": 0,
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic_async",
    "client_secret": None,
    "confirmation_method": "automatic",
    "created": 0,
    "currency": "",
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "managed_payments": {"enabled": False},
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "requires_payment_method",
    "transfer_data": None,
    "transfer_group": None,
}
