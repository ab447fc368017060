"""Writes what an import's cancellations give back: refunds that succeeded elsewhere, and the states that follow from them.

A handful of statements whatever the size of the file. The database's own guards look at each row: at moves, at histories, at more
going back than was paid.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.postgres import tables
from adapters.postgres.bulk import BulkLoad
from domain.imports import shop
from domain.imports.keys import timed_key
from domain.imports.refunds import (
    Bin,
    Bought,
    Open,
    Piece,
    Refund,
    Settled,
    open_cancellations,
    refunds_of,
    settle,
)
from domain.imports.rows import CURRENCY, Cancellation
from domain.orders.model import OrderStatus
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.states import Actor, RefundState

REFUND = (
    "id",
    "order_id",
    "payment_id",
    "seller_id",
    "amount",
    "currency",
    "reason",
    "borne_by",
    "note",
    "status",
    "requested_as",
    "created_at",
    "settled_at",
)
PART = ("id", "refund_id", "order_item_id", "quantity", "amount")
ITEM_HISTORY = ("id", "order_item_id", "status", "note", "changed_as", "created_at")
ORDER_HISTORY = ("id", "order_id", "status", "note", "changed_as", "created_at")

GIVEN = """
    SELECT p.id, p.quantity, p.amount FROM orders.refunds r JOIN orders.refund_parts p ON p.refund_id = r.id
    WHERE r.seller_id = $1 AND r.reason = 'imported'
"""
LOCKED = """
    SELECT id FROM orders.orders WHERE user_id = ANY ($1) AND order_number LIKE $2 ORDER BY id FOR NO KEY UPDATE
"""
"""As whoever decides about one of them does: nobody else refunds any of these until the import ends."""

BOUGHT = """
    SELECT o.user_id, i.product_id, i.id, i.order_id, p.id, o.ordered_at, i.unit_price,
        CASE WHEN i.fulfillment_status = 'delivered' AND p.status = 'succeeded'
            THEN i.quantity - coalesce(back.quantity, 0) - coalesce(asked.quantity, 0) ELSE 0 END::integer,
        (i.total_price - coalesce(back.amount, 0))::bigint
    FROM unnest($1::uuid[], $2::uuid[]) AS wanted (user_id, product_id)
    JOIN orders.orders o ON o.user_id = wanted.user_id AND o.order_number LIKE $3
    JOIN orders.order_items i ON i.order_id = o.id AND i.product_id = wanted.product_id
    JOIN orders.order_payments p ON p.order_id = o.id
    LEFT JOIN (
        SELECT b.order_item_id, sum(b.quantity) AS quantity, sum(b.amount) AS amount
        FROM orders.refund_parts b JOIN orders.refunds r ON r.id = b.refund_id
        WHERE r.status <> 'failed' GROUP BY b.order_item_id
    ) back ON back.order_item_id = i.id
    LEFT JOIN (
        SELECT order_item_id, sum(quantity) AS quantity FROM orders.returns
        WHERE status IN ('requested', 'accepted') GROUP BY order_item_id
    ) asked ON asked.order_item_id = i.id
    ORDER BY o.ordered_at, o.id, i.id
"""
WHOLLY_BACK = """
    SELECT i.id FROM orders.order_items i WHERE i.id = ANY ($1) AND i.fulfillment_status = 'delivered' AND i.quantity <= (
        SELECT sum(p.quantity) FROM orders.refund_parts p JOIN orders.refunds r ON r.id = p.refund_id
        WHERE p.order_item_id = i.id AND r.status <> 'failed')
"""
MOVE_ITEMS = "UPDATE orders.order_items SET fulfillment_status = 'refunded' WHERE id = ANY ($1)"
MOVED_ORDERS = """
    SELECT id, order_number, derived FROM (
        SELECT id, order_number, status, orders.derived_status(id) AS derived FROM orders.orders WHERE id = ANY ($1)
    ) o WHERE derived <> status
"""
FOLLOW_ITEMS = "UPDATE orders.orders SET status = orders.derived_status(id) WHERE id = ANY ($1)"
"""All whose refunds changed, so that the version grows of each: nobody decides by what it was before."""
MOVE_PAYMENTS = """
    UPDATE orders.order_payments p SET status = 'refunded'
    WHERE p.id = ANY ($1) AND p.status = 'succeeded' AND p.amount <= (
        SELECT sum(r.amount) FROM orders.refunds r WHERE r.payment_id = p.id AND r.status = 'succeeded')
