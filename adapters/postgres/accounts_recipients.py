"""Whom a mail goes to: looked up when it is sent, as the worker role."""

from sqlalchemy import select

from adapters.postgres.accounts import SUSPENDED
from adapters.postgres.database import Database
from adapters.postgres.tables import user_profiles, users
from domain.notifications.ports import Recipient
from domain.shared.ids import UserId


class PostgresRecipients:
    """The port `Recipients`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recipient(self, user_id: UserId) -> Recipient | None:
        rows = await self._database.fresh(
            select(users.c.email, user_profiles.c.display_name)
            .outerjoin(user_profiles, user_profiles.c.user_id == users.c.id)
            .where(
                users.c.id == user_id,
                users.c.email_verified_at.is_not(None),
                users.c.deletion_requested_at.is_(None),
                users.c.status != SUSPENDED,
            )
        )
        return Recipient(rows[0].email, rows[0].display_name) if rows else None
