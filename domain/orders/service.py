"""What one may ask about orders."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from domain.orders.model import (
    EVERY_ORDER,
    ORDERS_ORDER,
    Order,
    OrderDelivery,
    OrderFilter,
    OrderItem,
    OrdersScope,
    Payment,
    StatusChange,
    is_buyers,
)
from domain.orders.ports import Orders
from domain.shared.ids import OrderId, UserId
from domain.shared.paging import Count, Page, PageRequest, empty_page
from domain.shared.viewer import Role, Viewer

T = TypeVar("T", Order, OrderItem, Payment, StatusChange)


def may_see(viewer: Viewer, value: Order | OrderItem | Payment | StatusChange) -> bool:
    """An order and its parts are its buyer's, an item is also its seller's, and admins may look at all of them."""
    is_sellers = isinstance(value, OrderItem) and viewer.works_for(value.seller_id)
    return is_sellers or is_buyers(viewer, value) or viewer.role is Role.ADMIN


class OrderDesk:
    """Reads of orders. Whoever may not see one is told that it does not exist.

    The store shows a viewer no more than may be seen. The desk looks again, lest one of the two forgets it.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]:
        if viewer.user_id is None and viewer.guest_id is None and not viewer.order_ids:
            return [None] * len(ids)
        return _one_each(viewer, await self._orders.by_ids(viewer, ids))

    async def placed_by(self, viewer: Viewer, request: PageRequest, which: OrderFilter = EVERY_ORDER) -> Page[Order]:
        if viewer.user_id is None:
            return empty_page(ORDERS_ORDER)
        return await self._orders.page(viewer, request, which)

    async def count(self, scope: OrdersScope) -> Count:
        return await self._orders.count(scope.viewer, scope.which)

    async def forget_buyer(self, user_id: UserId) -> None:
        """Keep the orders of a deleted account without the person. Raises Unavailable."""
        await self._orders.forget_buyer(user_id)

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]:
        return _many_each(viewer, await self._orders.items_of(viewer, ids))

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]:
        return _one_each(viewer, await self._orders.payments_of(viewer, ids))

    async def deliveries_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[OrderDelivery | None]:
        """Where each goes; None where that is not known, or was erased. The buyer's to see."""
        found = await self._orders.deliveries_of(viewer, ids)
        return [each if each is not None and _knows_the_way(viewer, each) else None for each in found]

    async def deliveries_of_items(self, viewer: Viewer, items: Sequence[OrderItem]) -> Sequence[OrderDelivery | None]:
        """Where each goes: the buyer's to see, and its seller's while it has to be sent or is on its way."""
        ids = list(dict.fromkeys(item.order_id for item in items))
        found = dict(zip(ids, await self._orders.deliveries_of(viewer, ids), strict=True))
        return [_way_of(viewer, item, found[item.order_id]) for item in items]

    async def numbers_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[str | None]:
        """What buyer, seller and support call each order. Of the order it tells nothing else."""
        return await self._orders.numbers_of(viewer, ids)

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]:
        return _many_each(viewer, await self._orders.history_of(viewer, ids))


def _knows_the_way(viewer: Viewer, delivery: OrderDelivery) -> bool:
    return is_buyers(viewer, delivery) or viewer.role is Role.ADMIN


def _way_of(viewer: Viewer, item: OrderItem, delivery: OrderDelivery | None) -> OrderDelivery | None:
    if delivery is None:
        return None
    seller_id = item.seller_id if item.has_to_arrive else None
    may_see = viewer.works_for(seller_id) or _knows_the_way(viewer, delivery)
    return replace(delivery, seller_id=seller_id) if may_see else None


def _one_each(viewer: Viewer, values: Sequence[T | None]) -> Sequence[T | None]:
    return [value if value is not None and may_see(viewer, value) else None for value in values]


def _many_each(viewer: Viewer, values: Sequence[Sequence[T]]) -> Sequence[Sequence[T]]:
    return [[value for value in some if may_see(viewer, value)] for some in values]
