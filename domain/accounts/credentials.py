"""Changing how somebody signs in: password and mail address."""

from domain.accounts import inputs
from domain.accounts.model import Identity
from domain.accounts.pace import Pace
from domain.accounts.pool_ports import Credentials
from domain.accounts.ports import Directory, Tokens, Users
from domain.shared.viewer import Viewer


class CredentialChanges:
    """Whoever is signed in is known by the bearer token of the request, which goes on to the pool."""

    def __init__(self, pool: Credentials, tokens: Tokens, directory: Directory, users: Users, pace: Pace) -> None:
        self._pool = pool
        self._tokens = tokens
        self._directory = directory
        self._users = users
        self._pace = pace

    async def change_password(self, access_token: str, old: str, new: str) -> None:
        """Raises InvalidInput, WrongPassword, WeakPassword."""
        checked = inputs.secret(old, "oldPassword"), inputs.new_password(new, "newPassword")
        await self._pool.change_password(access_token, *checked)

    async def request_reset(self, email: str) -> None:
        """Raises InvalidInput."""
        await self._pace.keep(self._pool.request_reset(inputs.address(email)))

    async def confirm_reset(self, email: str, code: str, password: str) -> None:
        """Raises InvalidInput, InvalidCode, WeakPassword."""
        checked = inputs.address(email), inputs.code(code), inputs.new_password(password)
        await self._pace.keep(self._pool.confirm_reset(*checked))

    async def request_address(self, viewer: Viewer, access_token: str, email: str) -> bool:
        """Whether a code has to be entered; else the address is the new one already. Raises InvalidInput, AddressTaken."""
        needs_code = await self._pace.keep(self._pool.change_address(access_token, inputs.address(email)))
        if not needs_code:
            await self._follow(viewer, access_token)
        return needs_code

    async def confirm_address(self, viewer: Viewer, access_token: str, code: str) -> None:
        """Raises InvalidCode, CodeExpired, AddressTaken."""
        await self._pool.confirm_address(access_token, inputs.code(code))
        await self._follow(viewer, access_token)

    async def _follow(self, viewer: Viewer, access_token: str) -> None:
        """The row takes the address from the pool, never from the client. What is missed here `torii users repair` mends."""
        identity: Identity = await self._tokens.verify(access_token)
        await self._users.keep_address(viewer, await self._directory.user(identity))
