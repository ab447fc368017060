"""Ids that the gateway hands out and knows again: signed, with an end, and nothing is kept of them here."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from domain.shared.clock import Clock

MIN_SECRET = 32
"""Characters."""
_ID = 16
_TIME = 8
_SIGNATURE = sha256().digest_size


@dataclass(frozen=True, slots=True)
class Seal:
    """One kind of such ids.

    `version` goes before each token and into its signature: another format gets another one, and none reads as the other.
    `purpose` makes a key of its own, so that a signature made with the same secret for something else never fits.
    """

    version: str
    purpose: bytes
    lifetime: timedelta

    @property
    def length(self) -> int:
        """Characters of a token: version, dot, and base64url of id, end (seconds since 1970, big-endian) and HMAC-SHA256."""
        return len(self.version) + 1 + -(-(_ID + _TIME + _SIGNATURE) * 4 // 3)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token says. `is_fading`: more than half of its time is over, or the secret of before has signed it."""

    id: UUID
    is_fading: bool


class SealedIds:
    """Tokens that name an id, and that nobody without the secret can make."""

    def __init__(self, seal: Seal, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`previous`: the secret of before, whose tokens are still read, so that the secret can be changed."""
        if len(secret) < MIN_SECRET:
            raise ValueError(f"a secret has at least {MIN_SECRET} characters")
        self._seal = seal
        self._keys = [hmac.digest(each.encode(), seal.purpose, "sha256") for each in (secret, previous) if each]
        self._clock = clock

    def seal(self, named: UUID, bound_to: bytes = b"") -> str:
        """A token for an id. Bound to something, it is read only where that is given again."""
        end = int((self._clock.now() + self._seal.lifetime).timestamp())
        return self._token(self._keys[0], named.bytes, end, bound_to)

    def open(self, token: str, bound_to: bytes = b"") -> Opened | None:
        """What a token names; None when it is not one of ours, bound to something else, or too old."""
        if len(token) != self._seal.length or not token.startswith(f"{self._seal.version}."):
            return None
        try:
            sealed = urlsafe_b64decode(f"{token.removeprefix(f'{self._seal.version}.')}=")
        except (binascii.Error, ValueError):  # ValueError: not ASCII
            return None
        named, ends_at = sealed[:_ID], int.from_bytes(sealed[_ID : _ID + _TIME], "big")
        now = self._clock.now()
        if len(named) != _ID or now.timestamp() >= ends_at:
            return None
        for key in self._keys:
            # Compared whole with the token that we would have made: so there is one spelling of each, too.
            if hmac.compare_digest(token.encode(), self._token(key, named, ends_at, bound_to).encode()):
                is_half_over = ends_at <= (now + self._seal.lifetime / 2).timestamp()
                return Opened(UUID(bytes=named), is_half_over or key is not self._keys[0])
        return None

    def _token(self, key: bytes, named: bytes, ends_at: int, bound_to: bytes) -> str:
        shown = named + ends_at.to_bytes(_TIME, "big")
        # What is bound comes last: all before it has a fixed length, so no two things are signed alike.
        signature = hmac.digest(key, f"{self._seal.version}.".encode() + shown + bound_to, "sha256")
        return f"{self._seal.version}.{urlsafe_b64encode(shown + signature).rstrip(b'=').decode()}"
