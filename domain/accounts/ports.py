"""What the accounts module needs from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.accounts.model import Author, Identity, Profile
from domain.shared.ids import UserId
from domain.shared.viewer import Viewer


class Tokens(Protocol):
    async def verify(self, token: str) -> Identity:
        """Who a bearer token speaks for. Raises InvalidToken."""
        ...


class Directory(Protocol):
    async def email_of(self, identity: Identity) -> str:
        """The mail address of a pool's user, which access tokens do not carry."""
        ...


class Users(Protocol):
    async def id_of(self, subject: str) -> UserId | None: ...

    async def first_seen(self, subject: str, email: str) -> UserId:
        """Make the row of a user of the pool, or find it: the same subject always gets the same id.

        Raises AddressTaken.
        """
        ...

    async def profile(self, viewer: Viewer) -> Profile | None: ...

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]: ...
