"""How a refund ends, and what follows for its payment, its return and the ledger: also when it comes back days later."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, all_, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.payments_ledger import owed_of, post
from adapters.postgres.tables import order_payments, orders, refunds, returns
from domain.orders.ledger import of_return, of_second_try
from domain.orders.model import PaymentStatus
from domain.orders.states import RefundState, ReturnStatus
from domain.payments.events import RefundTold, events_of_refund
from domain.payments.model import RefundId
from domain.shared.events import Event
from domain.shared.ids import OrderId, SellerId
from domain.shared.money import Money

PENDING = refunds.c.status == RefundState.PENDING
CAME_BACK = "it came back from the buyer's bank"


async def write_end(
    connection: AsyncConnection,
    refund_id: RefundId,
    *,
    succeeded: bool,
    provider_id: str | None = None,
    problem: str | None = None,
    made_there: str | None = None,
) -> Sequence[Event]:
    """That a refund went back, or will not, with what follows from it: what is to be told; nothing of one that has ended.

    `made_there`: the key of the refund by hand with which it went back.
    """
    state = RefundState.SUCCEEDED if succeeded else RefundState.FAILED
    values: dict[str, Any] = {"status": state, "settled_at": func.now(), "try_at": None, "problem": problem}
    which = PENDING
    if succeeded:
        values |= {"provider_id": provider_id, "made_there": made_there}
        if provider_id is not None:  # that it went is old news: it is known to have come back
            which &= literal(provider_id) != all_(refunds.c.lost_ids)
    else:
        values |= _given_up(provider_id)
    row = await _moved(connection, refund_id, which, values)
    if row is None:  # somebody else has written it
        return ()
    if succeeded:
        await _follow(connection, row)
        await _repay(connection, row, str(provider_id or made_there))
    return await _told(connection, row, succeeded=succeeded)


async def write_return(connection: AsyncConnection, refund_id: RefundId, lost_id: str) -> Sequence[Event]:
    """That a refund came back after it went: it failed, and what followed from it is undone. What is to be told.

    `lost_id`: the provider's key of what came back.
    """
    went = refunds.c.status == RefundState.SUCCEEDED
    values = {"status": RefundState.FAILED, "settled_at": func.now(), "problem": CAME_BACK} | _given_up(lost_id)
    row = await _moved(connection, refund_id, went, values)
    if row is None:
        return ()
    if row.return_id is not None:
        its = (returns.c.id == row.return_id) & (returns.c.status == ReturnStatus.REFUNDED)
        await connection.execute(update(returns).where(its).values(status=ReturnStatus.RECEIVED))
    whole = (order_payments.c.id == row.payment_id) & (order_payments.c.status == PaymentStatus.REFUNDED)
    await connection.execute(update(order_payments).where(whole).values(status=PaymentStatus.SUCCEEDED))
    if await owed_of(connection, refund_id) is not None:
        amount = Money(row.amount, row.currency)
        back = of_return(refund_id, OrderId(row.order_id), SellerId(row.seller_id), amount, lost_id)
        await post(connection, [back])
    return await _told(connection, row, succeeded=False)


def _given_up(lost_id: str | None) -> dict[str, Any]:
    """It is asked for under another key when people try again, and what is said of this try later is old."""
    values: dict[str, Any] = {"provider_id": None, "made_there": None, "attempt": refunds.c.attempt + 1}
    if lost_id is not None:
        values["lost_ids"] = func.array_append(refunds.c.lost_ids, lost_id)
    return values


async def _moved(
    connection: AsyncConnection, refund_id: RefundId, which: ColumnElement[bool], values: dict[str, Any]
) -> Row[Any] | None:
    await connection.execute(_locked(refund_id))
    this = update(refunds).where(refunds.c.id == refund_id, which).values(values).returning(refunds)
    found: Row[Any] | None = (await connection.execute(this)).first()
    return found


def _locked(refund_id: RefundId) -> Select[Any]:
    """The refund's order, locked: whoever locks several rows of an order locks the order first."""
    its = select(refunds.c.order_id).where(refunds.c.id == refund_id).scalar_subquery()
    return select(orders.c.status).where(orders.c.id == its).with_for_update(key_share=True)


async def _follow(connection: AsyncConnection, refund: Row[Any]) -> None:
    """A return is over with its money; a payment when all of it went back."""
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


async def _repay(connection: AsyncConnection, refund: Row[Any], made_id: str) -> None:
    """What had come back before is owed no more."""
    if refund.attempt > 1 and await owed_of(connection, RefundId(refund.id)):
        amount = Money(refund.amount, refund.currency)
        of_refund = RefundId(refund.id), OrderId(refund.order_id), SellerId(refund.seller_id)
        await post(connection, [of_second_try(*of_refund, amount, made_id)])


async def _told(connection: AsyncConnection, refund: Row[Any], *, succeeded: bool) -> Sequence[Event]:
    stand = select(orders.c.status, order_payments.c.status).join_from(
        orders, order_payments, order_payments.c.order_id == orders.c.id
    )
    [order_status, payment_status] = (await connection.execute(stand.where(orders.c.id == refund.order_id))).one()
    told = RefundTold(
        refund_id=RefundId(refund.id),
        order_id=OrderId(refund.order_id),
        order_status=order_status,
        payment_status=payment_status,
        seller_id=None if refund.seller_id is None else SellerId(refund.seller_id),
        amount=Money(refund.amount, refund.currency),
        reason=refund.reason,
        has_succeeded=succeeded,
    )
    return events_of_refund(told)
