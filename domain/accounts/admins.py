"""Who is an admin: whoever is in the user pool's group and in our rows, both. What operators do, never the user."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.accounts.model import PoolUser
from domain.accounts.suspension import UserNotFound
from domain.shared.ids import UserId

ADMIN_GROUP = "admin"


@dataclass(frozen=True, slots=True)
class Admin:
    """A user whose row says admin. `subject` is the pool's name of it; None for one who has left."""

    user_id: UserId
    subject: str | None


class AdminRows(Protocol):
    """Each change is one transaction with its event."""

    async def grant(self, user_id: UserId) -> bool:
        """False where the row said so before."""
        ...

    async def at_address(self, email: str) -> Admin:
        """The user of an address, admin or not. Raises UserNotFound."""
        ...

    async def admins(self) -> Sequence[Admin]: ...

    async def revoke(self, user_ids: Collection[UserId]) -> int:
        """How many of them were admins."""
        ...


class AdminGroup(Protocol):
    """The pool's group: who is in it has a claim in the next token."""

    async def add(self, subject: str) -> None: ...

    async def remove(self, subject: str) -> None:
        """There or not."""
        ...

    async def subjects(self) -> frozenset[str]:
        """All who are in it."""
        ...


class PoolUsers(Protocol):
    async def at_address(self, email: str) -> PoolUser | None: ...


class FirstSight(Protocol):
    async def first_seen(self, user: PoolUser) -> UserId:
        """The row of a user of the pool, made where there is none. Raises AddressTaken, InvalidToken."""
        ...


class Admins:
    """Gateways see a change within a second, for they look at a user's standing on each request."""

    def __init__(self, rows: AdminRows, group: AdminGroup, pool: PoolUsers, users: FirstSight) -> None:
        self._rows = rows
        self._group = group
        self._pool = pool
        self._users = users

    async def grant(self, email: str) -> bool:
        """Whether the user was no admin here before; it takes a new token. Raises UserNotFound, AddressTaken, Unavailable."""
        user = await self._pool.at_address(email.strip())
        if user is None:
            raise UserNotFound
        user_id = await self._users.first_seen(user)
        await self._group.add(user.subject)  # before the row: `follow` takes away what the group does not have
        return await self._rows.grant(user_id)

    async def revoke(self, email: str) -> bool:
        """Whether the user was an admin here; its sockets close, and its next request is a user's.

        Raises UserNotFound; Unavailable, and then to be called again: the row, which decides, comes first.
        """
        user = await self._rows.at_address(email.strip())
        was_one = await self._rows.revoke([user.user_id]) > 0
        if user.subject is not None:
            await self._group.remove(user.subject)
        return was_one

    async def follow(self) -> int:
        """Take away from rows what the pool's group does not have any more, and give nothing; how many. Raises Unavailable."""
        admins = await self._rows.admins()
        if not admins:
            return 0
        # Read after the rows: whoever is granted meanwhile is not among them.
        in_group = await self._group.subjects()
        return await self._rows.revoke([each.user_id for each in admins if each.subject not in in_group])
