"""Brings a database to the newest revision."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from adapters.postgres.database import engine_of, outage_is_unavailable
from adapters.postgres.migrations.script import MigrationBlocked

log = logging.getLogger("torii.migrations")

CONNECT_TIMEOUT_S = 10
LOCK = 0x746F7269
"""Key of the advisory lock that lets one migration run at a time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a migration may wait for each lock, in milliseconds, and the pauses in seconds before it tries again."""

    lock_ms: int
    pauses_s: Sequence[float]


PATIENCE = Patience(4_000, (1, 2, 4, 8, 15, 30))
"""Half a minute of waiting for locks, within a minute and a half, which no transaction of a request or a job's page lasts."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest_revision() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Apply what is missing, as the owner of the tables. Safe to call again, and from several places at once.

    Raises Unavailable, MigrationBlocked.
    """
    asyncio.run(upgrade_async(owner_url, revision))


async def upgrade_async(owner_url: str, revision: str = "head", patience: Patience = PATIENCE) -> None:
    def migrate(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["lock_ms"] = patience.lock_ms
        command.upgrade(config, revision)

    engine = engine_of(owner_url, {"timeout": CONNECT_TIMEOUT_S}, poolclass=NullPool)
    try:
        async with outage_is_unavailable(), engine.connect() as lock:
            await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            for pause_s in (*patience.pauses_s, None):
                async with engine.connect() as connection:
                    if await _is_through(connection, migrate, is_last=pause_s is None):
                        return
                    log.warning(
                        "a migration got no lock within %d ms: a transaction has the table. It is tried again in %g s",
                        patience.lock_ms,
                        pause_s,
                    )
                await asyncio.sleep(pause_s or 0)
    finally:
        await engine.dispose()


async def _is_through(connection: AsyncConnection, migrate: Callable[[Connection], None], *, is_last: bool) -> bool:
    """Whether all revisions are applied; those before one that got no lock are. Raises MigrationBlocked where it is the last try."""
    try:
        await connection.run_sync(migrate)
        await connection.commit()
    except (asyncpg.LockNotAvailableError, DBAPIError) as error:
        if getattr(getattr(error, "orig", error), "sqlstate", "") != asyncpg.LockNotAvailableError.sqlstate:
            raise
        if is_last:
            raise MigrationBlocked from error
        return False
    return True
