"""Attempts at one account, whoever makes them: an address that guesses is slowed down, and so are many that share the work."""

import hmac

from domain.shared.rates import Charge, Limiter, Rate, RateLimited

AT_ONE_ACCOUNT = Rate("attempts", per_s=20 / 3600, burst=20, fails_closed=True)
"""Twenty at once, and another every three minutes: nobody mistypes more, and nobody guesses a password with less."""


class Attempts:
    """`secret` keeps whoever reads the counts from trying which address one belongs to."""

    def __init__(self, limiter: Limiter, secret: str, rate: Rate = AT_ONE_ACCOUNT) -> None:
        self._limiter = limiter
        self._key = hmac.digest(secret.encode(), b"torii attempts", "sha256")
        self._rate = rate

    async def count(self, address: str) -> None:
        """Count one at the account of a mail address, there or not. Raises RateLimited, Unavailable."""
        # The address itself must not stand among the keys of a cache.
        account = hmac.digest(self._key, address.encode(), "sha256").hex()
        verdict = await self._limiter.take(f"account:{account}", [Charge(self._rate)])
        if verdict.retry_after_s is not None:
            raise RateLimited(verdict.retry_after_s)
