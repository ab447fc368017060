"""Profiles in PostgreSQL: a user's row, and what the user told, which has a row once there is anything."""

from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.accounts_own import own_account
from adapters.postgres.database import Database
from adapters.postgres.tables import user_profiles, users
from domain.accounts.details import Gender, PersonalDetails
from domain.accounts.model import Profile
from domain.shared.ids import UserId, uuid7
from domain.shared.viewer import Viewer

TOLD = [
    column for column in user_profiles.columns if column.name in ("display_name", "avatar_url", "birth_date", "gender")
]
PROFILE = select(users, *TOLD, func.coalesce(user_profiles.c.version, 0).label("version")).outerjoin(
    user_profiles, user_profiles.c.user_id == users.c.id
)


class PostgresProfiles:
    """The port `ProfileStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def profile(self, viewer: Viewer) -> Profile | None:
        rows = await self._database.seen_by(viewer, PROFILE.where(users.c.id == viewer.user_id))
        return profile_of(rows[0]) if rows else None

    async def store(self, viewer: Viewer, details: PersonalDetails) -> Profile | None:
        async with own_account(self._database, viewer) as connection:
            if not await _told(connection, viewer, details):
                return None
            mine = users.c.id == viewer.user_id
            await connection.execute(update(users).where(mine).values(phone_number=details.phone_number))
            return profile_of((await connection.execute(PROFILE.where(mine))).one())


async def _told(connection: AsyncConnection, viewer: Viewer, details: PersonalDetails) -> bool:
    """Whether it was stored: its version was the present one."""
    columns = {
        "display_name": details.display_name,
        "avatar_url": details.avatar_url,
        "birth_date": details.birth_date,
        "gender": details.gender,
    }
    first = insert(user_profiles).values(id=uuid7(), user_id=viewer.user_id, **columns).on_conflict_do_nothing()
    again = (
        update(user_profiles)
        .where(user_profiles.c.user_id == viewer.user_id, user_profiles.c.version == details.version)
        .values(columns)
    )
    stored = await connection.execute(again if details.version else first)
    return bool(stored.rowcount)


def profile_of(row: Row[Any]) -> Profile:
    gender = Gender(row.gender) if row.gender else None
    details = PersonalDetails(row.display_name, row.avatar_url, row.birth_date, gender, row.phone_number, row.version)
    return Profile(UserId(row.id), row.email, details, row.created_at)
