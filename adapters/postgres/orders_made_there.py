"""Refunds that were made at the provider by hand, booked once each: by its key, under the order's lock."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, exists, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.orders_changes import write_changes
from adapters.postgres.orders_open import open_order
from adapters.postgres.orders_refund_ends import write_end, write_return
from adapters.postgres.orders_stopping import stop_what_was_given_back
from adapters.postgres.tables import orders, refunds, refunds_made_there
from domain.orders.made_there import booked
from domain.orders.states import RefundState
from domain.payments.matching import Own, Whose, must_wait, paid_by_rest, twin, whose
from domain.payments.model import LOST, Refund, RefundId, RefundStatus, refund_id_of
from domain.payments.troubles import OpenProblem
from domain.shared.events import Event
from domain.shared.ids import OrderId
from domain.shared.viewer import ANONYMOUS

THERE = refunds_made_there.c
OPEN = THERE.unbooked > 0
WAITS = exists().where(
    refunds.c.order_id == THERE.order_id,
    refunds.c.amount == THERE.unbooked,
    refunds.c.status == RefundState.PENDING,
    refunds.c.provider_id.is_(None),
)
"""It may be one of ours that is about to be carried out: then it is known."""


async def book_made_there(
    connection: AsyncConnection, order_id: OrderId, made: Sequence[Refund], taker: RefundId | None = None
) -> bool:
    """Bring the books to what is at the provider; whether `taker`, which is about to be asked for, went back already.

    In a transaction of the till.
    """
    await _lock(connection, order_id)
    events = [*await _lost(connection, order_id, made), *await _found(connection, order_id, made)]
    events += await place_open(connection, order_id, taker)
    await put_out(connection, events)
    if taker is None:
        return False
    still = select(refunds.c.id).where(refunds.c.id == taker, refunds.c.status == RefundState.PENDING)
    return await connection.scalar(still) is None


async def place_open(connection: AsyncConnection, order_id: OrderId, taker: RefundId | None = None) -> Sequence[Event]:
    """Find places for what went back by hand and has none; and where with it all went back, stop what was not sent.

    Under the order's lock, whenever one of its refunds has ended. Gives what is to be told.
    """
    found = select(refunds_made_there).where(THERE.order_id == order_id, OPEN)  # idx_refunds_made_there_order_id
    events: list[Event] = []
    for row in (await connection.execute(found.order_by(THERE.created_at, THERE.provider_id))).all():
        events += await _placed(connection, row, taker)
    return [*events, *await stop_what_was_given_back(connection, order_id)]


async def _lock(connection: AsyncConnection, order_id: OrderId) -> None:
    await connection.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update(key_share=True))


async def _own(connection: AsyncConnection, order_id: OrderId) -> list[Own]:
    """The refunds of the order, the oldest first."""
    mine = refunds.c.order_id == order_id  # idx_refunds_order_id
    rows = await connection.execute(select(refunds).where(mine).order_by(refunds.c.id))
    return [Own(RefundId(row.id), row.amount, RefundState(row.status), row.provider_id, row.lost_ids) for row in rows]


async def _lost(connection: AsyncConnection, order_id: OrderId, made: Sequence[Refund]) -> Sequence[Event]:
    """What went, and came back: of ours, and what was made by hand, with all that it was booked as."""
    lost = [each.provider_id for each in made if each.status in LOST]
    if not lost:
        return ()
    by_hand = update(refunds_made_there).where(THERE.provider_id.in_(lost), THERE.failed_at.is_(None))
    await connection.execute(by_hand.values(failed_at=func.now(), unbooked=0))
    key = func.coalesce(refunds.c.provider_id, refunds.c.made_there).label("lost_id")
    went = select(refunds.c.id, key).where(
        refunds.c.order_id == order_id, refunds.c.status == RefundState.SUCCEEDED, key.in_(lost)
    )
    events: list[Event] = []
    for row in (await connection.execute(went.order_by(refunds.c.id))).all():
        events += await write_return(connection, RefundId(row.id), row.lost_id)
    return events


async def _found(connection: AsyncConnection, order_id: OrderId, made: Sequence[Refund]) -> Sequence[Event]:
    """Keep what nobody here asked for, once each; one of ours that was given up has succeeded after all."""
    own, events = await _own(connection, order_id), list[Event]()
    for each in reversed(made):  # they come newest first
        if each.status is not RefundStatus.SUCCEEDED:
            continue
        match whose(each, own, refund_id_of(order_id, each.intent_id)):
            case Whose.BY_HAND:
                await connection.execute(_kept(order_id, each))
            case Whose.AFTER_ALL:
                assert each.refund_id is not None
                events += await _ended(connection, each.refund_id, provider_id=each.provider_id)
    return events


def _kept(order_id: OrderId, made: Refund) -> Any:
    row = {"provider_id": made.provider_id, "order_id": order_id, "amount": made.amount.minor}
    whole = {"currency": made.amount.currency, "unbooked": made.amount.minor}
    return insert(refunds_made_there).values({**row, **whole}).on_conflict_do_nothing()


async def _placed(connection: AsyncConnection, there: Row[Any], taker: RefundId | None) -> Sequence[Event]:
    own = await _own(connection, there.order_id)
    same = twin(there.unbooked, own, taker)
    if same is not None:
        await _leave(connection, there.provider_id, 0)
        return await _ended(connection, same, made_there=there.provider_id)
    if must_wait(there.unbooked, own):
        return ()
    events, rest = await _booked(connection, there)
    for each in paid_by_rest(rest, own, taker):
        rest -= next(known.amount for known in own if known.id == each)
        events += await _ended(connection, each, made_there=there.provider_id)
    await _leave(connection, there.provider_id, rest)
    return events


async def _booked(connection: AsyncConnection, there: Row[Any]) -> tuple[list[Event], int]:
    """As refunds of their own, as far as there is room; and how much there is none for."""
    order = await open_order(connection, OrderId(there.order_id))
    assert order is not None
    changes, rest = booked(order, there.unbooked)
    await write_changes(connection, order, changes, datetime.now(UTC))
    events = [*changes.events]
    for draft in changes.refunds:
        events += await write_end(connection, draft.id, succeeded=True, made_there=there.provider_id)
    return events, rest


async def _ended(
    connection: AsyncConnection, refund_id: RefundId, *, provider_id: str | None = None, made_there: str | None = None
) -> Sequence[Event]:
    """One that failed, or that nobody has asked for yet, went back."""
    failed = (refunds.c.id == refund_id) & (refunds.c.status == RefundState.FAILED)
    await connection.execute(update(refunds).where(failed).values(status=RefundState.PENDING))
    return await write_end(connection, refund_id, succeeded=True, provider_id=provider_id, made_there=made_there)


async def _leave(connection: AsyncConnection, provider_id: str, unbooked: int) -> None:
    this = update(refunds_made_there).where(THERE.provider_id == provider_id, THERE.unbooked != unbooked)
    await connection.execute(this.values(unbooked=unbooked))


class PostgresMadeThere:
    """The port `Troubled`: what went back and has no place in the books is for people to look at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        oldest = select(refunds_made_there).where(OPEN, not_(WAITS)).order_by(THERE.created_at).limit(limit)
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
        """There is nothing to try: the money is gone, and a place is looked for whenever a refund of the order ends."""
        return 0
