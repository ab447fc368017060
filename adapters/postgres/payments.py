"""What the payment provider told us, in PostgreSQL."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, literal
from sqlalchemy.dialects.postgresql import JSON, insert

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import webhook_events
from domain.payments.model import ProviderEvent
from domain.shared.ids import uuid7
from domain.shared.viewer import ANONYMOUS

HANDLED_ARE_KEPT = timedelta(days=30)
"""Stripe sends an event again for three days, and lets it be asked for and sent anew for thirty."""


class PostgresPaymentEvents:
    """The port `EventInbox`. The gateway's role may put events in, and neither read nor change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, event: ProviderEvent) -> bool:
        # no RETURNING and no conflict target, for these need the right to read
        statement = insert(webhook_events).values(
            id=uuid7(), event_id=event.id, type=event.type, payload=cast(literal(event.payload, Text), JSON)
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            done = await connection.execute(statement.on_conflict_do_nothing())
        return done.rowcount == 1


def forget_handled(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete what was handled long ago; how many, a batch at a time. What was not handled stays. Raises Unavailable."""
    return forget(database, webhook_events.c.handled_at, now - HANDLED_ARE_KEPT)  # idx_webhook_events_handled_at
