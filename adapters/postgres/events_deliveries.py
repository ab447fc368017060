"""Which consumer acted on which event, or failed to: one row each, written in the transaction of the effect where it can be."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Interval,
    Text,
    Uuid,
    bindparam,
    func,
    literal,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.events import RECORD, record_of
from adapters.postgres.tables import deliveries, outbox
from domain.events.ports import Standing, Wanted
from domain.shared.events import EventId, EventRecord
from domain.shared.viewer import ANONYMOUS

KEY = [deliveries.c.consumer, deliveries.c.event_id]
BATCH = 1000
MOST_DOUBLINGS = 8
BEFORE_ALL: Mapping[str, object] = {"last_sent": datetime(1970, 1, 1, tzinfo=UTC), "last_id": UUID(int=0)}
SETTLE = text(
    """
    WITH wanted AS (SELECT * FROM unnest(CAST(:types AS text[]), CAST(:consumers AS text[])) AS w (type, consumer)),
    looked_at AS (  -- idx_outbox_undone
        SELECT id, type, sent_at FROM events.outbox
        WHERE sent_at IS NOT NULL AND done_at IS NULL AND (sent_at, id) > (:last_sent, :last_id)
        ORDER BY sent_at, id LIMIT :batch
    ),
    settled AS (
        UPDATE events.outbox o SET done_at = :at FROM looked_at l
        WHERE o.id = l.id AND o.done_at IS NULL AND NOT EXISTS (
            SELECT FROM wanted w WHERE w.type = l.type AND NOT EXISTS (
                SELECT FROM events.deliveries d
                WHERE d.consumer = w.consumer AND d.event_id = l.id AND (d.processed_at IS NOT NULL OR d.failed_at IS NOT NULL)
            )
        )
        RETURNING o.id
    )
    SELECT (SELECT count(*) FROM settled) AS settled, last.sent_at AS last_sent, last.id AS last_id
    FROM (VALUES (1)) AS one LEFT JOIN (SELECT * FROM looked_at ORDER BY sent_at DESC, id DESC LIMIT 1) AS last ON true
    """
).bindparams(
    bindparam("types", type_=ARRAY(Text)),
    bindparam("consumers", type_=ARRAY(Text)),
    bindparam("last_sent", type_=DateTime(timezone=True)),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("last_id", type_=Uuid),
)
"""A page of what was sent and is not done, by when it was sent: what some consumer has not yet holds up nothing behind it."""


async def first_time(connection: AsyncConnection, consumer: str, event_id: EventId, at: datetime) -> bool:
    """Whether the consumer has not acted on the event yet: from now on it has, if this transaction commits.

    Call it first in the transaction of the effect, and do nothing when it says no. Who comes second waits here for the
    first. `connection` is the worker role's. Raises IntegrityError where the event is gone.
    """
    done = {"processed_at": at, "failed_at": null(), "reason": null()}
    statement = (
        insert(deliveries)
        .values(consumer=consumer, event_id=event_id, processed_at=at)
        .on_conflict_do_update(index_elements=KEY, set_=done, where=deliveries.c.processed_at.is_(None))
    )
    return (await connection.execute(statement)).rowcount == 1


class PostgresDeliveries:
    """The port `Deliveries`, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, consumer: str, event_id: EventId) -> tuple[Standing, datetime | None]:
        kept = (deliveries.c.event_id == outbox.c.id) & (deliveries.c.consumer == consumer)
        found = await self._database.fresh(
            select(deliveries.c.processed_at, deliveries.c.failed_at, deliveries.c.reopened_at)
            .select_from(outbox.outerjoin(deliveries, kept))
            .where(outbox.c.id == event_id)
        )
        if not found:
            return Standing.GONE, None
        return _standing(found[0]), found[0].reopened_at

    async def standings(self, consumer: str, ids: Sequence[EventId]) -> Mapping[EventId, Standing]:
        kept = (deliveries.c.event_id == outbox.c.id) & (deliveries.c.consumer == consumer)
        found = await self._database.fresh(
            select(outbox.c.id, deliveries.c.processed_at, deliveries.c.failed_at)
            .select_from(outbox.outerjoin(deliveries, kept))
            .where(outbox.c.id.in_(ids))
        )
        return dict.fromkeys(ids, Standing.GONE) | {EventId(row.id): _standing(row) for row in found}

    async def all_processed(self, consumer: str, ids: Sequence[EventId], at: datetime) -> None:
        there = select(literal(consumer), outbox.c.id, literal(at)).where(outbox.c.id.in_(ids)).order_by(outbox.c.id)
        statement = insert(deliveries).from_select(["consumer", "event_id", "processed_at"], there)
        done = {"processed_at": at, "failed_at": null(), "reason": null()}
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=KEY, set_=done, where=deliveries.c.processed_at.is_(None)
                )
            )

    async def processed(self, consumer: str, event_id: EventId, at: datetime) -> bool:
        try:
            async with self._database.transaction(ANONYMOUS) as connection:
                return await first_time(connection, consumer, event_id, at)
        except IntegrityError:  # its event had its time
            return False

    async def failed(self, consumer: str, event_id: EventId, at: datetime, attempts: int, reason: str) -> None:
        told: dict[str, Any] = {"failed_at": at, "attempts": attempts, "reason": reason}
        statement = insert(deliveries).values(consumer=consumer, event_id=event_id, **told)
        statement = statement.on_conflict_do_update(
            index_elements=KEY,
            set_=told | {"attempts": deliveries.c.attempts + attempts},
            where=deliveries.c.processed_at.is_(None),
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(statement)

    async def returned(self, consumer: str, event_id: EventId) -> int:
        statement = insert(deliveries).values(consumer=consumer, event_id=event_id, returned=1)
        counted = statement.on_conflict_do_update(
            index_elements=KEY, set_={"returned": deliveries.c.returned + 1}
        ).returning(deliveries.c.returned)
        async with self._database.transaction(ANONYMOUS) as connection:
            return int((await connection.execute(counted)).scalar_one())

    async def settle(self, wanted: Wanted, at: datetime) -> AsyncGenerator[int, None]:
        pairs = [(type, consumer) for consumer, types in wanted.items() for type in sorted(types)]
        given = {"types": [type for type, _ in pairs], "consumers": [consumer for _, consumer in pairs], "at": at}
        last: Mapping[str, object] = BEFORE_ALL
        while True:
            async with self._database.transaction(ANONYMOUS) as connection:
                looked_at = (await connection.execute(SETTLE, {**given, **last, "batch": BATCH})).one()
            if looked_at.last_id is None:
                return
            last = {"last_sent": looked_at.last_sent, "last_id": looked_at.last_id}
            yield int(looked_at.settled)

    async def forgotten(
        self, consumer: str, types: frozenset[str], at: datetime, after: timedelta, limit: int
    ) -> Sequence[EventRecord]:
        kept = (deliveries.c.event_id == outbox.c.id) & (deliveries.c.consumer == consumer)
        seconds = after.total_seconds() * func.power(2, deliveries.c.sent_again)
        again_at = deliveries.c.sent_again_at + func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval)
        statement = (
            select(*RECORD)
            .select_from(outbox.outerjoin(deliveries, kept))
            .where(
                outbox.c.sent_at < at - after,
                outbox.c.done_at.is_(None),  # idx_outbox_undone
                outbox.c.type.in_(sorted(types)),
                deliveries.c.processed_at.is_(None),
                deliveries.c.failed_at.is_(None),
                or_(deliveries.c.sent_again_at.is_(None), again_at < at),
            )
            .order_by(outbox.c.sent_at)
            .limit(limit)
        )
        return [record_of(row) for row in await self._database.fresh(statement)]

    async def sent_again(self, consumer: str, ids: Sequence[EventId], at: datetime) -> None:
        rows = [{"consumer": consumer, "event_id": each, "sent_again": 1, "sent_again_at": at} for each in ids]
        statement = insert(deliveries).on_conflict_do_update(
            index_elements=KEY, set_={"sent_again": least_again(), "sent_again_at": at}
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(statement, rows)


def least_again() -> ColumnElement[int]:
    """One more, as long as twice as long again is still a time to wait."""
    return func.least(deliveries.c.sent_again + 1, MOST_DOUBLINGS)


def _standing(row: Any) -> Standing:
    if row.processed_at is not None:
        return Standing.PROCESSED
    return Standing.OPEN if row.failed_at is None else Standing.FAILED
