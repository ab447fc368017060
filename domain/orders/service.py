"""What one may ask about orders."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.orders.model import Order, OrderItem, Payment, StatusChange
from domain.orders.ports import Orders
from domain.shared.ids import OrderId
from domain.shared.paging import Count, Page, PageRequest, empty_page
from domain.shared.viewer import Viewer

ORDERS_ORDER = "orders"


@dataclass(frozen=True, slots=True)
class OrdersScope:
    """All orders that a viewer placed."""

    viewer: Viewer


class OrderDesk:
    """Reads of orders. Whoever may not see one is told that it does not exist."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]:
        if viewer.user_id is None:
            return [None] * len(ids)
        return await self._orders.by_ids(viewer, ids)

    async def placed_by(self, viewer: Viewer, request: PageRequest) -> Page[Order]:
        if viewer.user_id is None:
            return empty_page(ORDERS_ORDER)
        return await self._orders.page(viewer, request)

    async def count(self, scope: OrdersScope) -> Count:
        return await self._orders.count(scope.viewer)

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]:
        return await self._orders.items_of(viewer, ids)

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]:
        return await self._orders.payments_of(viewer, ids)

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]:
        return await self._orders.history_of(viewer, ids)
