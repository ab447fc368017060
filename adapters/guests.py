"""Guests: an identity of 30 days for who has not signed in, minted and signed by the gateway."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from domain.shared.clock import Clock
from domain.shared.ids import uuid7

LIFETIME = timedelta(days=30)
MIN_SECRET = 32
"""Characters."""

VERSION = "g1"
"""Goes before each token and into its signature: another format gets another number, and none reads as the other."""
_ID = 16
_TIME = 8
_SIGNATURE = sha256().digest_size
TOKEN_LENGTH = len(VERSION) + 1 + -(-(_ID + _TIME + _SIGNATURE) * 4 // 3)
"""Characters: version, dot, and base64url of guest id, end (seconds since 1970, big-endian) and HMAC-SHA256 of both."""


class GuestTokens:
    """Tokens that name a guest, and that nobody without the secret can make."""

    def __init__(self, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`previous`: the secret of before, whose tokens are still read, so that the secret can be changed."""
        if len(secret) < MIN_SECRET:
            raise ValueError(f"guest identities need a secret of at least {MIN_SECRET} characters")
        self._key = _key(secret)
        self._keys = (self._key, _key(previous)) if previous else (self._key,)
        self._clock = clock

    def mint(self) -> tuple[UUID, str]:
        """A new guest, with the token to hand out."""
        now = self._clock.now()
        guest_id = uuid7(now)
        return guest_id, _token(self._key, guest_id.bytes, int((now + LIFETIME).timestamp()))

    def read(self, token: str) -> UUID | None:
        """The guest a token names; None when it is not one of ours or 30 days old."""
        found = self._find(token)
        return found[0] if found else None

    def renewed(self, token: str) -> str | None:
        """Another token for the guest of one that is half over, or signed with the secret of before; None while it will do."""
        found = self._find(token)
        if found is None:
            return None
        guest_id, ends_at, key = found
        now = self._clock.now()
        if key is self._key and ends_at > (now + LIFETIME / 2).timestamp():
            return None
        return _token(self._key, guest_id.bytes, int((now + LIFETIME).timestamp()))

    def _find(self, token: str) -> tuple[UUID, int, bytes] | None:
        """Guest, end (seconds since 1970) and the key that signed it."""
        if len(token) != TOKEN_LENGTH or not token.startswith(f"{VERSION}."):
            return None
        try:
            sealed = urlsafe_b64decode(f"{token.removeprefix(f'{VERSION}.')}=")
        except (binascii.Error, ValueError):  # ValueError: not ASCII
            return None
        guest, ends_at = sealed[:_ID], int.from_bytes(sealed[_ID : _ID + _TIME], "big")
        if len(guest) != _ID or self._clock.now().timestamp() >= ends_at:
            return None
        for key in self._keys:
            # Compared whole with the token that we would have made: so there is one spelling of each, too.
            if hmac.compare_digest(token.encode(), _token(key, guest, ends_at).encode()):
                return UUID(bytes=guest), ends_at, key
        return None


def _key(secret: str) -> bytes:
    """A key of its own, so that a signature made for another purpose with the same secret is never a guest's."""
    return hmac.digest(secret.encode(), b"torii guest identity", "sha256")


def _token(key: bytes, guest: bytes, ends_at: int) -> str:
    named = guest + ends_at.to_bytes(_TIME, "big")
    signature = hmac.digest(key, f"{VERSION}.".encode() + named, "sha256")
    return f"{VERSION}.{urlsafe_b64encode(named + signature).rstrip(b'=').decode()}"
