"""PostgreSQL as workers and operators use it. By itself, so that a command that needs no more loads no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.postgres.database import Database
from settings import Settings, require


@asynccontextmanager
async def worker_database(settings: Settings, pool_size: int, timeout_ms: int) -> AsyncIterator[Database]:
    """As the worker role, which sees every row. Raises MissingSettings."""
    require(settings, "database_worker_url")
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=pool_size, timeout_ms=timeout_ms)
    try:
        yield database
    finally:
        await database.close()
