"""What happened to orders after they were placed, as the viewer may see it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Text, and_, case, func, literal, null, select, true, union_all
from sqlalchemy import cast as sql_cast

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.keyset import slice_rows
from adapters.postgres.orders import item_of, lowest, narrowed_orders, order_of, with_buyer
from adapters.postgres.orders_open import CONTESTED, TAKEN, return_of
from adapters.postgres.tables import (
    disputes,
    order_item_status_histories,
    order_items,
    order_payments,
    order_status_histories,
    orders,
    refund_parts,
    refunds,
    returns,
)
from domain.orders.model import ORDERS_ORDER, Order, OrderFilter, OrderItem, OrderStatus, PaymentStatus
from domain.orders.records import (
    ITEMS_ORDER,
    AllOrdersScope,
    ItemStatusChange,
    MoneyStanding,
    SellerItemsScope,
    TimelineEntry,
)
from domain.orders.refunds import Refund, RefundReason
from domain.orders.returns import Return, ReturnId
from domain.orders.states import Actor, RefundState, ReturnStatus
from domain.payments.model import RefundId
from domain.shared.ids import OrderId, OrderItemId, SellerId, UserId
from domain.shared.money import Money
from domain.shared.paging import Count, Page, PageRequest, cut_page
from domain.shared.viewer import Viewer


def _item_history() -> Select[Any]:
    history = order_item_status_histories
    its = order_items.c.id == history.c.order_item_id
    the_order = select(orders.c.user_id, orders.c.guest_id).where(orders.c.id == order_items.c.order_id)
    buyer = the_order.offset(0).lateral("buyer")
    joined = history.join(order_items, its).join(buyer, true(), isouter=True)
    return (
        select(history, order_items.c.order_id, order_items.c.seller_id, buyer.c.user_id, buyer.c.guest_id)
        .select_from(joined)
        .where(among_ids(history.c.order_item_id))  # idx_order_item_status_histories_order_item_id
        .order_by(history.c.order_item_id, history.c.id)
    )


def _timeline() -> Select[Any]:
    """The steps of the order and of its items, what was asked back and what went back, by one statement."""
    of_order, of_item = order_status_histories.c, order_item_status_histories.c
    none = sql_cast(null(), order_items.c.id.type)
    told = union_all(
        select(
            of_order.id, of_order.order_id, literal("order").label("kind"), of_order.status, none.label("item_id"),
            of_order.note, of_order.changed_as, of_order.created_at,
        ).where(among_ids(of_order.order_id)),
        select(
            of_item.id, order_items.c.order_id, literal("item"), of_item.status, order_items.c.id, of_item.note,
            of_item.changed_as, of_item.created_at,
        ).join(order_items, order_items.c.id == of_item.order_item_id).where(among_ids(order_items.c.order_id)),
        select(
            returns.c.id, returns.c.order_id, literal("return"), literal("requested"), returns.c.order_item_id,
            returns.c.comment, sql_cast(null(), Text), returns.c.created_at,
        ).where(among_ids(returns.c.order_id)),
        select(
            refunds.c.id, refunds.c.order_id, literal("refund"), refunds.c.status, none, refunds.c.note,
            refunds.c.requested_as, func.coalesce(refunds.c.settled_at, refunds.c.created_at),
        ).where(among_ids(refunds.c.order_id)),
        # the policies of the database show them to admins alone
        select(
            disputes.c.id, disputes.c.order_id, literal("dispute"), literal("opened"), none, disputes.c.reason,
            sql_cast(null(), Text), disputes.c.opened_at,
        ).where(among_ids(disputes.c.order_id)),
        select(
            disputes.c.id, disputes.c.order_id, literal("dispute"), disputes.c.status, none, disputes.c.reason,
            sql_cast(null(), Text), disputes.c.closed_at,
        ).where(among_ids(disputes.c.order_id), disputes.c.closed_at.is_not(None)),
    ).subquery("told")  # fmt: skip
    return select(told).order_by(told.c.order_id, told.c.created_at, told.c.id)


def _standing_of_items() -> Select[Any]:
    item = order_items.c
    back = (
        select(
            func.coalesce(func.sum(refund_parts.c.amount), 0).label("amount"),
            func.coalesce(func.sum(refund_parts.c.quantity), 0).label("quantity"),
        )
        .where(refund_parts.c.order_item_id == item.id)  # idx_refund_parts_order_item_id
        .lateral("back")
    )
    asked = (
        select(func.coalesce(func.sum(returns.c.quantity), 0))
        .where(returns.c.order_item_id == item.id, returns.c.status != ReturnStatus.REFUSED.value)
        .scalar_subquery()
    )
    returnable = item.quantity - func.greatest(asked, back.c.quantity)
    return (
        select(item.id, (item.total_price - back.c.amount).label("left"), returnable.label("returnable"))
        .join(back, true())
        .where(among_ids(item.id))
    )


def _standing_of_orders() -> Select[Any]:
    statuses = (
        select(func.array_agg(order_items.c.fulfillment_status.distinct()))
        .where(order_items.c.order_id == orders.c.id)
        .scalar_subquery()
    )
    gone = select(func.coalesce(func.sum(refunds.c.amount), 0)).where(refunds.c.order_id == orders.c.id)
    paid = and_(order_payments.c.order_id == orders.c.id, order_payments.c.status == PaymentStatus.SUCCEEDED.value)
    # admins alone see disputes, and give back
    here = case((CONTESTED, 0), else_=order_payments.c.amount - TAKEN)
    left = func.greatest(func.coalesce(here - gone.scalar_subquery(), 0), 0)
    return (
        select(orders.c.id, left.label("left"), statuses.label("statuses"))
        .select_from(orders.join(order_payments, paid, isouter=True))
        .where(among_ids(orders.c.id))
    )


ITEMS_BY_IDS = with_buyer(order_items).where(among_ids(order_items.c.id))
ITEM_HISTORY = _item_history()
TIMELINE = _timeline()
RETURNS_BY_IDS = with_buyer(returns).where(among_ids(returns.c.id))
RETURNS = (
    with_buyer(returns).where(among_ids(returns.c.order_item_id)).order_by(returns.c.order_item_id, returns.c.id)
)  # idx_returns_order_item_id
REFUNDS = with_buyer(refunds).where(among_ids(refunds.c.order_id)).order_by(refunds.c.order_id, refunds.c.id)
STANDING_OF_ITEMS = _standing_of_items()
STANDING_OF_ORDERS = _standing_of_orders()
EVENT_TYPES = {
    "item": {
        "processing": "OrderPaid",
        "shipped": "OrderItemShipped",
        "delivered": "OrderItemDelivered",
        "cancelled": "OrderItemCancelled",
        "refunded": "OrderItemRefunded",
        "pending": "OrderPlaced",
    },
    "order": {
        "pending": "OrderPlaced",
        "processing": "OrderPaid",
        "shipped": "OrderShipped",
        "delivered": "OrderDelivered",
        "cancelled": "OrderCancelled",
        "refunded": "OrderRefunded",
    },
    "return": {"requested": "ReturnRequested"},
    "dispute": {
        "opened": "DisputeOpened",
        "won": "DisputeWon",
        "lost": "DisputeLost",
        "warning_closed": "DisputeClosed",
        "prevented": "DisputeClosed",
    },
    "refund": {"pending": "RefundRequested", "succeeded": "RefundSucceeded", "failed": "RefundFailed"},
}


class PostgresOrderRecords:
    """The port `Records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def items_by_ids(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[OrderItem | None]:
        rows = await self._database.seen_by(viewer, ITEMS_BY_IDS, {"ids": ids})
        return one_each(ids, map(item_of, rows), lambda item: item.id)

    async def item_history_of(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[Sequence[ItemStatusChange]]:
        rows = await self._database.seen_by(viewer, ITEM_HISTORY, {"ids": ids})
        return many_each(ids, map(_item_change, rows), lambda change: change.item_id)

    async def timeline_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[TimelineEntry]]:
        buyers = select(orders.c.id, orders.c.user_id, orders.c.guest_id).where(among_ids(orders.c.id))
        async with self._database.transaction(viewer) as connection:
            found: dict[UUID, Any] = {row.id: row for row in await connection.execute(buyers, {"ids": ids})}
            rows = (await connection.execute(TIMELINE, {"ids": list(found)})).all()
        return many_each(ids, [_entry(row, found[row.order_id]) for row in rows], lambda entry: entry.order_id)

    async def returns_by_ids(self, viewer: Viewer, ids: Sequence[ReturnId]) -> Sequence[Return | None]:
        rows = await self._database.seen_by(viewer, RETURNS_BY_IDS, {"ids": ids})
        return one_each(ids, map(_return, rows), lambda each: each.id)

    async def returns_of(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[Sequence[Return]]:
        rows = await self._database.seen_by(viewer, RETURNS, {"ids": ids})
        return many_each(ids, map(_return, rows), lambda each: each.item_id)

    async def refunds_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Refund]]:
        rows = await self._database.seen_by(viewer, REFUNDS, {"ids": ids})
        return many_each(ids, map(_refund, rows), lambda refund: refund.order_id)

    async def standing_of_orders(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[MoneyStanding | None]:
        rows = await self._database.seen_by(viewer, STANDING_OF_ORDERS, {"ids": ids})
        found = [
            MoneyStanding(row.id, int(row.left), statuses=tuple(map(OrderStatus, row.statuses or ()))) for row in rows
        ]
        return one_each(list[UUID](ids), found, _key)

    async def standing_of_items(self, viewer: Viewer, ids: Sequence[OrderItemId]) -> Sequence[MoneyStanding | None]:
        rows = await self._database.seen_by(viewer, STANDING_OF_ITEMS, {"ids": ids})
        found = [MoneyStanding(row.id, int(row.left), int(row.returnable)) for row in rows]
        return one_each(list[UUID](ids), found, _key)

    async def all_orders(self, viewer: Viewer, which: OrderFilter, request: PageRequest) -> Page[Order]:
        scope = AllOrdersScope(viewer, which)
        chosen = slice_rows(narrowed_orders(select(orders), which), ((orders.c.id, UUID),), request, descending=True)
        rows = await self._database.seen_by(viewer, chosen)
        return cut_page(list(map(order_of, rows)), request, ORDERS_ORDER, lambda order: (str(order.id),), scope)

    async def count_orders(self, viewer: Viewer, which: OrderFilter) -> Count:
        chosen = narrowed_orders(select(func.count()).select_from(orders), which)
        return Count((await self._database.seen_by(viewer, chosen))[0][0])

    async def seller_items(
        self, viewer: Viewer, sellers: Sequence[SellerId], which: OrderFilter, request: PageRequest
    ) -> Page[OrderItem]:
        scope = SellerItemsScope(viewer, tuple(sellers), which)
        mine = _narrowed_items(with_buyer(order_items), sellers, which)
        chosen = slice_rows(mine, ((order_items.c.id, UUID),), request, descending=True)
        rows = await self._database.seen_by(viewer, chosen)
        return cut_page(list(map(item_of, rows)), request, ITEMS_ORDER, lambda item: (str(item.id),), scope)

    async def count_items(self, viewer: Viewer, sellers: Sequence[SellerId], which: OrderFilter) -> Count:
        chosen = _narrowed_items(select(func.count()).select_from(order_items), sellers, which)
        return Count((await self._database.seen_by(viewer, chosen))[0][0])


def _narrowed_items(statement: Select[Any], sellers: Sequence[SellerId], which: OrderFilter) -> Select[Any]:
    statement = statement.where(order_items.c.seller_id.in_(sellers))  # idx_order_items_of_seller
    if which.statuses:
        statement = statement.where(order_items.c.fulfillment_status.in_([each.value for each in which.statuses]))
    if which.since is not None:
        statement = statement.where(order_items.c.id >= lowest(which.since))
    if which.until is not None:
        statement = statement.where(order_items.c.id < lowest(which.until))
    return statement


def _key(standing: MoneyStanding) -> UUID:
    return standing.id


def _item_change(row: Row[Any]) -> ItemStatusChange:
    return ItemStatusChange(
        id=row.id,
        item_id=OrderItemId(row.order_item_id),
        order_id=OrderId(row.order_id),
        seller_id=SellerId(row.seller_id),
        status=OrderStatus(row.status),
        note=row.note,
        changed_as=Actor(row.changed_as) if row.changed_as else None,
        created_at=row.created_at,
        user_id=UserId(row.user_id) if row.user_id else None,
        guest_id=row.guest_id,
    )


def _entry(row: Row[Any], order: Any) -> TimelineEntry:
    return TimelineEntry(
        id=row.id,
        order_id=OrderId(row.order_id),
        type=EVENT_TYPES[row.kind][row.status],
        status=row.status,
        item_id=OrderItemId(row.item_id) if row.item_id else None,
        note=row.note,
        changed_as=Actor(row.changed_as) if row.changed_as else None,
        created_at=row.created_at,
        user_id=UserId(order.user_id) if order.user_id else None,
        guest_id=order.guest_id,
    )


def _return(row: Row[Any]) -> Return:
    return return_of(row, UserId(row.user_id) if row.user_id else None, row.guest_id)


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        id=RefundId(row.id),
        order_id=OrderId(row.order_id),
        seller_id=SellerId(row.seller_id) if row.seller_id else None,
        amount=Money(row.amount, row.currency),
        reason=RefundReason(row.reason),
        status=RefundState(row.status),
        note=row.note,
        created_at=row.created_at,
        settled_at=row.settled_at,
        user_id=UserId(row.user_id) if row.user_id else None,
        guest_id=row.guest_id,
    )
