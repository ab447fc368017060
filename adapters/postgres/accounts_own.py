"""A viewer's writes of the own account, one at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Boolean, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from domain.shared.refusals import Unauthenticated
from domain.shared.viewer import Viewer


@asynccontextmanager
async def own_account(database: Database, viewer: Viewer) -> AsyncIterator[AsyncConnection]:
    """A transaction that holds the lock on the viewer's user before it touches anything of the account.

    So two tabs come one after the other and never deadlock. Raises Unauthenticated for an account that is no longer
    there, Unavailable.
    """
    async with database.transaction(viewer) as connection:
        if not await lock_own(connection):
            raise Unauthenticated
        yield connection


async def lock_own(connection: AsyncConnection) -> bool:
    """Hold that lock, in a transaction of the viewer's. False for an account that is not there, or is being deleted."""
    return bool(await connection.scalar(select(func.accounts.lock_own(type_=Boolean))))
