"""Refunds that were made at the provider by hand, booked once each: by its key, under the order's lock."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.orders_changes import write_changes
from adapters.postgres.orders_open import open_order
from adapters.postgres.orders_refund_ends import write_end
from adapters.postgres.tables import orders, refunds, refunds_made_there
from domain.orders.made_there import booked
from domain.orders.states import RefundState
from domain.payments.model import Refund, RefundId
from domain.payments.troubles import OpenProblem
from domain.shared.events import Event
from domain.shared.ids import OrderId
from domain.shared.viewer import ANONYMOUS


async def book_made_there(connection: AsyncConnection, order_id: OrderId, made: Sequence[Refund]) -> None:
    """In a transaction of the till."""
    locked = select(orders.c.id).where(orders.c.id == order_id).with_for_update(key_share=True)
    await connection.execute(locked)
    own = refunds.c.order_id == order_id  # idx_refunds_order_id
    rows = (await connection.execute(select(refunds.c.id, refunds.c.provider_id).where(own))).all()
    known = {row.id for row in rows} | {row.provider_id for row in rows if row.provider_id}
    events: list[Event] = []
    for each in made:
        if each.refund_id in known or each.provider_id in known:
            continue
        events += await _booked(connection, order_id, each)
    await put_out(connection, events)


async def _booked(connection: AsyncConnection, order_id: OrderId, made: Refund) -> Sequence[Event]:
    """Of one that failed here with the same amount it is the other half: people gave back by hand what could not go back."""
    there = refunds_made_there.c
    row = {"provider_id": made.provider_id, "order_id": order_id, "amount": made.amount.minor}
    new = insert(refunds_made_there).values({**row, "currency": made.amount.currency, "unbooked": 0})
    failed = (
        select(refunds.c.id)
        .where(
            refunds.c.order_id == order_id,
            refunds.c.status == RefundState.FAILED,
            refunds.c.amount == made.amount.minor,
        )
        .order_by(refunds.c.id)
        .limit(1)
    )
    if await connection.scalar(select(there.provider_id).where(there.provider_id == made.provider_id)) is not None:
        return ()
    same = await connection.scalar(failed)
    if same is not None:
        await connection.execute(new)
        await connection.execute(update(refunds).where(refunds.c.id == same).values(status=RefundState.PENDING))
        return await write_end(connection, RefundId(same), succeeded=True, provider_id=made.provider_id)
    order = await open_order(connection, order_id)
    assert order is not None
    changes, unbooked = booked(order, made.amount.minor)
    await connection.execute(new.values(unbooked=unbooked))
    await write_changes(connection, order, changes, datetime.now(UTC))
    events: list[Event] = [*changes.events]
    for draft in changes.refunds:
        events += await write_end(connection, draft.id, succeeded=True)
    return events


class PostgresMadeThere:
    """The port `Troubled`: what went back and has no place in the books is for people to look at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        there = refunds_made_there.c
        oldest = select(refunds_made_there).where(there.unbooked > 0).order_by(there.created_at).limit(limit)
        async with self._database.till(ANONYMOUS) as connection:
            rows = await connection.execute(oldest)  # idx_refunds_made_there_unbooked
            return [
                OpenProblem(
                    row.order_id,
                    "refund made by hand",
                    row.created_at,
                    f"{row.provider_id}: {row.unbooked} of {row.amount} (minor units) are more than the order had left",
                    None,
                )
                for row in rows
            ]

    async def try_again(self, at: datetime) -> int:  # noqa: ARG002  (there is no time for it)
        """There is nothing to try: the money is gone."""
        return 0
