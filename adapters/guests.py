"""Guests: an identity of 30 days for who has not signed in, minted and signed by the gateway."""

from datetime import timedelta
from uuid import UUID

from adapters.sealed_ids import Seal, SealedIds
from domain.shared.clock import Clock
from domain.shared.ids import uuid7

LIFETIME = timedelta(days=30)
SEAL = Seal("g1", b"torii guest identity", LIFETIME)


class GuestTokens:
    """Tokens that name a guest, and that nobody without the secret can make."""

    def __init__(self, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`previous`: the secret of before, whose tokens are still read."""
        self._ids = SealedIds(SEAL, secret, clock, previous=previous)
        self._clock = clock

    def mint(self) -> tuple[UUID, str]:
        """A new guest, with the token to hand out."""
        guest_id = uuid7(self._clock.now())
        return guest_id, self._ids.seal(guest_id)

    def read(self, token: str) -> UUID | None:
        """The guest a token names; None when it is not one of ours or 30 days old."""
        opened = self._ids.open(token)
        return opened.id if opened else None

    def renewed(self, token: str) -> str | None:
        """Another token for the guest of one that is half over, or signed with the secret of before; None while it will do."""
        opened = self._ids.open(token)
        return self._ids.seal(opened.id) if opened is not None and opened.is_fading else None
