"""Keys of the marketplace: UUIDv7 inside, so that they sort by the time they were made (RFC 9562, 5.7)."""

import secrets
from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
AddressId = NewType("AddressId", UUID)
SellerId = NewType("SellerId", UUID)
ProductId = NewType("ProductId", UUID)
VariationId = NewType("VariationId", UUID)
CategoryId = NewType("CategoryId", UUID)
BrandId = NewType("BrandId", UUID)
OrderId = NewType("OrderId", UUID)
OrderItemId = NewType("OrderItemId", UUID)
ReviewId = NewType("ReviewId", UUID)
SessionId = NewType("SessionId", UUID)
"""The pool's id of a sign-in (`origin_jti`): random, not a UUIDv7."""

RANDOM_BITS = 74


def uuid7(at: datetime | None = None, entropy: int | None = None) -> UUID:
    """A UUIDv7 of a moment: milliseconds since 1970 (48 bits), then 74 bits of `entropy` (random when not given).

    Given both, the key is always the same, which is how an import makes its keys.
    """
    milliseconds = int((at or datetime.now(UTC)).timestamp() * 1000)
    bits = (secrets.randbits(RANDOM_BITS) if entropy is None else entropy) & ((1 << RANDOM_BITS) - 1)
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)


def uuid7_time(key: UUID) -> datetime:
    """The moment a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
