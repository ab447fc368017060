"""What was not sent yet of an order whose money people gave back by hand, all of it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.orders_changes import write_changes
from adapters.postgres.orders_open import open_order
from adapters.postgres.tables import order_items, order_payments, refund_parts, refunds, refunds_made_there
from domain.orders.made_there import Borne, stopped
from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.states import RefundState
from domain.shared.events import Event
from domain.shared.ids import OrderId, OrderItemId, SellerId


async def stop_what_was_given_back(connection: AsyncConnection, order_id: OrderId) -> Sequence[Event]:
    """Cancel what is in processing of it: what is to be told; nothing where some of the money is still here.

    Under the order's lock.
    """
    by_hand = (
        select(refunds_made_there.c.provider_id)
        .where(refunds_made_there.c.order_id == order_id, refunds_made_there.c.failed_at.is_(None))
        .exists()
    )
    waiting = (
        select(order_items.c.id)
        .where(order_items.c.order_id == order_id, order_items.c.fulfillment_status == OrderStatus.PROCESSING)
        .exists()
    )
    whole = (order_payments.c.order_id == order_id) & (order_payments.c.status == PaymentStatus.REFUNDED)
    if await connection.scalar(select(order_payments.c.id).where(whole, by_hand, waiting)) is None:
        return ()
    order = await open_order(connection, order_id)
    assert order is not None
    changes = stopped(order, await _borne(connection, order_id))
    if changes is None:
        return ()
    await write_changes(connection, order, changes, datetime.now(UTC))
    return changes.events


async def _borne(connection: AsyncConnection, order_id: OrderId) -> Borne:
    amount = func.sum(refund_parts.c.amount)
    by_hand = (
        select(refunds.c.seller_id, refund_parts.c.order_item_id, amount.label("amount"))
        .join(refund_parts, refund_parts.c.refund_id == refunds.c.id)
        .where(
            refunds.c.order_id == order_id,  # idx_refunds_order_id
            refunds.c.reason == RefundReason.MANUAL,
            refunds.c.borne_by == BorneBy.MARKETPLACE,
            refunds.c.status == RefundState.SUCCEEDED,
        )
        .group_by(refunds.c.seller_id, refund_parts.c.order_item_id)
    )
    return {
        (SellerId(row.seller_id), OrderItemId(row.order_item_id) if row.order_item_id else None): int(row.amount)
        for row in await connection.execute(by_hand)
    }
