"""Passkeys of whoever is signed in (WebAuthn Level 3). The pool keeps them; a browser makes and uses them."""

from collections.abc import Sequence

from domain.accounts import inputs
from domain.accounts.model import Passkey
from domain.accounts.pool_ports import Passkeys


class PasskeyDesk:
    """All of these raise NotSupported where the user pool has no passkeys."""

    def __init__(self, pool: Passkeys) -> None:
        self._pool = pool

    async def begin(self, access_token: str) -> str:
        """What `navigator.credentials.create` takes, as JSON."""
        return await self._pool.begin(access_token)

    async def complete(self, access_token: str, credential: str) -> None:
        """Keep what the browser made. Raises InvalidInput, PasskeyRefused."""
        await self._pool.complete(access_token, inputs.json_object(credential, "credential"))

    async def all(self, access_token: str) -> Sequence[Passkey]:
        """The passkeys, as the pool lists them."""
        return await self._pool.all(access_token)

    async def delete(self, access_token: str, passkey_id: str) -> None:
        """Raises NotFound."""
        await self._pool.delete(access_token, inputs.secret(passkey_id, "id"))
