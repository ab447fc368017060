"""Users in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Boolean, DateTime, Text, Uuid, bindparam, case, column, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from adapters.postgres.batches import among_ids, one_each
from adapters.postgres.columns import Columns, Reads
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.reading import Prepared
from adapters.postgres.tables import authors, users
from domain.accounts.events import user_registered
from domain.accounts.model import Author, PoolUser, UserStanding
from domain.accounts.refusals import AddressTaken, InvalidToken
from domain.shared.ids import SellerId, SessionId, UserId
from domain.shared.viewer import ANONYMOUS, Viewer

SUSPENDED = "suspended"
STANDINGS = Prepared(
    select(
        func.accounts.standings(bindparam("subjects", type_=ARRAY(Text))).table_valued(
            column("subject", Text),
            column("user_id", Uuid),
            column("status", Text),
            column("seller_ids", ARRAY(Uuid)),
            column("signed_out_at", DateTime(timezone=True)),
            column("signed_out_except", Uuid),
            column("is_admin", Boolean),
        )
    )
)
"""By the unique index of `cognito_sub`, and the primary key of the sellers' members, which starts with the user."""
AUTHOR = Columns(Author, authors, always=("id",))
AUTHORS = Reads(AUTHOR, lambda columns: columns.where(among_ids(authors.c.id)))


class PostgresUsers:
    """The port `Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standings(self, subjects: Sequence[str]) -> Sequence[UserStanding | None]:
        rows = await self._database.fresh(STANDINGS, {"subjects": subjects})
        found = {
            row.subject: UserStanding(
                UserId(row.user_id),
                row.status == SUSPENDED,
                tuple(map(SellerId, row.seller_ids)),
                row.signed_out_at,
                row.signed_out_except,
                row.is_admin,
            )
            for row in rows
        }
        return [found.get(subject) for subject in subjects]

    async def first_seen(self, user: PoolUser) -> UserId:
        met = func.accounts.first_seen(user.subject, user.email, user.email_verified)
        columns = met.table_valued(column("user_id", Uuid), column("is_new", Boolean))
        async with self._database.transaction(ANONYMOUS) as connection:
            row: Any = (await connection.execute(select(columns))).one()
            if row.is_new:
                await put_out(connection, [user_registered(UserId(row.user_id))])
        if row.is_new is None:  # the account is being deleted
            raise InvalidToken
        if row.user_id is None:
            raise AddressTaken
        return UserId(row.user_id)

    async def sign_out(self, viewer: Viewer, at: datetime, *, but: SessionId | None = None) -> None:
        # One statement: whoever reads the moment reads the exception that belongs to it.
        change = update(users).where(users.c.id == viewer.user_id).values(signed_out_at=at, signed_out_except=but)
        async with self._database.transaction(viewer) as connection:
            await connection.execute(change)

    async def keep_address(self, viewer: Viewer, user: PoolUser) -> None:
        is_same = func.lower(users.c.email) == func.lower(user.email)
        verified_at = case(
            (is_same & users.c.email_verified_at.is_not(None), users.c.email_verified_at), else_=func.now()
        )
        change = (
            update(users)
            .where(users.c.id == viewer.user_id, users.c.cognito_sub == user.subject)
            .values(email=user.email, email_verified_at=verified_at if user.email_verified else None)
        )
        try:
            async with self._database.transaction(viewer) as connection:
                await connection.execute(change)
        except IntegrityError:  # idx_users_email; its text has the address
            raise AddressTaken from None

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]:
        read = AUTHORS.of(None)
        rows = await self._database.fresh(read.statement, {"ids": ids})
        return one_each(ids, read.make(rows), attrgetter("id"))
