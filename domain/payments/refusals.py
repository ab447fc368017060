"""What a payment provider, or a look at its message, says no to."""

from domain.shared.refusals import Refusal


class PaymentRefused(Refusal):
    """The provider does not do what was asked, and would not do it a second time: more was to be refunded than paid."""

    code = "PAYMENT_REFUSED"


class PaymentConflict(Refusal):
    """The order has a payment already, over something else."""

    code = "PAYMENT_CONFLICT"


class UntrustedEvent(Refusal):
    """A message that does not prove to come from the provider, is too old, or cannot be read."""

    code = "UNTRUSTED_EVENT"
