"""What payments need from the outside."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from domain.payments.model import Dispute, IntentId, PaymentIntent, ProviderEvent, Refund, RefundId
from domain.payments.standing import Decision, Standing
from domain.shared.ids import OrderId
from domain.shared.money import Money


class PaymentProvider(Protocol):
    """Whoever moves the money. All of it raises Unavailable: then nobody knows whether it happened, and the same call with
    the same keys, within a day, gives what did.
    """

    async def create_intent(self, order_id: OrderId, amount: Money, attempt: int = 1) -> PaymentIntent:
        """The one intent of this order: asked again, the same one, but for each `attempt` another.

        Raises PaymentConflict, PaymentRefused, KeySpent.
        """
        ...

    async def intent(self, intent_id: IntentId) -> PaymentIntent | None: ...

    async def intents_of(self, order_id: OrderId) -> Sequence[PaymentIntent]:
        """Found by the order's id, newest first, at most 100. What is younger than a minute may be missing."""
        ...

    async def cancel_intent(self, intent_id: IntentId) -> PaymentIntent:
        """Nothing will be paid any more. One that is cancelled stays so. Raises NotFound, PaymentRefused (it is paid)."""
        ...

    async def refund(self, refund_id: RefundId, intent_id: IntentId, amount: Money, attempt: int = 1) -> Refund:
        """Give this much back: asked again with the same id and `attempt`, once.

        Raises NotFound, PaymentRefused, PaymentConflict, KeySpent.
        """
        ...

    async def refunds_of(self, intent_id: IntentId) -> Sequence[Refund]:
        """All that went back, or is on its way. Nothing is missing, however young. Raises NotFound."""
        ...

    async def disputes_of(self, intent_id: IntentId) -> Sequence[Dispute]:
        """All that there ever were of it."""
        ...


class PaymentBook(Protocol):
    """What is written of payments. Every method raises Unavailable."""

    async def standing(self, order_id: OrderId) -> Standing | None:
        """How the order's payment stands; None where there is no such order, or nothing to pay for it."""
        ...

    async def begin(self, order_id: OrderId, check_at: datetime) -> Standing | None:
        """The same; the provider is about to be asked, and is to be asked again then unless the payment is settled before."""
        ...

    async def settle(
        self,
        order_id: OrderId,
        intent: PaymentIntent | None,
        judge: Callable[[Standing], Decision],
        now: datetime,
    ) -> tuple[Standing, Decision]:
        """Write what `judge` makes of it under the order's lock, all or nothing. Gives how it stood, and what was decided.

        Raises whatever `judge` does.
        """
        ...

    async def spend_key(self, order_id: OrderId, attempt: int) -> None:
        """The key of this attempt is good for nothing any more: the next intent is asked for under the next."""
        ...

    async def order_of(self, intent_id: IntentId) -> OrderId | None: ...


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

    async def keep_all(self, events: Sequence[ProviderEvent]) -> int:
        """The same of several, at most 100; how many were new. Raises Unavailable."""
        ...
