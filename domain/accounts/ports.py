"""What the accounts module needs from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.accounts.model import Author, Identity, PoolUser
from domain.shared.ids import UserId
from domain.shared.viewer import Viewer


class Tokens(Protocol):
    async def verify(self, token: str) -> Identity:
        """Who a bearer token speaks for. Raises InvalidToken."""
        ...


class Directory(Protocol):
    async def user(self, identity: Identity) -> PoolUser:
        """What the pool knows of a token's user now. Raises InvalidToken for one who is gone or was disabled."""
        ...


class Users(Protocol):
    async def id_of(self, subject: str) -> UserId | None: ...

    async def first_seen(self, user: PoolUser) -> UserId:
        """Make the row of a user of the pool, or find it: the same subject always gets the same id.

        Whoever makes it writes `UserRegistered` in the same transaction: once a user. Raises AddressTaken.
        """
        ...

    async def keep_address(self, viewer: Viewer, user: PoolUser) -> None:
        """Write the pool's present address into the viewer's row. Raises AddressTaken."""
        ...

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]: ...
