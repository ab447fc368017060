"""Orders in PostgreSQL. The policies of the database decide which of them a viewer sees; nothing here repeats them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from adapters.postgres.batches import among_ids, each, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.keyset import slice_rows
from adapters.postgres.tables import (
    order_addresses,
    order_items,
    order_numbers,
    order_payments,
    order_status_histories,
    orders,
)
from domain.orders.model import (
    EVERY_ORDER,
    ORDERS_ORDER,
    Order,
    OrderDelivery,
    OrderFilter,
    OrderItem,
    OrdersScope,
    OrderStatus,
    Payment,
    PaymentStatus,
    StatusChange,
)
from domain.payments.model import PaymentMethod
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, UserId, VariationId, uuid7
from domain.shared.money import Money
from domain.shared.paging import Count, Page, PageRequest, cut_page
from domain.shared.viewer import ANONYMOUS, Viewer


def with_buyer(part: Table, *columns: Any) -> Select[Any]:
    """Rows of a part of orders (of these columns), each with its buyer: one look-up a row, in the order's own partition.

    Whoever may see a part and not the order sees the part without a buyer. OFFSET 0 keeps the planner to the look-up: without
    it, it may read all orders into a hash table first.
    """
    the_order = select(orders.c.user_id, orders.c.guest_id).where(orders.c.id == part.c.order_id)
    buyer = the_order.offset(0).lateral("buyer")
    joined = part.join(buyer, true(), isouter=True)
    return select(*(columns or (part,)), buyer.c.user_id, buyer.c.guest_id).select_from(joined)


ITEMS = (
    with_buyer(order_items)
    .where(among_ids(order_items.c.order_id))  # idx_order_items_order_id
    .order_by(order_items.c.order_id, order_items.c.id)
)
HISTORY = (
    with_buyer(order_status_histories)
    .where(among_ids(order_status_histories.c.order_id))  # idx_order_status_histories_order_id
    .order_by(order_status_histories.c.order_id, order_status_histories.c.id)
)
DELIVERIES = with_buyer(  # the gateway may not read the mail address
    order_addresses,
    order_addresses.c.order_id,
    order_addresses.c.recipient_name,
    order_addresses.c.postal_code,
    order_addresses.c.prefecture,
    order_addresses.c.city,
    order_addresses.c.address_line1,
    order_addresses.c.address_line2,
    order_addresses.c.phone_number,
).where(among_ids(order_addresses.c.order_id))
NUMBERS = select(order_numbers).where(among_ids(order_numbers.c.order_id))
BASKETS_AT_ONCE = 5_000
PAYMENTS = with_buyer(order_payments).where(among_ids(order_payments.c.order_id))


class PostgresOrders:
    """The ports `Orders` and `Baskets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]:
        rows = await self._database.seen_by(viewer, select(orders).where(among_ids(orders.c.id)), {"ids": ids})
        return one_each(ids, await self._database.made(rows, each(order_of)), lambda order: order.id)

    async def page(self, viewer: Viewer, request: PageRequest, which: OrderFilter = EVERY_ORDER) -> Page[Order]:
        # idx_orders_user_id; the key itself is the time
        mine = narrowed_orders(select(orders).where(orders.c.user_id == viewer.user_id), which)
        rows = await self._database.seen_by(viewer, slice_rows(mine, ((orders.c.id, UUID),), request, descending=True))
        scope = OrdersScope(viewer, which)
        return cut_page(list(map(order_of, rows)), request, ORDERS_ORDER, lambda order: (str(order.id),), scope)

    async def count(self, viewer: Viewer, which: OrderFilter = EVERY_ORDER) -> Count:
        mine = select(func.count()).select_from(orders).where(orders.c.user_id == viewer.user_id)
        return Count((await self._database.seen_by(viewer, narrowed_orders(mine, which)))[0][0])

    async def forget_buyer(self, user_id: UserId) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(select(func.orders.forget_buyer(user_id)))

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]:
        rows = await self._database.seen_by(viewer, ITEMS, {"ids": ids})
        return many_each(ids, await self._database.made(rows, each(item_of)), lambda item: item.order_id)

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]:
        rows = await self._database.seen_by(viewer, PAYMENTS, {"ids": ids})
        return one_each(ids, await self._database.made(rows, each(payment_of)), lambda payment: payment.order_id)

    async def deliveries_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[OrderDelivery | None]:
        rows = await self._database.seen_by(viewer, DELIVERIES, {"ids": ids})
        return one_each(ids, [delivery_of(row) for row in rows], lambda delivery: delivery.order_id)

    async def numbers_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[str | None]:
        rows = await self._database.seen_by(viewer, NUMBERS, {"ids": ids})
        found = {row.order_id: row.order_number for row in rows}
        return [found.get(each) for each in ids]

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]:
        rows = await self._database.seen_by(viewer, HISTORY, {"ids": ids})
        return many_each(ids, await self._database.made(rows, each(change_of)), lambda change: change.order_id)

    async def baskets(self) -> AsyncIterator[Sequence[ProductId]]:
        last: UUID | None = None
        while rows := await self._database.public(_baskets_after(last)):
            for row in rows:
                yield row.products
            last = rows[-1].order_id


def _baskets_after(last: UUID | None) -> Select[Any]:
    bought = order_items.c.fulfillment_status != OrderStatus.CANCELLED
    products = func.array_agg(aggregate_order_by(order_items.c.product_id, order_items.c.id)).label("products")
    statement = select(order_items.c.order_id, products).where(bought)
    if last is not None:
        statement = statement.where(order_items.c.order_id > last)  # idx_order_items_order_id
    return statement.group_by(order_items.c.order_id).order_by(order_items.c.order_id).limit(BASKETS_AT_ONCE)


def narrowed_orders(statement: Select[Any], which: OrderFilter) -> Select[Any]:
    """By the key, which is the time an order was placed: months out of range are not read."""
    if which.statuses:
        statement = statement.where(orders.c.status.in_([status.value for status in which.statuses]))
    if which.since is not None:
        statement = statement.where(orders.c.id >= lowest(which.since))
    if which.until is not None:
        statement = statement.where(orders.c.id < lowest(which.until))
    return statement


def lowest(moment: datetime) -> UUID:
    """Below every key of that moment, and above every earlier one."""
    return UUID(int=uuid7(moment, 0).int & ~((1 << 80) - 1))


def order_of(row: Row[Any]) -> Order:
    currency = row.currency
    return Order(
        id=OrderId(row.id),
        order_number=row.order_number,
        user_id=_buyer(row),
        status=OrderStatus(row.status),
        subtotal=Money(row.subtotal, currency),
        tax=Money(row.tax_amount, currency),
        shipping_fee=Money(row.shipping_fee, currency),
        total=Money(row.total_amount, currency),
        ordered_at=row.ordered_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        guest_id=row.guest_id,
        version=row.version,
    )


def item_of(row: Row[Any]) -> OrderItem:
    return OrderItem(
        id=OrderItemId(row.id),
        order_id=OrderId(row.order_id),
        product_id=ProductId(row.product_id),
        variation_id=VariationId(row.product_variation_id) if row.product_variation_id else None,
        seller_id=SellerId(row.seller_id),
        name=row.product_name,
        quantity=row.quantity,
        unit_price=Money(row.unit_price, row.currency),
        total=Money(row.total_price, row.currency),
        fulfillment_status=OrderStatus(row.fulfillment_status),
        user_id=_buyer(row),
        guest_id=row.guest_id,
        version=row.version,
        variation_name=row.variation_name,
        sku=row.sku,
        tax_percent=row.tax_percent,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
    )


def payment_of(row: Row[Any]) -> Payment:
    return Payment(
        id=row.id,
        order_id=OrderId(row.order_id),
        amount=Money(row.amount, row.currency),
        status=PaymentStatus(row.status),
        paid_at=row.paid_at,
        user_id=_buyer(row),
        guest_id=row.guest_id,
        method=_method(row.payment_method_details),
    )


def _method(kept: Mapping[str, str]) -> PaymentMethod | None:
    """Nothing is kept before it is paid, and once the buyer is forgotten."""
    if "type" not in kept:
        return None
    return PaymentMethod(kept["type"], kept.get("brand"), kept.get("last4"), kept.get("wallet"))


def delivery_of(row: Row[Any]) -> OrderDelivery:
    return OrderDelivery(
        order_id=OrderId(row.order_id),
        recipient_name=row.recipient_name,
        postal_code=row.postal_code,
        prefecture=row.prefecture,
        city=row.city,
        line1=row.address_line1,
        line2=row.address_line2,
        phone_number=row.phone_number,
        user_id=_buyer(row),
        guest_id=row.guest_id,
    )


def change_of(row: Row[Any]) -> StatusChange:
    return StatusChange(
        id=row.id,
        order_id=OrderId(row.order_id),
        status=OrderStatus(row.status),
        note=row.note,
        created_at=row.created_at,
        user_id=_buyer(row),
        guest_id=row.guest_id,
    )


def _buyer(row: Row[Any]) -> UserId | None:
    return UserId(row.user_id) if row.user_id else None
