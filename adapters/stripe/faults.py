"""What Stripe says no with, as refusals of the domain. Source: docs.stripe.com/error-handling, /error-codes, /declines/codes.

Nothing of Stripe's own text goes on, into an answer or into a log: it may quote what was sent. So the cause is one of ours.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from domain.payments.refusals import KeySpent, PaymentConflict, PaymentReason, PaymentRefused, ProviderAway
from domain.shared.refusals import NotFound

if TYPE_CHECKING:
    import stripe

SERVICE = "Stripe"
REASONS: Mapping[str, PaymentReason] = {
    "amount_too_large": PaymentReason.AMOUNT,
    "amount_too_small": PaymentReason.AMOUNT,
    "authentication_required": PaymentReason.AUTHENTICATION,
    "card_declined": PaymentReason.DECLINED,
    "charge_already_refunded": PaymentReason.REFUNDED,
    "charge_disputed": PaymentReason.DISPUTED,
    "expired_card": PaymentReason.EXPIRED,
    "incorrect_cvc": PaymentReason.CARD_DATA,
    "incorrect_number": PaymentReason.CARD_DATA,
    "insufficient_funds": PaymentReason.FUNDS,
    "invalid_cvc": PaymentReason.CARD_DATA,
    "invalid_expiry_month": PaymentReason.CARD_DATA,
    "invalid_expiry_year": PaymentReason.CARD_DATA,
    "invalid_number": PaymentReason.CARD_DATA,
    "payment_intent_authentication_failure": PaymentReason.AUTHENTICATION,
    "payment_intent_unexpected_state": PaymentReason.STATE,
}
"""By Stripe's code, or its code of why a card was declined. Codes that tell of theft or fraud are missing on purpose: a thief is
told no more than that the card was declined."""

log = logging.getLogger("torii.stripe")


AT_WORK = 409
"""The same call is at work: Stripe is as well as can be."""


class StripeFault(Exception):
    """An error of Stripe's, by what names it there: its kind, its code and the request."""

    def __init__(self, error: "stripe.StripeError") -> None:
        named = error.code or "without a code"
        super().__init__(f"Stripe answered {type(error).__name__}, {named} (request {error.request_id})")
        self.is_outage = error.http_status != AT_WORK


@contextmanager
def in_our_terms() -> Iterator[None]:
    """Stripe's errors as refusals, where asking again changes nothing, or as an outage.

    Raises NotFound, PaymentRefused, PaymentConflict, KeySpent, ProviderAway.
    """
    import stripe

    try:
        yield
    except stripe.StripeError as error:
        if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
            log.error("Stripe does not let us in: check TORII_STRIPE_SECRET_KEY (request %s)", error.request_id)
        raise _meaning(error) from StripeFault(error)


def _meaning(error: "stripe.StripeError") -> Exception:
    import stripe

    if isinstance(error, stripe.IdempotencyError):
        return PaymentConflict()
    if isinstance(error, stripe.InvalidRequestError):
        if error.code == "resource_missing":
            return NotFound("there is no such payment")
        return PaymentRefused(REASONS.get(error.code or "", PaymentReason.OTHER))
    if isinstance(error, stripe.CardError):
        why = error.error.decline_code if error.error is not None else None
        return PaymentRefused(reason_of(why or error.code))
    if error.http_status is not None and error.http_status >= 500 and _is_replayed(error):
        return KeySpent()
    return ProviderAway(SERVICE)  # no connection, 401, 409, 429, 5xx: the same call may work later


def reason_of(code: str | None) -> PaymentReason:
    """What people are told of a decline."""
    return REASONS.get(code or "", PaymentReason.DECLINED)


def _is_replayed(error: "stripe.StripeError") -> bool:
    """Whether it is the remembered answer to an earlier call (docs.stripe.com/api/idempotent_requests)."""
    headers = {str(name).lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"
