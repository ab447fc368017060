"""Reads of what happened to orders after they were placed, and of sellers' and admins' lists of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from domain.orders.actions import (
    ItemAction,
    ItemStanding,
    OrderAction,
    ReturnAction,
    actions_of_item,
    actions_of_order,
    actions_of_return,
)
from domain.orders.ledger import Balance
from domain.orders.model import Bought, Order, OrderFilter, OrderItem, OrderStatus, is_buyers
from domain.orders.receipts import Receipt
from domain.orders.refunds import Refund
from domain.orders.returns import Return, ReturnId
from domain.orders.states import Actor
from domain.shared.clock import Clock
from domain.shared.ids import OrderId, OrderItemId, SellerId, UserId
from domain.shared.paging import Count, Page, PageRequest, empty_page
from domain.shared.viewer import Role, Viewer

ITEMS_ORDER = "order items"


@dataclass(frozen=True, slots=True)
class ItemStatusChange:
    """One step of an item's history. `changed_as`: None for what was written before that was kept."""

    id: UUID
    item_id: OrderItemId
    order_id: OrderId
    seller_id: SellerId
    status: OrderStatus
    note: str | None
    changed_as: Actor | None
    created_at: datetime
    user_id: UserId | None
    guest_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened to an order. `type` is that of its event, `item_id` and `amount` where it is about one."""

    id: UUID
    order_id: OrderId
    type: str
    status: str
    item_id: OrderItemId | None
    note: str | None
    changed_as: Actor | None
    created_at: datetime
    user_id: UserId | None
    guest_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AllOrdersScope:
    """All orders that an admin's list was cut from."""

    viewer: Viewer
    which: OrderFilter


@dataclass(frozen=True, slots=True)
class SellerItemsScope:
    """All items of the sellers that a viewer works for."""

    viewer: Viewer
    seller_ids: tuple[SellerId, ...]
    which: OrderFilter


@dataclass(frozen=True, slots=True)
class MoneyStanding:
    """What is left of an item, or of an order's payment, and how many of it are not on their way back."""

    id: UUID
    left: int
    returnable: int = 0
    statuses: tuple[OrderStatus, ...] = ()


class Records(Protocol):
    """As the viewer may see them: the store itself hides the others. Lists keep the order of their keys."""

    async def items_by_ids(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[OrderItem | None]: ...

    async def item_history_of(
        self, viewer: Viewer, ids: Sequence[OrderItemId]
    ) -> Sequence[Sequence[ItemStatusChange]]: ...

    async def timeline_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[TimelineEntry]]:
        """Oldest first."""
        ...

    async def returns_by_ids(self, viewer: Viewer, ids: Sequence[ReturnId]) -> Sequence[Return | None]: ...

    async def returns_of(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[Sequence[Return]]: ...

    async def refunds_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Refund]]: ...

    async def standing_of_orders(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[MoneyStanding | None]: ...

    async def standing_of_items(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[MoneyStanding | None]: ...

    async def all_orders(self, viewer: Viewer, which: OrderFilter, request: PageRequest) -> Page[Order]: ...

    async def count_orders(self, viewer: Viewer, which: OrderFilter) -> Count: ...

    async def seller_items(
        self, viewer: Viewer, sellers: Sequence[SellerId], which: OrderFilter, request: PageRequest
    ) -> Page[OrderItem]:
        """Newest first."""
        ...

    async def count_items(self, viewer: Viewer, sellers: Sequence[SellerId], which: OrderFilter) -> Count: ...


class Ledger(Protocol):
    async def balances_of(self, viewer: Viewer, ids: Sequence[SellerId]) -> Sequence[Sequence[Balance]]:
        """What sellers are owed, by currency, as far as the viewer may see it."""
        ...


class Receipts(Protocol):
    async def receipts_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Receipt]]:
        """One a seller, of orders that were paid; none of those that are older than this record."""
        ...


class OfSeller(Bought, Protocol):
    """A part of an order that is one seller's."""

    @property
    def seller_id(self) -> SellerId | None: ...


P = TypeVar("P", OrderItem, ItemStatusChange, Return, Refund, Receipt)


def actors_of(viewer: Viewer, value: Bought, seller_id: SellerId | None = None) -> frozenset[Actor]:
    """In which parts a viewer stands to an order, or to a seller's part of it. A link to it only shows it."""
    found = {Actor.ADMIN} if viewer.role is Role.ADMIN else set()
    if is_buyers(viewer, value) and value.order_id not in viewer.order_ids:
        found.add(Actor.BUYER)
    if viewer.works_for(seller_id):
        found.add(Actor.SELLER)
    return frozenset(found)


