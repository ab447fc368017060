"""Signing up: an address, a password, and the code that proves the address."""

from domain.accounts import inputs
from domain.accounts.pace import Pace
from domain.accounts.pool_ports import SignUps


class Registration:
    """No answer tells whether an address is known: neither by what it says nor by when it comes."""

    def __init__(self, pool: SignUps, pace: Pace) -> None:
        self._pool = pool
        self._pace = pace

    async def register(self, email: str, password: str) -> None:
        """Raises InvalidInput, WeakPassword."""
        address, secret = inputs.address(email), inputs.new_password(password)
        await self._pace.keep(self._pool.sign_up(address, secret))

    async def confirm(self, email: str, code: str) -> None:
        """Raises InvalidInput, InvalidCode."""
        address, typed = inputs.address(email), inputs.code(code)
        await self._pace.keep(self._pool.confirm(address, typed))

    async def resend(self, email: str) -> None:
        """Raises InvalidInput."""
        await self._pace.keep(self._pool.resend(inputs.address(email)))
