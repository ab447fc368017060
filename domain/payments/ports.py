"""What payments need from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.payments.model import IntentId, PaymentIntent, ProviderEvent, Refund, RefundId
from domain.shared.ids import OrderId
from domain.shared.money import Money


class PaymentProvider(Protocol):
    """Whoever moves the money. All of it raises Unavailable: then nobody knows whether it happened, and the same call with
    the same keys, within a day, gives what did.
    """

    async def create_intent(self, order_id: OrderId, amount: Money) -> PaymentIntent:
        """The one intent of this order: asked again, the same one. Raises PaymentConflict, PaymentRefused."""
        ...

    async def intent(self, intent_id: IntentId) -> PaymentIntent | None: ...

    async def intents_of(self, order_id: OrderId) -> Sequence[PaymentIntent]:
        """Found by the order's id, newest first, at most 100. What is younger than a minute may be missing."""
        ...

    async def cancel_intent(self, intent_id: IntentId) -> PaymentIntent:
        """Nothing will be paid any more. One that is cancelled stays so. Raises NotFound, PaymentRefused (it is paid)."""
        ...

    async def refund(self, refund_id: RefundId, intent_id: IntentId, amount: Money) -> Refund:
        """Give this much back: asked again with the same id, once. Raises NotFound, PaymentRefused, PaymentConflict."""
        ...


class EventReader(Protocol):
    """Knows the provider's messages from other people's."""

    def read(self, payload: bytes, signature: str | None) -> ProviderEvent:
        """Raises UntrustedEvent."""
        ...


class EventInbox(Protocol):
    """Where messages are kept until somebody handles them."""

    async def keep(self, event: ProviderEvent) -> bool:
        """Whether it is new; one that is there already stays as it is. Kept for good when this returns. Raises Unavailable."""
        ...
