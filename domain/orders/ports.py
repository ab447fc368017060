"""What the orders module needs from the outside."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from domain.orders.model import Order, OrderItem, Payment, StatusChange
from domain.shared.ids import OrderId, ProductId, UserId
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.viewer import Viewer


class Orders(Protocol):
    """Orders as the viewer may see them: the store itself hides the others. Lists keep the order of their keys."""

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]: ...

    async def page(self, viewer: Viewer, request: PageRequest) -> Page[Order]:
        """The orders that the viewer placed, newest first."""
        ...

    async def count(self, viewer: Viewer) -> Count: ...

    async def forget_buyer(self, user_id: UserId) -> None:
        """Keep the orders of a deleted account without where they went and with which card."""
        ...

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]: ...

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]: ...

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]: ...


class Baskets(Protocol):
    def baskets(self) -> AsyncIterator[Sequence[ProductId]]:
        """The products of each order that was not cancelled, for counting what is bought together."""
        ...
