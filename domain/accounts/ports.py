"""What the accounts module needs from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.accounts.model import Author, Identity, PoolUser, Session, SessionState, Sighting, UserStanding
from domain.shared.ids import SessionId, UserId
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Viewer


class Tokens(Protocol):
    async def verify(self, token: str) -> Identity:
        """Who a bearer token speaks for. Raises InvalidToken."""
        ...


class Directory(Protocol):
    async def user(self, identity: Identity) -> PoolUser:
        """What the pool knows of a token's user now. Raises InvalidToken for one who is gone or was disabled."""
        ...

    async def at_address(self, email: str) -> PoolUser | None:
        """The pool's user who signs in with an address; None where there is none."""
        ...


class Users(Protocol):
    async def standings(self, subjects: Sequence[str]) -> Sequence[UserStanding | None]:
        """How users of the pool stand, as of now and never from a replica; None for one who has no row yet."""
        ...

    async def first_seen(self, user: PoolUser) -> UserId:
        """Make the row of a user of the pool, or find it: the same subject always gets the same id.

        Whoever makes it writes `UserRegistered` in the same transaction: once a user. Raises AddressTaken.
        """
        ...

    async def sign_out(self, viewer: Viewer, at: datetime, *, but: SessionId | None = None) -> None:
        """Write down that the viewer signed out everywhere, but for one session."""
        ...

    async def keep_address(self, viewer: Viewer, user: PoolUser) -> None:
        """Write the pool's present address into the viewer's row. Raises AddressTaken."""
        ...

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]: ...


class SessionStore(Protocol):
    """Sessions that a token can still be of: those in use, idle ones, and those that were revoked."""

    async def states(self, ids: Sequence[SessionId]) -> Sequence[SessionState | Unavailable | None]:
        """What is known of sessions, in the order of their ids; None for one that is new or long over.

        Unavailable in the place of one that cannot be asked after now, or raised for all.
        """
        ...

    async def seen(self, sighting: Sighting) -> SessionState:
        """Make a session or write down its use, unless it was revoked: then the state says so, and nothing changes."""
        ...

    async def revoke(self, session_id: SessionId, user_id: UserId, at: datetime) -> Session:
        """End a user's session for good, as it was when it ended; again is no error. Raises SessionNotFound."""
        ...

    async def of_user(self, user_id: UserId, at_most: int) -> Sequence[Session]:
        """A user's sessions that were not revoked, idle ones too, the last used first."""
        ...