def _may_see(viewer: Viewer, value: OfSeller) -> bool:
    return viewer.works_for(value.seller_id) or is_buyers(viewer, value) or viewer.role is Role.ADMIN


class OrderRecords:
    """The store shows a viewer no more than may be seen. The desk looks again, lest one of the two forgets it."""

    def __init__(self, records: Records, ledger: Ledger, receipts: Receipts, clock: Clock) -> None:
        self._records = records
        self._receipts = receipts
        self._ledger = ledger
        self._clock = clock

    async def items_by_ids(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[OrderItem | None]:
        found = await self._records.items_by_ids(viewer, ids)
        return [item if item is not None and _may_see(viewer, item) else None for item in found]

    async def item_history_of(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[Sequence[ItemStatusChange]]:
        return _shown(viewer, await self._records.item_history_of(viewer, ids))

    async def timeline_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[TimelineEntry]]:
        found = await self._records.timeline_of(viewer, ids)
        return [[each for each in some if is_buyers(viewer, each) or viewer.role is Role.ADMIN] for some in found]

    async def returns_by_ids(self, viewer: Viewer, ids: Sequence[ReturnId]) -> Sequence[Return | None]:
        found = await self._records.returns_by_ids(viewer, ids)
        return [each if each is not None and _may_see(viewer, each) else None for each in found]

    async def returns_of(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[Sequence[Return]]:
        return _shown(viewer, await self._records.returns_of(viewer, ids))

    async def refunds_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Refund]]:
        return _shown(viewer, await self._records.refunds_of(viewer, ids))

    async def receipts_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Receipt]]:
        return _shown(viewer, await self._receipts.receipts_of(viewer, ids))

    async def actions_of_orders(self, viewer: Viewer, orders: Sequence[Order]) -> Sequence[Sequence[OrderAction]]:
        standing = await self._records.standing_of_orders(viewer, [order.id for order in orders])
        return [
            () if each is None else actions_of_order(each.statuses, each.left, actors_of(viewer, order))
            for order, each in zip(orders, standing, strict=True)
        ]

    async def actions_of_items(self, viewer: Viewer, items: Sequence[OrderItem]) -> Sequence[Sequence[ItemAction]]:
        standing = await self._records.standing_of_items(viewer, [item.id for item in items])
        now = self._clock.now()
        return [
            ()
            if each is None
            else actions_of_item(
                ItemStanding(item.fulfillment_status, item.delivered_at, each.returnable, each.left),
                actors_of(viewer, item, item.seller_id),
                now,
            )
            for item, each in zip(items, standing, strict=True)
        ]

    async def actions_of_returns(self, viewer: Viewer, returns: Sequence[Return]) -> Sequence[Sequence[ReturnAction]]:
        return [actions_of_return(each.status, actors_of(viewer, each, each.seller_id)) for each in returns]

    async def all_orders(self, viewer: Viewer, which: OrderFilter, request: PageRequest) -> Page[Order]:
        """Of everybody, for admins; nobody else has any here."""
        if viewer.role is not Role.ADMIN:
            return empty_page(ITEMS_ORDER)
        return await self._records.all_orders(viewer, which, request)

    async def count_orders(self, scope: AllOrdersScope) -> Count:
        return await self._records.count_orders(scope.viewer, scope.which)

    async def seller_items(
        self, viewer: Viewer, seller_id: SellerId | None, which: OrderFilter, request: PageRequest
    ) -> Page[OrderItem]:
        """Items to be sent and the like, of one seller or of all that the viewer works for; admins name the seller."""
        mine = viewer.seller_ids if seller_id is None else (seller_id,)
        allowed = [each for each in mine if viewer.works_for(each) or viewer.role is Role.ADMIN]
        if not allowed:
            return empty_page(ITEMS_ORDER)
        return await self._records.seller_items(viewer, allowed, which, request)

    async def count_items(self, scope: SellerItemsScope) -> Count:
        return await self._records.count_items(scope.viewer, scope.seller_ids, scope.which)

    async def balances_of(self, viewer: Viewer, ids: Sequence[SellerId]) -> Sequence[Sequence[Balance] | None]:
        """None for a seller that is not the viewer's."""
        found = await self._ledger.balances_of(viewer, ids)
        is_admin = viewer.role is Role.ADMIN
        return [
            some if is_admin or viewer.works_for(seller_id) else None
            for seller_id, some in zip(ids, found, strict=True)
        ]


def _shown(viewer: Viewer, values: Sequence[Sequence[P]]) -> Sequence[Sequence[P]]:
    return [[value for value in some if _may_see(viewer, value)] for some in values]
