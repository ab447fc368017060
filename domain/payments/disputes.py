"""Disputes: a buyer has the bank take a payment back. Whatever is told of one, how it stands the provider is asked."""

from collections.abc import Sequence
from typing import Protocol

from domain.payments.model import Dispute, IntentId
from domain.payments.ports import PaymentProvider
from domain.shared.ids import OrderId


class DisputeBook(Protocol):
    """Disputes as they are written. Both raise Unavailable."""

    async def order_of(self, intent_id: IntentId) -> OrderId | None:
        """The order that this intent pays for; None for one in no books."""
        ...

    async def write(self, order_id: OrderId, disputes: Sequence[Dispute]) -> None:
        """How they stand, with what follows for the ledger, each change once. What is older than what is written changes nothing."""
        ...


class DisputeDesk:
    """Brings the books to how the disputes of a payment stand, whatever was told of them, how often and in which order."""

    def __init__(self, provider: PaymentProvider, book: DisputeBook) -> None:
        self._provider = provider
        self._book = book

    async def follow(self, intent_id: IntentId) -> bool:
        """Whether it is an intent of these books. Raises Unavailable."""
        order_id = await self._book.order_of(intent_id)
        if order_id is None:
            return False
        disputes = await self._provider.disputes_of(intent_id)
        if disputes:
            await self._book.write(order_id, disputes)
        return True
