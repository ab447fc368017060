"""What signing up, signing in and credentials need of a user pool.

Addresses come in lower case. Every method raises Unavailable in an outage, TooManyAttempts where the pool wants a pause, and
NotSupported where it does not offer the operation; none of what they raise has an address, code, password or token in it.
"""

from collections.abc import Sequence
from typing import Protocol

from domain.accounts.model import Challenge, ChallengeAnswer, Identity, Passkey, PoolUser, TokenSet
from domain.shared.ids import SessionId
from domain.shared.viewer import Viewer


class SignUps(Protocol):
    async def sign_up(self, email: str, password: str) -> None:
        """Make an unconfirmed user and mail a code. For an address that is known nothing happens, and nothing is raised.

        Raises WeakPassword.
        """
        ...

    async def confirm(self, email: str, code: str) -> None:
        """Raises InvalidCode, also for an address that nobody signed up with."""
        ...

    async def resend(self, email: str) -> None:
        """Mail another code, if anybody waits for one."""
        ...


class SignIns(Protocol):
    async def sign_in(self, email: str, password: str) -> TokenSet | Challenge:
        """Raises InvalidCredentials, whatever the reason."""
        ...

    async def sign_in_with_passkey(self, email: str) -> Challenge:
        """Begin a sign-in by passkey. Raises InvalidCredentials."""
        ...

    async def answer(self, answer: ChallengeAnswer) -> TokenSet | Challenge:
        """Raises InvalidCredentials, InvalidCode, WeakPassword."""
        ...

    async def refresh(self, refresh_token: str) -> TokenSet:
        """A new access token. Raises RefreshRefused."""
        ...

    async def revoke(self, refresh_token: str) -> None:
        """Take a refresh token back, with all access tokens that came of it; one that is no longer good is no error.

        Raises InvalidToken for what never was one of ours.
        """
        ...

    async def revoke_all(self, access_token: str) -> None:
        """Take back all refresh tokens of a token's user. Raises InvalidToken."""
        ...


class TokenEnds(Protocol):
    async def take_back(self, name: str) -> None:
        """Take back all refresh tokens of a user, by a name or address that the pool knows; there or not."""
        ...


class Credentials(Protocol):
    async def change_password(self, access_token: str, old: str, new: str) -> None:
        """Raises WrongPassword, WeakPassword."""
        ...

    async def request_reset(self, email: str) -> None:
        """Mail a code, if the address is known."""
        ...

    async def confirm_reset(self, email: str, code: str, password: str) -> None:
        """Raises InvalidCode, also for an address that is not known; WeakPassword."""
        ...

    async def change_address(self, access_token: str, email: str) -> bool:
        """Ask for another mail address: True when the pool has mailed a code to it, False when it has it at once.

        An address that is somebody else's is treated as if a code was on its way. Raises InvalidToken.
        """
        ...

    async def confirm_address(self, access_token: str, code: str) -> None:
        """Raises InvalidCode, CodeExpired, AddressTaken, InvalidToken."""
        ...


class Passkeys(Protocol):
    async def begin(self, access_token: str) -> str:
        """What `navigator.credentials.create` takes, as JSON. Raises InvalidToken."""
        ...

    async def complete(self, access_token: str, credential: str) -> None:
        """Keep what the browser made, as JSON. Raises PasskeyRefused, InvalidToken."""
        ...

    async def all(self, access_token: str) -> Sequence[Passkey]:
        """All passkeys of a token's user, at most some twenty."""
        ...

    async def delete(self, access_token: str, passkey_id: str) -> None:
        """Raises NotFound, InvalidToken."""
        ...


class SessionEnds(Protocol):
    """The marketplace's own memory of sessions: a session is what all tokens of one sign-in share."""

    async def end_session(self, viewer: Viewer, session_id: SessionId) -> None:
        """From now on no token of this session of the viewer's is accepted. One that has ended already is no error."""
        ...

    async def end_all_sessions(self, viewer: Viewer) -> None:
        """The same for every session that the viewer has."""
        ...

    async def end_other_sessions(self, viewer: Viewer) -> None:
        """The same for every session that the viewer has, but for the one that asks."""
        ...

    async def end_sessions_of(self, user: PoolUser, *, but: SessionId | None = None) -> None:
        """The same for every session of a user of the pool, but for one.

        Raises AddressTaken and InvalidToken where it is no user here.
        """
        ...

    async def end_sessions_at(self, name: str) -> None:
        """The same for the user whom the pool knows by a name or address, if there is one."""
        ...

    async def has_ended(self, identity: Identity) -> bool:
        """Whether the session of a token was ended."""
        ...
