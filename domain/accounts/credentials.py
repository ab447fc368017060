"""Changing how somebody signs in: password and mail address."""

import asyncio

from domain.accounts import inputs
from domain.accounts.attempts import Attempts
from domain.accounts.fresh_sign_in import FreshSignIn, is_done
from domain.accounts.model import Identity, NewPassword, TokenSet
from domain.accounts.pace import Pace
from domain.accounts.pool_ports import Credentials, SessionEnds, TokenEnds
from domain.accounts.ports import Directory, Tokens, Users
from domain.accounts.refusals import AddressTaken
from domain.shared.viewer import Viewer


class CredentialChanges:
    """Whoever is signed in is known by the bearer token of the request, which goes on to the pool."""

    def __init__(
        self,
        pool: Credentials,
        tokens: Tokens,
        directory: Directory,
        users: Users,
        sessions: SessionEnds,
        pace: Pace,
        attempts: Attempts,
        fresh: FreshSignIn,
        token_ends: TokenEnds,
    ) -> None:
        self._pool = pool
        self._tokens = tokens
        self._directory = directory
        self._users = users
        self._sessions = sessions
        self._pace = pace
        self._attempts = attempts
        self._fresh = fresh
        self._token_ends = token_ends

    async def change_password(self, viewer: Viewer, access_token: str, old: str, new: str) -> NewPassword:
        """The user's other sessions end, here and at the pool, and the one that asks gets tokens to go on with.

        Whoever had got in with the old one is out. Source: OWASP ASVS 5.0, 7.4.3. Raises InvalidInput, WrongPassword,
        WeakPassword; after that the password is another one in any case.
        """
        secret, password = inputs.secret(old, "oldPassword"), inputs.new_password(new, "newPassword")
        identity = await self._tokens.verify(access_token)
        await self._pool.change_password(access_token, secret, password)
        ended = await is_done(self._sessions.end_other_sessions(viewer))
        tokens = await self._fresh.by_new_password(identity.username, password)
        return NewPassword(ended, tokens if isinstance(tokens, TokenSet) else None)

    async def request_reset(self, email: str) -> None:
        """Raises InvalidInput."""
        await self._pace.keep(self._pool.request_reset(inputs.address(email)))

    async def confirm_reset(self, email: str, code: str, password: str, device: str | None = None) -> NewPassword:
        """The user's sessions end, as above, and the device is known as the user's from now on: who reads the mail is no stranger.

        So whoever empties the bucket of strangers keeps nobody out who can have a code mailed. Raises InvalidInput,
        InvalidCode, WeakPassword.
        """
        checked = inputs.address(email), inputs.code(code), inputs.new_password(password)
        ended = await self._pace.keep(self._reset(*checked))
        return NewPassword(ended, device_token=self._attempts.remember(checked[0], device))

    async def _reset(self, email: str, code: str, password: str) -> bool:
        await self._pool.confirm_reset(email, code, password)
        ended, _ = await asyncio.gather(
            is_done(self._sessions.end_sessions_at(email)), is_done(self._token_ends.take_back(email))
        )
        return ended

    async def request_address(self, viewer: Viewer, access_token: str, email: str) -> bool:
        """Whether a code has to be entered; else the address is the new one already. Raises InvalidInput.

        Another user's address looks as if a code was on its way, also in a pool that asks for none.
        """
        return await self._pace.keep(self._request_address(viewer, access_token, inputs.address(email)))

    async def _request_address(self, viewer: Viewer, access_token: str, address: str) -> bool:
        if await self._pool.change_address(access_token, address):
            return True
        try:
            await self._follow(viewer, access_token)
        except AddressTaken:
            return True
        return False

    async def confirm_address(self, viewer: Viewer, access_token: str, code: str) -> None:
        """Raises InvalidCode, CodeExpired, AddressTaken."""
        await self._pool.confirm_address(access_token, inputs.code(code))
        await self._follow(viewer, access_token)

    async def _follow(self, viewer: Viewer, access_token: str) -> None:
        """The row takes the address from the pool, never from the client. What is missed here `torii users repair` mends."""
        identity: Identity = await self._tokens.verify(access_token)
        await self._users.keep_address(viewer, await self._directory.user(identity))
