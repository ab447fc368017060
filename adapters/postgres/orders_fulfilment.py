"""What happens to placed orders, in PostgreSQL: decided under the order's lock, written with its history, money and events."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import orders_stock
from adapters.postgres.catalog_restock import restock
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.idempotency import once
from adapters.postgres.orders_open import open_order
from adapters.postgres.orders_payment import check_soon
from adapters.postgres.payments_ledger import post
from adapters.postgres.tables import (
    order_item_status_histories,
    order_items,
    order_status_histories,
    orders,
    refund_parts,
    refunds,
    returns,
)
from domain.orders.changes import Changes
from domain.orders.model import OrderStatus
from domain.orders.open_order import OpenOrder
from domain.orders.returns import ReturnId
from domain.shared.clock import Clock
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId, OrderItemId, uuid7
from domain.shared.refusals import NotFound
from domain.shared.viewer import Viewer

Decide = Callable[[OpenOrder], Changes]
TIMES = {OrderStatus.SHIPPED: "shipped_at", OrderStatus.DELIVERED: "delivered_at"}


class PostgresOrderFiles:
    """The port `OrderFiles`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def order_of_item(self, viewer: Viewer, item_id: OrderItemId) -> OrderId | None:
        rows = await self._database.seen_by(viewer, select(order_items.c.order_id).where(order_items.c.id == item_id))
        return OrderId(rows[0][0]) if rows else None

    async def order_of_return(self, viewer: Viewer, return_id: ReturnId) -> OrderId | None:
        rows = await self._database.seen_by(viewer, select(returns.c.order_id).where(returns.c.id == return_id))
        return OrderId(rows[0][0]) if rows else None

    async def change(
        self, viewer: Viewer, order_id: OrderId, decide: Decide, call: IdempotentCall | None = None
    ) -> UUID:
        async with self._database.till(viewer) as connection:

            async def effect() -> UUID:
                order = await open_order(connection, order_id)
                if order is None:
                    raise NotFound
                changes = decide(order)
                await self._write(connection, order, changes)
                return changes.result

            return await effect() if call is None else await once(connection, call, effect)

    async def _write(self, connection: AsyncConnection, order: OpenOrder, changes: Changes) -> None:
        now = self._clock.now()
        await _write_items(connection, changes)
        await _write_returns(connection, changes)
        await _write_refunds(connection, order, changes)
        await post(connection, changes.postings)
        if changes.releases:
            await orders_stock.release(connection, order.id, now)
            await check_soon(connection, order.id)
        await restock(connection, changes.restocks)
        await put_out(connection, changes.events)


async def _write_items(connection: AsyncConnection, changes: Changes) -> None:
    """The moves, and the order's own, each told in its history. The database's clock is that of the histories."""
    who = {"changed_by": changes.by.user_id, "changed_as": changes.by.actor.value}
    if changes.items:
        first = changes.items[0]
        values: dict[str, object] = {"fulfillment_status": first.target.value}
        if first.target in TIMES:
            values[TIMES[first.target]] = func.now()
        if first.carrier is not None:
            values |= {"carrier": first.carrier, "tracking_number": first.tracking_number}
        moved = [item.id for item in changes.items]
        await connection.execute(update(order_items).where(order_items.c.id.in_(moved)).values(values))
        told = [
            {"id": uuid7(), "order_item_id": item.id, "status": item.target.value, "note": item.note, **who}
            for item in changes.items
        ]
        await connection.execute(insert(order_item_status_histories).values(told))
    if changes.status is not None:
        of_order = {"order_id": changes.order_id, "status": changes.status.value, "note": changes.note}
        await connection.execute(
            update(orders).where(orders.c.id == changes.order_id).values(status=changes.status.value)
        )
        await connection.execute(insert(order_status_histories).values({"id": uuid7(), **of_order, **who}))
    elif changes.items or changes.refunds or changes.new_returns or changes.returns:
        # Whoever has the order in an old state may not decide by it: its version grows with all that belongs to it.
        await connection.execute(update(orders).where(orders.c.id == changes.order_id).values(status=orders.c.status))


async def _write_returns(connection: AsyncConnection, changes: Changes) -> None:
    for made in changes.new_returns:
        row = {
            "id": made.id,
            "order_item_id": made.item_id,
            "order_id": made.order_id,
            "seller_id": made.seller_id,
            "quantity": made.quantity,
            "reason": made.reason.value,
            "comment": made.comment,
        }
        await connection.execute(insert(returns).values(row))
    for change in changes.returns:
        values: dict[str, object] = {"status": change.target.value}
        if change.note is not None:
            values["note"] = change.note
        if change.is_restocked is not None:
            values["is_restocked"] = change.is_restocked
        await connection.execute(update(returns).where(returns.c.id == change.id).values(values))


async def _write_refunds(connection: AsyncConnection, order: OpenOrder, changes: Changes) -> None:
    if not changes.refunds or order.payment is None:
        return
    rows = [
        {
            "id": draft.id,
            "order_id": order.id,
            "payment_id": order.payment.id,
            "seller_id": draft.seller_id,
            "return_id": draft.return_id,
            "amount": draft.amount,
            "currency": order.currency,
            "reason": draft.reason.value,
            "borne_by": draft.borne_by.value,
            "note": draft.note,
            "requested_by": changes.by.user_id,
            "requested_as": changes.by.actor.value,
        }
        for draft in changes.refunds
    ]
    parts = [
        {
            "id": uuid7(),
            "refund_id": draft.id,
            "order_item_id": part.item_id,
            "quantity": part.quantity,
            "amount": part.amount,
            "tax_percent": part.tax_percent,
        }
        for draft in changes.refunds
        for part in draft.parts
    ]
    await connection.execute(insert(refunds).values(rows))
    await connection.execute(insert(refund_parts).values(parts))
