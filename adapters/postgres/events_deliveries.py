"""Which consumer acted on which event, or failed to: one row each, written in the transaction of the effect where it can be."""

from datetime import datetime
from typing import Any

from sqlalchemy import null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.tables import deliveries, outbox
from domain.events.ports import Standing
from domain.shared.events import EventId
from domain.shared.viewer import ANONYMOUS

KEY = [deliveries.c.consumer, deliveries.c.event_id]


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

    async def standing(self, consumer: str, event_id: EventId) -> Standing:
        kept = (deliveries.c.event_id == outbox.c.id) & (deliveries.c.consumer == consumer)
        found = await self._database.fresh(
            select(deliveries.c.processed_at, deliveries.c.failed_at)
            .select_from(outbox.outerjoin(deliveries, kept))
            .where(outbox.c.id == event_id)
        )
        if not found:
            return Standing.GONE
        if found[0].processed_at is not None:
            return Standing.PROCESSED
        return Standing.OPEN if found[0].failed_at is None else Standing.FAILED

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
