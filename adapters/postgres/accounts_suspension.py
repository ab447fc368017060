"""Users suspended and reinstated, as the worker role: the gateway's own cannot write a user's status."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from adapters.postgres.accounts import SUSPENDED
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.tables import users
from domain.accounts.events import user_reinstated, user_suspended
from domain.accounts.suspension import UserNotFound
from domain.shared.events import Event
from domain.shared.ids import UserId
from domain.shared.viewer import ANONYMOUS

ACTIVE = "active"
BY_ADDRESS = (  # idx_users_email
    select(users.c.id, users.c.status)
    .where(func.lower(users.c.email) == func.lower(bindparam("email")))
    .with_for_update()
)


class PostgresSuspensions:
    """The port domain.accounts.suspension.Suspensions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspend(self, email: str, at: datetime, reason: str | None) -> bool:
        # Signed out in the same statement: reinstated, the user is not let in by what was signed in before.
        change = {
            "status": SUSPENDED,
            "suspension_reason": reason,
            "signed_out_at": at,
            "signed_out_except": None,
        }
        return await self._change(email, change, user_suspended)

    async def reinstate(self, email: str) -> bool:
        return await self._change(email, {"status": ACTIVE, "suspension_reason": None}, user_reinstated)

    async def _change(self, email: str, change: Mapping[str, Any], event: Callable[[UserId], Event]) -> bool:
        async with self._database.transaction(ANONYMOUS) as connection:
            user = (await connection.execute(BY_ADDRESS, {"email": email})).one_or_none()
            if user is None:
                raise UserNotFound
            if user.status == change["status"]:
                return False
            await connection.execute(update(users).where(users.c.id == user.id).values(change))
            await put_out(connection, [event(UserId(user.id))])
        return True
