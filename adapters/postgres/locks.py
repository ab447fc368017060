"""Locks among all processes that share a database."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from adapters.postgres.database import Database, outage_is_unavailable


@asynccontextmanager
async def one_at_a_time(database: Database, name: str) -> AsyncIterator[None]:
    """One holder of this name at a time, also among machines; the others wait. It ends with its holder, however that ends.

    Raises Unavailable where the wait is longer than the database's time limit.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    async with database.writer.connect() as connection:
        async with outage_is_unavailable():
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield
