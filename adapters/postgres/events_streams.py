"""Streams of events in PostgreSQL: what those who watch read, as they may see it, and what they have still to be told of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import ARRAY, Text, bindparam, column, delete, func, select

from adapters.postgres.database import Database
from adapters.postgres.events import RECORD, record_of
from adapters.postgres.tables import outbox, untold
from domain.events.streams import BEFORE_ALL, Reading
from domain.shared.events import EventRecord
from domain.shared.refusals import NotFound
from domain.shared.viewer import ANONYMOUS, Viewer

LIVE_CHANNEL = "live"
"""Where a trigger tells that there is something to be told."""

HEADS = (
    func.events.heads(bindparam("names", type_=ARRAY(Text)))
    .table_valued(column("stream", Text), column("last"), name="heads")
    .render_derived()
)
STANDING = select(
    func.events.may_follow(bindparam("stream", type_=Text)).label("may_follow"),
    select(HEADS.c.last).scalar_subquery().label("head"),
)
MISSED = (
    select(*RECORD)
    .where(outbox.c.stream == bindparam("stream"), outbox.c.sequence > bindparam("after"))  # idx_outbox_stream
    .order_by(outbox.c.sequence)
    .limit(bindparam("most"))
)


class PostgresStreams:
    """The port `StreamStore`, as the gateway's role: a policy shows a viewer the streams that are theirs, and no other event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, viewer: Viewer, stream: str, after: int | None, limit: int) -> Reading:
        async with self._database.transaction(viewer) as connection:
            # the last number first: what is read afterwards goes at least as far
            standing = (await connection.execute(STANDING, {"stream": stream, "names": [stream]})).one()
            if not standing.may_follow:
                raise NotFound
            head = BEFORE_ALL if standing.head is None else int(standing.head)
            if after is None:
                return Reading(head)
            rows = (await connection.execute(MISSED, {"stream": stream, "after": after, "most": limit})).all()
            return Reading(head, [record_of(row) for row in rows])

    async def heads(self, streams: Sequence[str]) -> Mapping[str, int]:
        rows = await self._database.fresh(select(HEADS.c.stream, HEADS.c.last), {"names": list(streams)})
        return {row.stream: int(row.last) for row in rows}


class PostgresUntold:
    """The port `Untold`, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def batch(self, limit: int) -> AsyncIterator[Sequence[EventRecord]]:
        oldest = select(untold.c.event_id).order_by(untold.c.event_id).limit(limit).with_for_update(skip_locked=True)
        taken = delete(untold).where(untold.c.event_id.in_(oldest)).returning(untold.c.event_id).cte("taken")
        statement = (
            select(*RECORD).join(taken, taken.c.event_id == outbox.c.id).order_by(outbox.c.stream, outbox.c.sequence)
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            yield [record_of(row) for row in (await connection.execute(statement)).all()]
