"""The outbox: written in the transaction of what it tells, so that there is neither without the other, and read by relays."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, column, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import outbox, streams
from domain.events.ports import Unsent
from domain.shared.events import Event, EventId, EventRecord
from domain.shared.ids import uuid7
from domain.shared.viewer import ANONYMOUS

CHANNEL = "outbox"
"""Where a trigger tells that there is something new."""
DONE_ARE_KEPT = timedelta(days=30)
"""Twice as long as any queue keeps a message: one that comes later finds no event, and does nothing."""
STREAMS_ARE_KEPT = timedelta(days=90)

SEVERAL = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("times", type_=ARRAY(DateTime(timezone=True))))
    .table_valued(column("id", Uuid), column("try_at", DateTime(timezone=True)), name="several")
    .render_derived()
)
RECORD = (
    outbox.c.id,
    outbox.c.type,
    outbox.c.aggregate_type,
    outbox.c.aggregate_id,
    outbox.c.payload,
    outbox.c.created_at,
    outbox.c.stream,
    outbox.c.sequence,
)
"""The columns that `record_of` reads."""


async def put_out(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Add events to the outbox with what else the transaction writes, and number those of streams.

    All events of a transaction at once, as late as may be: a stream stays locked from here to the end of the transaction,
    and streams are locked in one order only within a call.
    """
    numbers = await _numbers(connection, events)
    rows = [
        {
            "id": uuid7(),
            "type": event.type,
            "aggregate_type": event.aggregate_type,
            "aggregate_id": event.aggregate_id,
            "payload": dict(event.payload),
            "stream": event.stream,
            "sequence": None if event.stream is None else next(numbers[event.stream]),
        }
        for event in events
    ]
    if rows:
        await connection.execute(insert(outbox), rows)


async def _numbers(connection: AsyncConnection, events: Sequence[Event]) -> dict[str, Any]:
    """The numbers of each stream's events."""
    wanted = Counter(event.stream for event in events if event.stream is not None)
    numbers = {}
    for stream, count in sorted(wanted.items()):  # one after another: their locks are taken in this order
        first = await connection.scalar(select(func.events.next_in_stream(stream, count)))
        numbers[stream] = iter(range(int(first or 0), int(first or 0) + count))
    return numbers


def record_of(row: Any) -> EventRecord:
    """A row that has the columns `RECORD`."""
    event = Event(row.type, row.aggregate_type, row.aggregate_id, row.payload, row.stream)
    return EventRecord(EventId(row.id), event, row.created_at, row.sequence)


class PostgresOutbox:
    """The port `Outbox`, as the worker role. Rows are locked while they are sent, by no lock that consumers wait for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, event_id: EventId) -> EventRecord | None:
        rows = await self._database.fresh(select(*RECORD).where(outbox.c.id == event_id))
        return record_of(rows[0]) if rows else None

    @asynccontextmanager
    async def batch(self, limit: int, now: datetime) -> AsyncIterator["PostgresBatch"]:
        due = (
            select(*RECORD, outbox.c.attempts)
            .where(outbox.c.sent_at.is_(None), or_(outbox.c.try_at.is_(None), outbox.c.try_at <= now))
            .order_by(outbox.c.id)  # idx_outbox_unsent
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            rows = (await connection.execute(due)).all()
            yield PostgresBatch(connection, [(record_of(row), row.attempts) for row in rows])


class PostgresBatch:
    """The port `OutboxBatch`."""

    def __init__(self, connection: AsyncConnection, events: Sequence[Unsent]) -> None:
        self._connection = connection
        self.events = events

    async def sent(self, ids: Sequence[EventId], at: datetime) -> None:
        if ids:
            await self._connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=at))

    async def put_off(self, until: Mapping[EventId, datetime]) -> None:
        statement = (
            update(outbox)
            .where(outbox.c.id == SEVERAL.c.id)
            .values(attempts=outbox.c.attempts + 1, try_at=SEVERAL.c.try_at)
        )
        await self._connection.execute(statement, {"ids": list(until), "times": list(until.values())})


def forget_done(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete what every consumer had long ago, and with it what is kept of that; how many, a batch at a time.

    What was not sent, or some consumer has not, stays, however old. Raises Unavailable.
    """
    return forget(database, outbox.c.done_at, now - DONE_ARE_KEPT)  # idx_outbox_done_at


def forget_streams(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete the last numbers of streams in which nothing happened for long: their next numbers are above them anyway."""
    return forget(database, streams.c.used_at, now - STREAMS_ARE_KEPT)  # idx_streams_used_at
