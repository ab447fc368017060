"""What the orders module needs from the outside."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from domain.orders.model import EVERY_ORDER, Order, OrderDelivery, OrderFilter, OrderItem, Payment, StatusChange
from domain.payments.refusals import PaymentReason
from domain.shared.ids import OrderId, ProductId, UserId
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.viewer import Viewer


class Orders(Protocol):
    """Orders as the viewer may see them: the store itself hides the others. Lists keep the order of their keys."""

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]: ...

    async def page(self, viewer: Viewer, request: PageRequest, which: OrderFilter = EVERY_ORDER) -> Page[Order]:
        """The orders that the viewer placed, newest first."""
        ...

    async def count(self, viewer: Viewer, which: OrderFilter = EVERY_ORDER) -> Count: ...

    async def forget_buyer(self, user_id: UserId) -> None:
        """Keep the orders of a deleted account without where they went and with which card."""
        ...

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]: ...

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]: ...

    async def deliveries_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[OrderDelivery | None]: ...

    async def numbers_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[str | None]:
        """The numbers of orders of which the viewer may see something."""
        ...

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]: ...


class Baskets(Protocol):
    def baskets(self) -> AsyncIterator[Sequence[ProductId]]:
        """The products of each order that was not cancelled, for counting what is bought together."""
        ...


class SettlementKind(StrEnum):
    """How far the payment of an order has come."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    """Not known yet: the provider is slow or away, or the money is on its way. Asking again later tells."""
    ACTION_REQUIRED = "action_required"
    """The buyer has to pay, or to authenticate: `client_secret` is for their browser."""
    FAILED = "failed"
    """The last try failed. With a `client_secret` another try is possible; without, the order can be paid no more."""


@dataclass(frozen=True, slots=True)
class Settlement:
    kind: SettlementKind
    client_secret: str | None = field(default=None, repr=False)
    """For the buyer's browser alone: no log's, and kept nowhere."""
    reason: PaymentReason | None = None


class Settling(Protocol):
    """Brings an order and its payment to what the provider says: after checkout, and again whenever somebody asks."""

    async def settle(self, order_id: OrderId, within_s: float) -> Settlement:
        """Any number of times, and at once. Where the provider takes longer, it is `PROCESSING`, and goes on without the caller.

        Raises NotFound, Unavailable (the database).
        """
        ...

    def begin(self, order_id: OrderId) -> None:
        """The same, without anybody who waits for it. Where there is no room for it, somebody else does it later."""
        ...
