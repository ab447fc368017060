"""Device tokens: what a browser that somebody has signed in from shows the next time.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies". Such a token lets nobody in. It moves the sign-ins of one
account from one browser out of the bucket that strangers can empty.
"""

import re
from datetime import timedelta
from uuid import UUID, uuid4

from adapters.sealed_ids import Seal, SealedIds
from domain.shared.clock import Clock

LIFETIME = timedelta(days=180)
SEAL = Seal("d1", b"torii known device", LIFETIME)
AT_MOST = 4
"""Accounts that share a browser; the one that signed in longest ago is forgotten first."""
BETWEEN = "~"
FORM = re.compile(rf"{SEAL.version}\.[A-Za-z0-9_-]{{{SEAL.length - len(SEAL.version) - 1}}}")
LONGEST = AT_MOST * (SEAL.length + len(BETWEEN))


class DeviceTokens:
    """The port domain.accounts.attempts.Devices: a random id for each sign-in, bound to the account by its signature alone."""

    def __init__(self, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`previous`: the secret of before, whose tokens are still read."""
        self._ids = SealedIds(SEAL, secret, clock, previous=previous)

    def known(self, sent: str | None, address: str) -> UUID | None:
        """The device of which one of the tokens says that this account has signed in from it."""
        found = (self._ids.open(each, address.encode()) for each in _parts(sent))
        return next((opened.id for opened in found if opened is not None), None)

    def remember(self, sent: str | None, address: str) -> str:
        """What the device shows from now on: a new token for this account, and those of others that it had."""
        bound_to = address.encode()
        others = [each for each in _parts(sent) if self._ids.open(each, bound_to) is None]
        return BETWEEN.join([self._ids.seal(uuid4(), bound_to), *others][:AT_MOST])


def _parts(sent: str | None) -> list[str]:
    """Nobody has vouched for them. What has not the form of a token is not carried on: it goes into a header again."""
    if not sent or len(sent) > LONGEST:
        return []
    return [each for each in sent.split(BETWEEN) if FORM.fullmatch(each)]
