"""What a decision about an order comes to, as rows: moves with their history, returns, refunds, money and stock.

In a transaction of the till that holds the order's lock. Events are the caller's to put out: last, and all of a transaction at
once.
"""

from datetime import datetime

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import orders_stock
from adapters.postgres.catalog_restock import restock
from adapters.postgres.payments_ledger import post
from adapters.postgres.tables import (
    order_item_status_histories,
    order_items,
    order_payments,
    order_status_histories,
    orders,
    refund_parts,
    refunds,
    returns,
)
from domain.orders.changes import Changes
from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.open_order import OpenOrder
from domain.shared.ids import OrderId, uuid7

TIMES = {OrderStatus.SHIPPED: "shipped_at", OrderStatus.DELIVERED: "delivered_at"}
OVER = (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED, PaymentStatus.REFUNDED)
"""Payments of which the provider is asked no more, unless it is written that it is to be."""


async def write_changes(connection: AsyncConnection, order: OpenOrder, changes: Changes, now: datetime) -> None:
    """All of it but the events."""
    await write_moves(connection, changes)
    await _write_returns(connection, changes)
    await _write_refunds(connection, order, changes)
    await post(connection, changes.postings)
    if changes.releases:
        await orders_stock.release(connection, order.id, now)
        await _check_soon(connection, order.id)
    await restock(connection, changes.restocks)


async def write_moves(connection: AsyncConnection, changes: Changes) -> None:
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


async def _check_soon(connection: AsyncConnection, order_id: OrderId) -> None:
    """The order is over, and its payment may not be: have the provider asked, in the transaction that ends the order."""
    this = order_payments.c.order_id == order_id
    soon = update(order_payments).where(this, order_payments.c.status.not_in(OVER)).values(check_at=func.now())
    await connection.execute(soon)
