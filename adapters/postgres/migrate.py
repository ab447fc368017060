"""Brings a database to the newest revision."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from adapters.postgres.database import engine_of, outage_is_unavailable

CONNECT_TIMEOUT_S = 10
LOCK = 0x746F7269
"""Key of the advisory lock that lets one migration run at a time."""


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

    Raises Unavailable.
    """
    asyncio.run(upgrade_async(owner_url, revision))


async def upgrade_async(owner_url: str, revision: str = "head") -> None:
    def migrate(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = engine_of(owner_url, {"timeout": CONNECT_TIMEOUT_S}, poolclass=NullPool)
    async with outage_is_unavailable(), engine.connect() as lock, engine.connect() as connection:
        await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()
