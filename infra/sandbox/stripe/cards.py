"""Test cards and what becomes of a payment with them (docs.stripe.com/testing)."""

from dataclasses import dataclass

from infra.sandbox.stripe.errors import ApiError, Json, missing
from infra.sandbox.stripe.store import Transaction


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank says no: `code` of the error, and its `decline_code` where it has one."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """`decline` comes after the authentication, where one is needed."""

    last4: str
    brand: str = "visa"
    country: str = "US"
    authenticates: bool = False
    decline: Decline | None = None
    disputes: str | None = None
    """What its bank does once it was charged: a `dispute`, or an `inquiry` that takes nothing yet."""


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
CARDS = {
    "visa": Card("4242"),
    "mastercard": Card("4444", "mastercard"),
    "amex": Card("8431", "amex"),
    "jcb": Card("0505", "jcb", "JP"),
    "jp": Card("0003", country="JP"),
    "chargeDeclined": Card("0002", decline=DECLINED),
    "chargeDeclinedInsufficientFunds": Card("9995", decline=NO_FUNDS),
    "chargeDeclinedLostCard": Card("9987", decline=Decline("card_declined", "lost_card", "Your card was declined.")),
    "chargeDeclinedStolenCard": Card(
        "9979", decline=Decline("card_declined", "stolen_card", "Your card was declined.")
    ),
    "chargeDeclinedExpiredCard": Card(
        "0069", decline=Decline("expired_card", "expired_card", "Your card has expired.")
    ),
    "chargeDeclinedIncorrectCvc": Card(
        "0127", decline=Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
    ),
    "chargeDeclinedProcessingError": Card(
        "0119",
        decline=Decline(
            "processing_error", "processing_error", "An error occurred while processing your card. Try again later."
        ),
    ),
    "createDispute": Card("0259", disputes="dispute"),
    "createDisputeInquiry": Card("1976", disputes="inquiry"),
    "authenticationRequired": Card("3184", authenticates=True),
    "threeDSecure2Required": Card("3220", authenticates=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card("8260", authenticates=True, decline=NO_FUNDS),
}
PREFIX = "pm_card_"


def card_named(name: str) -> str | None:
    """The key in CARDS of `pm_card_visa` and the like; `pm_card_visa_chargeDeclined` is one of the same cards."""
    if not name.startswith(PREFIX):
        return None
    key = name.removeprefix(PREFIX)
    return key if key in CARDS else next((k for k in (key.removeprefix("visa_"),) if k in CARDS), None)


def payment_method(tx: Transaction, name: str) -> Json:
    """A method that was made before, or a new one for a test card's name. Raises ApiError."""
    key = card_named(name)
    if key is None:
        found = tx.find("payment_method", name)
        if found is None:
            if "_card_" in name:
                raise ApiError(400, f"This sandbox does not know the test card '{name}'.", param="payment_method")
            raise missing("PaymentMethod", name, "payment_method")
        return found
    details = card_details(CARDS[key])
    empty = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    body = {
        "_card": key,
        "allow_redisplay": "unspecified",
        "billing_details": empty,
        "card": details,
        "created": tx.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    return tx.new("pm", "payment_method", body)


def card_details(card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
