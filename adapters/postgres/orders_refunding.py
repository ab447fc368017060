"""Refunds that are decided, until the provider has carried them out, and what follows when it has."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, any_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.again import retried
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.orders_made_there import book_made_there, place_open
from adapters.postgres.orders_payment import order_of_intent
from adapters.postgres.orders_refund_ends import PENDING, write_end
from adapters.postgres.tables import order_payments, refunds
from domain.orders.states import RefundState
from domain.payments.model import IntentId, Refund, RefundId
from domain.payments.refunds import DueRefund
from domain.payments.troubles import OpenProblem
from domain.shared.ids import OrderId
from domain.shared.money import Money
from domain.shared.viewer import ANONYMOUS

log = logging.getLogger("torii.payments")


TOO_MUCH = "refund_within_paid"
"""What the database calls it when more would go back than was paid."""
TROUBLED = (refunds.c.status == RefundState.FAILED) | (PENDING & refunds.c.problem.is_not(None))


def _due() -> Select[Any]:
    """With the provider's key of the payment, without which nothing was paid."""
    return select(refunds, order_payments.c.stripe_payment_intent_id.label("intent_id")).join_from(
        refunds, order_payments, refunds.c.payment_id == order_payments.c.id
    )


class PostgresRefundBook:
    """The ports `RefundBook` and `Troubled`, as the till."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retried
    async def take(self, limit: int, now: datetime, until: datetime) -> Sequence[DueRefund]:
        due = (
            select(refunds.c.id)
            .where(PENDING, or_(refunds.c.try_at.is_(None), refunds.c.try_at <= now))
            .order_by(refunds.c.id)  # idx_refunds_pending
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        taken = update(refunds).where(refunds.c.id == any_(func.array(due.scalar_subquery()))).values(try_at=until)
        async with self._database.till(ANONYMOUS) as connection:
            ids = (await connection.execute(taken.returning(refunds.c.id))).scalars().all()
            if not ids:
                return []
            return [_due_of(row) for row in await connection.execute(_due().where(refunds.c.id.in_(ids)))]

    async def pending(self, intent_id: IntentId) -> Sequence[DueRefund]:
        mine = _due().where(PENDING, order_payments.c.stripe_payment_intent_id == intent_id)
        async with self._database.till(ANONYMOUS) as connection:
            return [_due_of(row) for row in await connection.execute(mine)]

    @retried
    async def put_off(
        self, refund_id: RefundId, until: datetime, *, provider_id: str | None = None, problem: str | None = None
    ) -> None:
        values: dict[str, Any] = {"try_at": until, "problem": problem}
        if provider_id is not None:
            values["provider_id"] = provider_id
        async with self._database.till(ANONYMOUS) as connection:
            await connection.execute(update(refunds).where(refunds.c.id == refund_id, PENDING).values(values))

    @retried
    async def spend_key(self, refund_id: RefundId, attempt: int) -> None:
        spent = (refunds.c.id == refund_id) & (refunds.c.attempt == attempt)
        async with self._database.till(ANONYMOUS) as connection:
            await connection.execute(update(refunds).where(spent).values(attempt=attempt + 1))

    @retried
    async def settle(
        self, refund_id: RefundId, *, succeeded: bool, provider_id: str | None, problem: str | None
    ) -> None:
        async with self._database.till(ANONYMOUS) as connection:
            end = await write_end(connection, refund_id, succeeded=succeeded, provider_id=provider_id, problem=problem)
            if end:  # what went back by hand may have waited for it
                end = [*end, *await place_open(connection, await _order_of(connection, refund_id))]
            await put_out(connection, end)

    @retried
    async def book_made_there(self, order_id: OrderId, made: Sequence[Refund], taker: RefundId | None = None) -> bool:
        async with self._database.till(ANONYMOUS) as connection:
            return await book_made_there(connection, order_id, made, taker)

    async def order_of(self, intent_id: IntentId) -> OrderId | None:
        return await order_of_intent(self._database, intent_id)

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        read = refunds.c
        oldest = select(read.id, read.created_at, read.problem, read.status, read.try_at).where(TROUBLED)
        async with self._database.till(ANONYMOUS) as connection:
            rows = await connection.execute(oldest.order_by(read.id).limit(limit))
        return [OpenProblem(row.id, "refund", row.created_at, row.problem or row.status, row.try_at) for row in rows]

    async def try_again(self, at: datetime) -> int:
        """All at once; where the database says no to one, each by itself, so that none keeps the others from it."""
        try:
            return await self._again(at, TROUBLED)
        except IntegrityError:
            async with self._database.till(ANONYMOUS) as connection:
                found = await connection.execute(select(refunds.c.id).where(TROUBLED).order_by(refunds.c.id))
                ids = found.scalars().all()
        return sum([await self._one_again(at, each) for each in ids])

    async def _one_again(self, at: datetime, refund_id: UUID) -> int:
        this = refunds.c.id == refund_id
        try:
            return await self._again(at, TROUBLED & this)
        except IntegrityError as refused:  # more would go back than was paid: something else took its place
            log.error(
                "a refund cannot be tried again", exc_info=refused, extra={"fields": {"refundId": str(refund_id)}}
            )
            async with self._database.till(ANONYMOUS) as connection:
                await connection.execute(update(refunds).where(TROUBLED, this).values(problem=TOO_MUCH))
            return 0

    @retried
    async def _again(self, at: datetime, which: ColumnElement[bool]) -> int:
        again = update(refunds).where(which).values(status=RefundState.PENDING, try_at=at, settled_at=None)
        async with self._database.till(ANONYMOUS) as connection:
            return (await connection.execute(again)).rowcount


async def _order_of(connection: AsyncConnection, refund_id: RefundId) -> OrderId:
    found = await connection.execute(select(refunds.c.order_id).where(refunds.c.id == refund_id))
    return OrderId(found.scalar_one())


def _due_of(row: Row[Any]) -> DueRefund:
    return DueRefund(
        id=RefundId(row.id),
        order_id=OrderId(row.order_id),
        intent_id=IntentId(row.intent_id or ""),
        amount=Money(row.amount, row.currency),
        created_at=row.created_at,
        attempt=row.attempt,
        provider_id=row.provider_id,
    )
