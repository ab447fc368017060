"""Rows of users, brought in line with what the user pool knows of them."""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import (
    Boolean,
    ColumnElement,
    TableValuedAlias,
    Text,
    bindparam,
    case,
    column,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import IntegrityError

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.reading import SERVICE
from adapters.postgres.tables import users
from domain.accounts.events import user_registered
from domain.accounts.model import PoolUser
from domain.accounts.repair import Repaired
from domain.shared.ids import UserId
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS

TRIES = 3


def _pool_users(name: str) -> TableValuedAlias:
    given = func.unnest(
        bindparam("subjects", type_=ARRAY(Text)),
        bindparam("addresses", type_=ARRAY(Text)),
        bindparam("verified", type_=ARRAY(Boolean)),
    )
    columns = (column("subject", Text), column("address", Text), column("verified", Boolean))
    return given.table_valued(*columns, name=name).render_derived()


def _is_same(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether two addresses are one, however written."""
    return func.lower(one) == func.lower(other)


IN_POOL = _pool_users("in_pool")
TWIN = _pool_users("twin")
"""Another user of the pool who comes first with an address: a pool that heeds capital letters may have two of it."""
OTHERS = users.alias("others")
MOVED = (  # users_cognito_sub_key, idx_users_email
    update(users)
    .where(
        users.c.cognito_sub == IN_POOL.c.subject,
        or_(users.c.email != IN_POOL.c.address, users.c.email_verified_at.is_not(None) != IN_POOL.c.verified),
        ~exists().where(_is_same(OTHERS.c.email, IN_POOL.c.address), OTHERS.c.id != users.c.id),
        ~exists().where(_is_same(TWIN.c.address, IN_POOL.c.address), TWIN.c.subject < IN_POOL.c.subject),
    )
    .values(email=IN_POOL.c.address, email_verified_at=case((IN_POOL.c.verified, func.now())))
    .returning(users.c.id)
)
MADE = (
    insert(users)
    .from_select(
        ["cognito_sub", "email", "email_verified_at"],
        select(IN_POOL.c.subject, IN_POOL.c.address, case((IN_POOL.c.verified, func.now()))).where(
            ~exists().where(OTHERS.c.cognito_sub == IN_POOL.c.subject),
            ~exists().where(OTHERS.c.leaving_sub == IN_POOL.c.subject),  # who is leaving does not come back
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(users.c.id)
)
TAKEN = (
    select(func.count())
    .select_from(
        IN_POOL.outerjoin(users, (users.c.cognito_sub == IN_POOL.c.subject) & (users.c.email == IN_POOL.c.address))
    )
    .where(users.c.id.is_(None))
)


class PostgresUserRows:
    """The port domain.accounts.repair.UserRows, as the worker role, which sees every row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def repair(self, users: Sequence[PoolUser]) -> Repaired:
        for _ in range(TRIES):
            with suppress(IntegrityError):  # a gateway took an address or made a row meanwhile: look again
                return await self._repair(users)
        raise Unavailable(SERVICE)

    async def _repair(self, users: Sequence[PoolUser]) -> Repaired:
        given = {
            "subjects": [user.subject for user in users],
            "addresses": [user.email for user in users],
            "verified": [user.email_verified for user in users],
        }
        async with self._database.transaction(ANONYMOUS) as connection:
            moved = 0
            # An address that one user gave up is free for another only in the next statement.
            while step := len((await connection.execute(MOVED, given)).all()):
                moved += step
            made = [UserId(row.id) for row in await connection.execute(MADE, given)]
            await put_out(connection, [user_registered(each) for each in made])
            taken: int = (await connection.execute(TAKEN, given)).scalar_one()
        return Repaired(len(users), len(made), moved, taken)