"""
BY_KEYS = "SET LOCAL enable_seqscan = off"
"""The guards look at one row after another. Their plans are made at the first, when the tables of refunds may be empty: without
this they would read these tables whole, each time, as they grow."""
IMPORTED_ORDERS = shop.order_number("%")


async def take_back(bulk: BulkLoad, cancellations: Sequence[Cancellation]) -> Settled:
    """Refund what is not refunded yet and finds a place among what is imported."""
    given = {key: (quantity, amount) for key, quantity, amount in await bulk.fetch(GIVEN, shop.SELLER_ID)}
    waiting = open_cancellations(cancellations, given)
    settled = settle(waiting, await _bought(bulk, waiting))
    if settled.pieces:
        await _write(bulk, settled.pieces)
    return settled


async def _bought(bulk: BulkLoad, waiting: Iterable[Open]) -> Mapping[Bin, Sequence[Bought]]:
    """What the customers bought of the products that they gave back, by time; under lock."""
    wanted = {each.bin for each in waiting if each.quantity and each.bin}
    found: dict[Bin, list[Bought]] = defaultdict(list)
    if wanted:
        users, products = (list(column) for column in zip(*wanted, strict=True))
        await bulk.execute(LOCKED, list(set(users)), IMPORTED_ORDERS)
        for user_id, product_id_, *line in await bulk.fetch(BOUGHT, users, products, IMPORTED_ORDERS):
            found[user_id, product_id_].append(Bought(*line))
    return found


async def _write(bulk: BulkLoad, pieces: Sequence[Piece]) -> None:
    await bulk.execute(BY_KEYS)
    refunds = refunds_of(pieces)
    await bulk.insert(tables.refunds, REFUND, map(_refund_row, refunds))
    await bulk.insert(
        tables.refund_parts, PART, (_part_row(refund, piece) for refund in refunds for piece in refund.pieces)
    )

    # the last to come back is what a state follows from
    last_of_item = {piece.item_id: piece.cancellation for piece in pieces}
    last_of_order = {piece.order_id: piece.cancellation for piece in pieces}
    items = [item_id for (item_id,) in await bulk.fetch(WHOLLY_BACK, list(last_of_item))]
    told = (_item_history_row(item_id, last_of_item[item_id]) for item_id in items)
    await bulk.insert(tables.order_item_status_histories, ITEM_HISTORY, told)
    await bulk.execute(MOVE_ITEMS, items)

    orders = list(last_of_order)
    moved = await bulk.fetch(MOVED_ORDERS, orders)
    told = (_order_history_row(row, last_of_order[row[0]]) for row in moved)
    await bulk.insert(tables.order_status_histories, ORDER_HISTORY, told)
    await bulk.execute(FOLLOW_ITEMS, orders)
    await bulk.execute(MOVE_PAYMENTS, list({piece.payment_id for piece in pieces}))


def _refund_row(refund: Refund) -> Sequence[Any]:
    return (
        refund.id,
        refund.order_id,
        refund.payment_id,
        shop.SELLER_ID,
        refund.amount,
        CURRENCY,
        RefundReason.IMPORTED.value,
        BorneBy.SELLER.value,
        refund.invoice,
        RefundState.SUCCEEDED.value,
        Actor.SELLER.value,
        refund.at,
        refund.at,
    )


def _part_row(refund: Refund, piece: Piece) -> Sequence[Any]:
    return (piece.key, refund.id, piece.item_id, piece.quantity, piece.amount)


def _item_history_row(item_id: UUID, why: Cancellation) -> Sequence[Any]:
    return _told("item refunded", item_id, OrderStatus.REFUNDED.value, why)


def _order_history_row(order: Sequence[Any], why: Cancellation) -> Sequence[Any]:
    order_id, _, status = order
    return _told(f"order {status}", order_id, status, why)


def _told(kind: str, of: UUID, status: str, why: Cancellation) -> Sequence[Any]:
    """A row of a history: when the file says so, by the seller, because of which invoice."""
    at: datetime = why.at
    note = f"imported: cancelled by invoice {why.invoice}"
    return (timed_key(kind, str(of), at), of, status, note, Actor.SELLER.value, at)
