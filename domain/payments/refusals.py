"""What a payment provider, or a look at its message, says no to."""

from enum import StrEnum

from domain.shared.refusals import Refusal, Unavailable


class PaymentReason(StrEnum):
    """Why a payment provider says no, as far as it is for people to know. The value is the key of its text."""

    OTHER = "PAYMENT_REFUSED"
    AMOUNT = "payment_amount"
    STATE = "payment_state"
    REFUNDED = "payment_refunded"
    DISPUTED = "PAYMENT_DISPUTED"
    DECLINED = "payment_declined"
    FUNDS = "payment_funds"
    EXPIRED = "payment_card_expired"
    CARD_DATA = "payment_card_data"
    AUTHENTICATION = "payment_authentication"


class PaymentRefused(Refusal):
    """The provider does not do what was asked, and would not do it a second time: more was to be refunded than paid.

    The text is ours: the provider's own may name what is nobody's business, in a language that the client did not ask for.
    """

    code = "PAYMENT_REFUSED"

    def __init__(self, reason: PaymentReason = PaymentReason.OTHER) -> None:
        super().__init__(key=reason.value)
        self.reason = reason


class ProviderAway(Unavailable):
    """The provider did not answer, or would rather not. Nobody knows whether what was asked for happened."""


class PaymentConflict(Refusal):
    """The order has a payment already, over something else."""

    code = "PAYMENT_CONFLICT"


class KeySpent(Refusal):
    """The provider gives the failure of an earlier call again, and will for a day: another key is needed.

    Whether anything came of that call has to be looked up first.
    """

    code = "PAYMENT_KEY_SPENT"


class UntrustedEvent(Refusal):
    """A message that does not prove to come from the provider, is too old, or cannot be read."""

    code = "UNTRUSTED_EVENT"
