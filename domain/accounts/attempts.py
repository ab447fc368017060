"""Attempts at one account: whoever guesses is slowed down, and so are many that share the work; its owner is let in meanwhile.

Strangers share one bucket an account, so many addresses buy nothing. Whoever empties it keeps out other strangers alone: a device
that the account has signed in from is counted by itself. Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

import hmac
from typing import Protocol
from uuid import UUID

from domain.shared.rates import Charge, Limiter, Rate, RateLimited

OF_STRANGERS = Rate("attempts", per_s=20 / 3600, burst=20, fails_closed=True)
"""Twenty at once, and another every three minutes: nobody guesses a password with less."""
OF_KNOWN_DEVICES = Rate("attempts-known", per_s=40 / 3600, burst=40, fails_closed=True)
"""All devices of the account together: who has once signed in often, or stolen many, guesses no faster for it."""


def of_device(device: UUID) -> Rate:
    """Of one device: nobody mistypes more."""
    return Rate(f"attempts-{device.hex}", per_s=20 / 3600, burst=20, fails_closed=True)


class Devices(Protocol):
    """Knows devices again by what was handed out to them. `sent` comes from the client and is believed only where it is signed."""

    def known(self, sent: str | None, address: str) -> UUID | None:
        """The device, if the account of this address has signed in from it."""
        ...

    def remember(self, sent: str | None, address: str) -> str:
        """What to hand out to a device from which the account has just signed in; replaces what was sent."""
        ...


class Attempts:
    """`secret` keeps whoever reads the counts from trying which address one belongs to."""

    def __init__(self, limiter: Limiter, devices: Devices, secret: str) -> None:
        self._limiter = limiter
        self._devices = devices
        self._key = hmac.digest(secret.encode(), b"torii attempts", "sha256")

    async def count(self, address: str, device: str | None) -> None:
        """Count one at the account of a mail address, there or not. Raises RateLimited, Unavailable."""
        # The address itself must not stand among the keys of a cache.
        account = hmac.digest(self._key, address.encode(), "sha256").hex()
        known = self._devices.known(device, address)
        rates = [OF_STRANGERS] if known is None else [of_device(known), OF_KNOWN_DEVICES]
        verdict = await self._limiter.take(f"account:{account}", [Charge(rate) for rate in rates])
        if verdict.retry_after_s is not None:
            raise RateLimited(verdict.retry_after_s)

    def remember(self, address: str, device: str | None) -> str:
        """What the device shows from now on. Only after its user has proved to be the account's."""
        return self._devices.remember(device, address)
