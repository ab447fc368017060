"""How a refund ends, and what follows for its payment and its return."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.tables import order_payments, orders, refunds, returns
from domain.orders.model import PaymentStatus
from domain.orders.states import RefundState, ReturnStatus
from domain.payments.events import RefundTold, events_of_refund
from domain.payments.model import RefundId
from domain.shared.events import Event
from domain.shared.ids import OrderId, SellerId
from domain.shared.money import Money

PENDING = refunds.c.status == RefundState.PENDING


async def write_end(
    connection: AsyncConnection,
    refund_id: RefundId,
    *,
    succeeded: bool,
    provider_id: str | None = None,
    problem: str | None = None,
) -> Sequence[Event]:
    """That a refund went back, or will not, with what follows from it: what is to be told; nothing of one that has ended."""
    state = RefundState.SUCCEEDED if succeeded else RefundState.FAILED
    values: dict[str, Any] = {"status": state, "settled_at": func.now(), "try_at": None, "problem": problem}
    if succeeded:
        values["provider_id"] = provider_id
    else:
        values |= {"provider_id": None, "attempt": refunds.c.attempt + 1}
    status = await connection.scalar(_locked(refund_id))
    if status is None:
        return ()
    this = update(refunds).where(refunds.c.id == refund_id, PENDING).values(values).returning(refunds)
    row = (await connection.execute(this)).first()
    if row is None:  # somebody else has written it
        return ()
    payment = await _follow(connection, row) if succeeded else await _payment_status(connection, row.payment_id)
    told = RefundTold(
        refund_id=refund_id,
        order_id=OrderId(row.order_id),
        order_status=status,
        payment_status=payment,
        seller_id=None if row.seller_id is None else SellerId(row.seller_id),
        amount=Money(row.amount, row.currency),
        reason=row.reason,
        has_succeeded=succeeded,
    )
    return events_of_refund(told)


def _locked(refund_id: RefundId) -> Select[Any]:
    """The refund's order, locked: whoever locks several rows of an order locks the order first."""
    its = select(refunds.c.order_id).where(refunds.c.id == refund_id).scalar_subquery()
    return select(orders.c.status).where(orders.c.id == its).with_for_update(key_share=True)


async def _follow(connection: AsyncConnection, refund: Row[Any]) -> str:
    """A return is over with its money; a payment when all of it went back. Gives the payment's state."""
    if refund.return_id is not None:
        received = (returns.c.id == refund.return_id) & (returns.c.status == ReturnStatus.RECEIVED)
        await connection.execute(update(returns).where(received).values(status=ReturnStatus.REFUNDED))
    back = (
        select(func.sum(refunds.c.amount))
        .where(refunds.c.payment_id == refund.payment_id, refunds.c.status == RefundState.SUCCEEDED)
        .scalar_subquery()  # idx_refunds_payment_id
    )
    paid = (order_payments.c.id == refund.payment_id) & (order_payments.c.status == PaymentStatus.SUCCEEDED)
    all_of_it = update(order_payments).where(paid, order_payments.c.amount == back)
    await connection.execute(all_of_it.values(status=PaymentStatus.REFUNDED))
    return await _payment_status(connection, refund.payment_id)


async def _payment_status(connection: AsyncConnection, payment_id: UUID) -> str:
    found = await connection.scalar(select(order_payments.c.status).where(order_payments.c.id == payment_id))
    return str(found)
