"""Failures of consumers, for the people who look after them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, null, select, update

from adapters.postgres.database import Database
from adapters.postgres.events import RECORD, record_of
from adapters.postgres.tables import deliveries, outbox
from domain.events.ports import Failure
from domain.shared.events import EventId, EventRecord
from domain.shared.viewer import ANONYMOUS

FAILED = deliveries.c.failed_at.is_not(None)  # idx_deliveries_failed
OPEN = {"failed_at": null(), "reason": null(), "attempts": 0, "returned": 0, "sent_again": 0, "sent_again_at": null()}


class PostgresFailures:
    """The port `Failures`, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> Mapping[str, tuple[int, datetime]]:
        rows = await self._database.fresh(
            select(
                deliveries.c.consumer, func.count().label("failures"), func.min(deliveries.c.failed_at).label("oldest")
            )
            .where(FAILED)
            .group_by(deliveries.c.consumer)
        )
        return {row.consumer: (row.failures, row.oldest) for row in rows}

    async def newest(self, consumer: str, limit: int) -> Sequence[Failure]:
        statement = _failures(consumer).order_by(deliveries.c.failed_at.desc()).limit(limit)
        return [_failure(row) for row in await self._database.fresh(statement)]

    async def find(self, consumer: str, event_id: EventId) -> Failure | None:
        rows = await self._database.fresh(_failures(consumer).where(deliveries.c.event_id == event_id))
        return _failure(rows[0]) if rows else None

    async def reopen(
        self, consumer: str, ids: Sequence[EventId] | None, limit: int, at: datetime
    ) -> Sequence[EventRecord]:
        chosen = select(deliveries.c.event_id).where(deliveries.c.consumer == consumer, FAILED)
        if ids is not None:
            chosen = chosen.where(deliveries.c.event_id.in_(ids))
        chosen = chosen.order_by(deliveries.c.failed_at).limit(limit).with_for_update()
        async with self._database.transaction(ANONYMOUS) as connection:
            keys = [row.event_id for row in await connection.execute(chosen)]
            mine = (deliveries.c.consumer == consumer) & deliveries.c.event_id.in_(keys)
            await connection.execute(update(deliveries).where(mine).values({**OPEN, "reopened_at": at}))
            again = update(outbox).where(outbox.c.id.in_(keys)).values(done_at=null()).returning(*RECORD)
            return [record_of(row) for row in await connection.execute(again)]


def _failures(consumer: str) -> Select[Any]:
    kept = deliveries.c.failed_at, deliveries.c.attempts, deliveries.c.reason, deliveries.c.consumer
    return (
        select(*RECORD, *kept)
        .join_from(deliveries, outbox, deliveries.c.event_id == outbox.c.id)
        .where(deliveries.c.consumer == consumer, FAILED)
    )


def _failure(row: Any) -> Failure:
    return Failure(row.consumer, record_of(row), row.failed_at, row.attempts, row.reason)
