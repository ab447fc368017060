"""Admins in PostgreSQL, as the worker role: the gateway's own cannot write who is one."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, select, update

from adapters.postgres.batches import among_ids
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.tables import users
from domain.accounts.admins import Admin
from domain.accounts.events import admin_granted, admin_revoked
from domain.accounts.suspension import UserNotFound
from domain.shared.ids import UserId
from domain.shared.viewer import ANONYMOUS

BY_ADDRESS = select(users.c.id, users.c.cognito_sub).where(  # idx_users_email
    func.lower(users.c.email) == func.lower(bindparam("email"))
)
ADMINS = select(users.c.id, users.c.cognito_sub).where(users.c.is_admin)  # idx_users_admins
GRANT = update(users).where(among_ids(users.c.id), ~users.c.is_admin).values(is_admin=True).returning(users.c.id)
REVOKE = update(users).where(among_ids(users.c.id), users.c.is_admin).values(is_admin=False).returning(users.c.id)


class PostgresAdmins:
    """The port domain.accounts.admins.AdminRows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(self, user_id: UserId) -> bool:
        async with self._database.transaction(ANONYMOUS) as connection:
            found = (await connection.execute(GRANT, {"ids": [user_id]})).all()
            await put_out(connection, [admin_granted(UserId(row.id)) for row in found])
        return bool(found)

    async def at_address(self, email: str) -> Admin:
        rows = await self._database.fresh(BY_ADDRESS, {"email": email})
        if not rows:
            raise UserNotFound
        return Admin(UserId(rows[0].id), rows[0].cognito_sub)

    async def admins(self) -> Sequence[Admin]:
        return [Admin(UserId(row.id), row.cognito_sub) for row in await self._database.fresh(ADMINS)]

    async def revoke(self, user_ids: Collection[UserId]) -> int:
        async with self._database.transaction(ANONYMOUS) as connection:
            found = (await connection.execute(REVOKE, {"ids": list(user_ids)})).all()
            await put_out(connection, [admin_revoked(UserId(row.id)) for row in found])
        return len(found)
