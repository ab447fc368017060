"""Mails that were begun and sent, in PostgreSQL."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, false, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import mails
from domain.notifications.ports import Claim, Mail
from domain.notifications.templates import Template
from domain.shared.ids import OrderId, SellerId, UserId, uuid7
from domain.shared.languages import Language
from domain.shared.viewer import ANONYMOUS

UNDER_WAY = timedelta(minutes=1)
"""Far longer than a call to the mailer may take: who began earlier and said no more is not at it any longer."""
KEPT = timedelta(days=90)
"""Longer than its event can come again."""


class PostgresMails:
    """The port `Mails`, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, mail: Mail, again_since: datetime | None) -> Claim:
        asked_again = false() if again_since is None else mails.c.begun_at < again_since
        statement = (
            insert(mails)
            .values(
                id=uuid7(),
                key=mail.key,
                template=mail.template.value,
                language=mail.language.value,
                user_id=mail.user_id,
                order_id=mail.order_id,
                seller_id=mail.seller_id,
                begun_at=mail.begun_at,
            )
            .on_conflict_do_update(
                index_elements=[mails.c.key],
                set_={"begun_at": mail.begun_at, "language": mail.language.value},
                where=and_(mails.c.sent_at.is_(None), asked_again),
            )
        )
        async with self._database.transaction(ANONYMOUS) as connection:
            if (await connection.execute(statement)).rowcount == 1:
                return Claim.OURS
            found: Any = (await connection.execute(select(mails).where(mails.c.key == mail.key))).first()
        if found is None or (mail.begun_at - found.begun_at < UNDER_WAY and found.sent_at is None):
            return Claim.UNDER_WAY  # or it was released between the two statements
        return Claim.UNKNOWN if found.sent_at is None else Claim.SENT

    async def sent(self, key: str, at: datetime, message_id: str) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(update(mails).where(mails.c.key == key).values(sent_at=at, message_id=message_id))

    async def release(self, key: str) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(delete(mails).where(mails.c.key == key, mails.c.sent_at.is_(None)))

    async def newest(self, limit: int) -> Sequence[Mail]:
        statement = select(mails).order_by(mails.c.begun_at.desc()).limit(limit)  # idx_mails_begun_at
        return [_mail(row) for row in await self._database.fresh(statement)]

    async def find(self, mail_id: UUID) -> Mail | None:
        rows = await self._database.fresh(select(mails).where(mails.c.id == mail_id))
        return _mail(rows[0]) if rows else None


def forget_mails(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete what is known of mails of long ago; how many, a batch at a time. Raises Unavailable."""
    return forget(database, mails.c.begun_at, now - KEPT)  # idx_mails_begun_at


def _mail(row: Any) -> Mail:
    return Mail(
        row.key,
        Template(row.template),
        Language(row.language),
        UserId(row.user_id) if row.user_id else None,
        row.begun_at,
        row.sent_at,
        row.id,
        OrderId(row.order_id) if row.order_id else None,
        SellerId(row.seller_id) if row.seller_id else None,
    )
