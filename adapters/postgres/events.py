"""The outbox, as writers use it: in their own transaction, so that an event is there if and only if what it tells is."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.tables import outbox
from domain.shared.events import Event
from domain.shared.ids import uuid7


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
