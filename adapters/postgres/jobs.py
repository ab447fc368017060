"""Which job ran when, and the lock that gives each run to one worker."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, NullPool, Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import CONNECT_TIMEOUT_S, Database, engine_of, outage_is_unavailable
from adapters.postgres.reading import SERVICE
from adapters.postgres.tables import job_runs as runs
from domain.shared.periodic import Outcome, Run
from domain.shared.refusals import Unavailable

STATEMENT_MS = 10_000
NOT_MIGRATED = ("3F000", "42P01", "42883")
"""There is no such schema, table or function."""
NOTICED_GONE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
"""A machine that vanished without a word loses its locks after a minute, and not after the two hours of most systems."""

HELD = text(
    """
    SELECT classid::bigint << 32 | objid::bigint AS key FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)


class PostgresRuns:
    """The port `Runs`, as the worker role."""

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        connect = {
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": STATEMENT_MS / 1000 + 0.5,
            "server_settings": {
                "application_name": "torii worker",
                "statement_timeout": str(STATEMENT_MS),
                **NOTICED_GONE,
            },
        }
        # of its own: a run keeps its connection, and a pool that is short of them would have runs wait for each other
        self._holding = engine_of(url, connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    async def last(self) -> Mapping[str, Run]:
        async with tables_are_there():
            return {row.job: _run(row) for row in await self._database.fresh(select(runs))}

    async def looked_at(self) -> Mapping[str, Run]:
        """As `last`, and whether somebody holds them now. Raises Unavailable."""
        async with tables_are_there():
            held = {int(row.key) for row in await self._database.fresh(HELD)}
            rows = await self._database.fresh(select(runs))
        return {row.job: _run(row, is_held=lock_key(row.job) in held) for row in rows}

    @asynccontextmanager
    async def hold(self, job: str) -> AsyncIterator["PostgresHeldJob | None"]:
        key = lock_key(job)
        async with outage_is_unavailable():
            connection = await self._holding.connect()
        try:
            async with outage_is_unavailable():
                is_ours = await connection.scalar(select(func.pg_try_advisory_lock(key)))
            yield PostgresHeldJob(connection, job) if is_ours else None
        finally:
            await connection.close()  # and with it the lock, whatever happened


class PostgresHeldJob:
    """The port `HeldJob`. Writes on the connection that has the lock: who lost it can write nothing any more."""

    def __init__(self, connection: AsyncConnection, job: str) -> None:
        self._connection = connection
        self._job = job

    async def last(self) -> Run | None:
        async with outage_is_unavailable():
            row = (await self._connection.execute(select(runs).where(runs.c.job == self._job))).first()
        return None if row is None else _run(row)

    async def begin(self, at: datetime) -> None:
        fresh = {"started_at": at, "ended_at": None, "outcome": None, "count": 0, "error": None}
        statement = insert(runs).values(job=self._job, **fresh)
        async with outage_is_unavailable():
            await self._connection.execute(statement.on_conflict_do_update(index_elements=[runs.c.job], set_=fresh))

    async def end(self, at: datetime, outcome: Outcome, count: int, error: str | None) -> None:
        ended = {"ended_at": at, "outcome": outcome.value, "count": count, "error": error}
        async with outage_is_unavailable():
            await self._connection.execute(runs.update().where(runs.c.job == self._job).values(ended))


async def last_sign_of_life(database: Database) -> datetime | None:
    """When a worker last began or ended a run, as the gateway may know it too. Raises Unavailable."""
    async with tables_are_there():
        rows = await database.fresh(select(func.jobs.last_sign_of_life(type_=DateTime(timezone=True))))
    found: datetime | None = rows[0][0]
    return found


@asynccontextmanager
async def tables_are_there() -> AsyncIterator[None]:
    """A worker may be started before the tables are made: then it waits for them as for a server. Raises Unavailable."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in NOT_MIGRATED:
            raise Unavailable(SERVICE) from error
        raise


def lock_key(job: str) -> int:
    """The 64 bits of the advisory lock of a job."""
    return int.from_bytes(hashlib.sha256(f"job {job}".encode()).digest()[:8], "big", signed=True)


def _run(row: Row[Any], *, is_held: bool = False) -> Run:
    outcome = None if row.outcome is None else Outcome(row.outcome)
    return Run(row.job, row.started_at, row.ended_at, outcome, row._mapping["count"], row.error, is_held)
