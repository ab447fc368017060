"""Deletions of accounts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, func, or_, select

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.tables import users
from domain.accounts.deletion import Leaver
from domain.accounts.events import user_deleted
from domain.shared.ids import UserId
from domain.shared.refusals import Unauthenticated
from domain.shared.viewer import ANONYMOUS, Viewer


class PostgresDeletions:
    """The port `Deletions`; `due` sees others' rows for a worker's role alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, viewer: Viewer) -> bool:
        async with self._database.transaction(viewer) as connection:
            has_begun: bool | None = await connection.scalar(select(func.accounts.request_deletion(type_=Boolean)))
            if has_begun and viewer.user_id is not None:
                await put_out(connection, [user_deleted(viewer.user_id)])
        return bool(has_begun)

    async def leaver(self, viewer: Viewer) -> Leaver:
        mine = select(users.c.id, users.c.leaving_sub).where(
            users.c.id == viewer.user_id, users.c.deletion_requested_at.is_not(None)
        )
        rows = await self._database.seen_by(viewer, mine)
        if not rows:
            raise Unauthenticated
        return Leaver(UserId(rows[0].id), rows[0].leaving_sub)

    async def finish(self, user_id: UserId) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(select(func.accounts.finish_deletion(user_id)))

    async def due(self, since: datetime, limit: int) -> Sequence[Leaver]:
        statement = (
            select(users.c.id, users.c.leaving_sub)
            .where(
                users.c.deletion_requested_at.is_not(None),  # idx_users_leaving
                or_(users.c.deleted_at.is_(None), users.c.deleted_at > since),
            )
            .order_by(users.c.deleted_at.desc().nulls_first())
            .limit(limit)
        )
        rows = await self._database.seen_by(ANONYMOUS, statement)
        return [Leaver(UserId(row.id), row.leaving_sub) for row in rows]
