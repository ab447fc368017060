"""The outbox, as writers use it: in their own transaction, so that an event is there if and only if what it tells is."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import outbox
from domain.shared.events import Event
from domain.shared.ids import uuid7

SENT_ARE_KEPT = timedelta(days=30)


async def put_out(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Add events to the outbox with what else the transaction writes."""
    rows = [
        {
            "id": uuid7(),
            "type": event.type,
            "aggregate_type": event.aggregate_type,
            "aggregate_id": event.aggregate_id,
            "payload": dict(event.payload),
        }
        for event in events
    ]
    if rows:
        await connection.execute(insert(outbox), rows)


def forget_sent(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete what was sent long ago; how many, a batch at a time. What was not sent stays, however old. Raises Unavailable."""
    return forget(database, outbox.c.sent_at, now - SENT_ARE_KEPT)  # idx_outbox_sent_at
