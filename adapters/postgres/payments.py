"""What the payment provider told us, in PostgreSQL."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, cast, column, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSON, insert

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import webhook_events
from domain.payments.inbox import Told
from domain.payments.model import ProviderEvent
from domain.payments.troubles import OpenProblem
from domain.shared.ids import uuid7
from domain.shared.viewer import ANONYMOUS

CHANNEL = "payments"
"""Where triggers tell that there is a message, or something to give back."""
HANDLED_ARE_KEPT = timedelta(days=30)
"""Stripe sends an event again for three days, and lets it be asked for and sent anew for thirty."""

TROUBLED = webhook_events.c.handled_at.is_(None) & webhook_events.c.problem.is_not(None)


class PostgresPaymentEvents:
    """The port `EventInbox`. The gateway's role may put events in, and neither read nor change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, event: ProviderEvent) -> bool:
        return await self.keep_all([event]) == 1

    async def keep_all(self, events: Sequence[ProviderEvent]) -> int:
        if not events:
            return 0
        rows = [
            {
                "id": uuid7(),
                "event_id": event.id,
                "type": event.type,
                "payload": cast(literal(event.payload, Text), JSON),
            }
            for event in events
        ]
        # no RETURNING and no conflict target, for these need the right to read
        statement = insert(webhook_events).values(rows).on_conflict_do_nothing()
        async with self._database.transaction(ANONYMOUS) as connection:
            return (await connection.execute(statement)).rowcount


class PostgresToldEvents:
    """The ports `ToldEvents` and `Troubled`, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, limit: int, now: datetime, until: datetime) -> Sequence[Told]:
        waiting = webhook_events.c.handled_at.is_(None)
        due = or_(webhook_events.c.try_at.is_(None), webhook_events.c.try_at <= now)
        oldest = (
            select(webhook_events.c.id)
            .where(waiting, due)
            .order_by(webhook_events.c.try_at.nulls_first(), webhook_events.c.id)  # idx_webhook_events_unhandled
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = (
            update(webhook_events)
            .where(webhook_events.c.id == any_(func.array(oldest.scalar_subquery())))
            .values(attempts=webhook_events.c.attempts + 1, try_at=until)
        )
        read = webhook_events.c
        async with self._database.transaction(ANONYMOUS) as connection:
            rows = await connection.execute(
                taken.returning(read.id, read.type, cast(read.payload, Text).label("payload"), read.attempts)
            )
            return [Told(row.id, row.type, row.payload, row.attempts) for row in rows]

    async def handled(self, outcomes: Mapping[UUID, str], at: datetime) -> None:
        new = func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("outcomes", type_=ARRAY(Text)))
        several = new.table_valued(column("id", Uuid), column("outcome", Text), name="several").render_derived()
        statement = (
            update(webhook_events)
            .where(webhook_events.c.id == several.c.id, webhook_events.c.handled_at.is_(None))
            .values(handled_at=at, outcome=several.c.outcome, try_at=None, problem=None)
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(statement, {"ids": list(outcomes), "outcomes": list(outcomes.values())})

    async def put_off(self, ids: Sequence[UUID], until: datetime, problem: str) -> None:
        these = webhook_events.c.id.in_(ids) & webhook_events.c.handled_at.is_(None)
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(update(webhook_events).where(these).values(try_at=until, problem=problem))

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        read = webhook_events.c
        oldest = select(read.id, read.type, read.received_at, read.problem, read.try_at).where(TROUBLED)
        rows = await self._database.fresh(oldest.order_by(read.id).limit(limit))
        return [OpenProblem(row.id, row.type, row.received_at, row.problem, row.try_at) for row in rows]

    async def try_again(self, at: datetime) -> int:
        async with self._database.transaction(ANONYMOUS) as connection:
            return (await connection.execute(update(webhook_events).where(TROUBLED).values(try_at=at))).rowcount


def forget_handled(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete what was handled long ago; how many, a batch at a time. What was not handled stays. Raises Unavailable."""
    return forget(database, webhook_events.c.handled_at, now - HANDLED_ARE_KEPT)  # idx_webhook_events_handled_at
