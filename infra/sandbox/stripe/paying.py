"""What happens to the money of a PaymentIntent: authentication, charge, decline, capture."""

from typing import Never

from infra.sandbox.stripe.cards import CARDS, DECLINED, Card, Decline, card_details
from infra.sandbox.stripe.disputes import dispute
from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.store import Transaction, public

UNAUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
NEEDS_CUSTOMER = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


def pay(
    tx: Transaction,
    intent: Json,
    *,
    authenticated: bool | None = None,
    return_url: str | None = None,
    off_session: bool = False,
    fails_on_action: bool = False,
) -> Json:
    """Carry a confirmed intent as far as it goes. What a decline leaves behind stays. Raises ApiError (402)."""
    method = tx.get("payment_method", intent["payment_method"], "payment_method")
    card = CARDS.get(method["_card"], Card("0002", decline=DECLINED))
    if card.authenticates and authenticated is None:
        if off_session or fails_on_action:
            _decline(tx, intent, method, NEEDS_CUSTOMER)
        return _ask(tx, intent, return_url)
    if authenticated is False:
        _fail(tx, intent, method, UNAUTHENTICATED, charge=None)
        return public(intent)  # the customer failed, not this call
    if card.decline is not None:
        if authenticated:
            _fail(tx, intent, method, card.decline, _charge(tx, intent, method, card.decline))
            return public(intent)
        _decline(tx, intent, method, card.decline)
    return _succeed(tx, intent, method)


def capture_charge(tx: Transaction, intent: Json, amount: int) -> Json:
    """Take what was authorised, or a part of it; the rest is let go."""
    charge = tx.get("charge", intent["latest_charge"])
    charge |= {"captured": True, "amount_captured": amount}
    tx.put(charge)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    tx.put(intent)
    tx.move(intent["currency"], amount)
    tx.emit("charge.captured", charge)
    tx.emit("payment_intent.succeeded", intent)
    return intent


def _ask(tx: Transaction, intent: Json, return_url: str | None) -> Json:
    """The bank wants to see the customer."""
    redirect = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": f"https://hooks.stripe.com/3d_secure_2/{intent['id']}"},
    }
    intent |= {
        "status": "requires_action",
        "next_action": redirect
        if return_url
        else {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}},
    }
    tx.put(intent)
    tx.emit("payment_intent.requires_action", intent)
    return public(intent)


def _succeed(tx: Transaction, intent: Json, method: Json) -> Json:
    charge = _charge(tx, intent, method, None)
    held = intent["capture_method"] == "manual"
    intent |= {
        "latest_charge": charge["id"],
        "last_payment_error": None,
        "next_action": None,
        "status": "requires_capture" if held else "succeeded",
        "amount_capturable": intent["amount"] if held else 0,
        "amount_received": 0 if held else intent["amount"],
    }
    tx.put(intent)
    tx.emit("charge.succeeded", charge)
    if held:
        tx.emit("payment_intent.amount_capturable_updated", intent)
    else:
        tx.move(intent["currency"], intent["amount"])
        tx.emit("payment_intent.succeeded", intent)
        if (kind := CARDS[method["_card"]].disputes) is not None:
            dispute(tx, charge, is_inquiry=kind == "inquiry")
    return public(intent)


def _decline(tx: Transaction, intent: Json, method: Json, why: Decline) -> Never:
    charge = _charge(tx, intent, method, why)
    _fail(tx, intent, method, why, charge)
    details = {**_reason(why, method), "charge": charge["id"], "payment_intent": public(intent)}
    raise ApiError(402, why.message, kind="card_error", code=why.code, details=details)


def _fail(tx: Transaction, intent: Json, method: Json, why: Decline, charge: Json | None) -> None:
    kind = "card_error" if charge else "invalid_request_error"
    error = {"type": kind, "code": why.code, "message": why.message, **_reason(why, method)}
    if charge:
        error["charge"] = charge["id"]
        intent["latest_charge"] = charge["id"]
        tx.emit("charge.failed", charge)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": error,
    }
    tx.put(intent)
    tx.emit("payment_intent.payment_failed", intent)


def _reason(why: Decline, method: Json) -> Json:
    decline_code = {"decline_code": why.decline_code} if why.decline_code else {}
    return {**decline_code, "payment_method": public(method)}


def _charge(tx: Transaction, intent: Json, method: Json, why: Decline | None) -> Json:
    """An attempt to take the money, as `PaymentIntent.latest_charge` shows it."""
    taken = intent["capture_method"] != "manual" and why is None
    copied = ("amount", "currency", "customer", "description", "metadata", "receipt_email", "transfer_group")
    body = {
        **BLANK,
        **{name: intent[name] for name in copied},
        "amount_captured": intent["amount"] if taken else 0,
        "billing_details": method["billing_details"],
        "captured": taken,
        "created": tx.now,
        "failure_code": why.code if why else None,
        "failure_message": why.message if why else None,
        "outcome": _outcome(why),
        "paid": why is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": _card_of(method, intent)},
        "status": "failed" if why else "succeeded",
        "_transferred": 0,
    }
    return tx.new("ch", "charge", body)


def _card_of(method: Json, intent: Json) -> Json:
    shown = {name: value for name, value in card_details(CARDS[method["_card"]]).items() if name not in NOT_OF_A_CHARGE}
    return {**shown, **BLANK_CARD, "amount_authorized": intent["amount"], "network": shown["brand"]}


NOT_OF_A_CHARGE = ("display_brand", "generated_from", "networks", "three_d_secure_usage")


def _outcome(why: Decline | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if why else "approved_by_network",
        "reason": (why.decline_code or why.code) if why else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank did not return any further details." if why else "Payment complete.",
        "type": "issuer_declined" if why else "authorized",
    }


BLANK_CARD: Json = {
    "authorization_code": None,
    "extended_authorization": {"status": "disabled"},
    "incremental_authorization": {"status": "unavailable"},
    "installments": None,
    "mandate": None,
    "multicapture": {"status": "unavailable"},
    "network_token": {"used": False},
    "network_transaction_id": None,
    "overcapture": {"maximum_amount_capturable": 0, "status": "unavailable"},
    "regulated_status": None,
    "three_d_secure": None,
    "transaction_link_id": None,
}
BLANK: Json = {
    "amount": 0,
    "amount_captured": 0,
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "TORII",
    "disputed": False,
    "failure_balance_transaction": None,
    "fraud_details": {},
    "livemode": False,
    "on_behalf_of": None,
    "radar_options": {},
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
}
