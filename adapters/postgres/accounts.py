"""Users in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Uuid, func, select

from adapters.postgres.batches import among_ids, one_each
from adapters.postgres.database import Database
from adapters.postgres.tables import authors, user_profiles, users
from domain.accounts.model import Author, Profile
from domain.accounts.service import AddressTaken
from domain.shared.ids import UserId
from domain.shared.viewer import ANONYMOUS, Viewer

AUTHORS = select(authors).where(among_ids(authors.c.id))


class PostgresUsers:
    """The port `Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def id_of(self, subject: str) -> UserId | None:
        rows = await self._database.public(select(func.accounts.user_of(subject, type_=Uuid)))
        return UserId(rows[0][0]) if rows[0][0] else None

    async def first_seen(self, subject: str, email: str) -> UserId:
        async with self._database.transaction(ANONYMOUS) as connection:
            found: Any = await connection.scalar(select(func.accounts.first_seen(subject, email, type_=Uuid)))
        if found is None:
            raise AddressTaken
        return UserId(found)

    async def profile(self, viewer: Viewer) -> Profile | None:
        statement = (
            select(users, user_profiles.c.display_name, user_profiles.c.avatar_url)
            .outerjoin(user_profiles, user_profiles.c.user_id == users.c.id)
            .where(users.c.id == viewer.user_id)
        )
        rows = await self._database.seen_by(viewer, statement)
        if not rows:
            return None
        row = rows[0]
        return Profile(UserId(row.id), row.email, row.display_name, row.avatar_url, row.created_at)

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]:
        rows = await self._database.public(AUTHORS, {"ids": ids})
        found = [Author(UserId(row.id), row.display_name, row.avatar_url) for row in rows]
        return one_each(ids, found, lambda author: author.id)
