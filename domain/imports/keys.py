"""Keys that are the same at every import: of the shop's own names, and for orders also of the invoice's time."""

from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

from domain.shared.ids import RANDOM_BITS, uuid7

SHOP_OPENED = datetime(2009, 12, 1, tzinfo=UTC)
"""The time inside keys that must not depend on which months of the shop were imported, or in what order."""

POSITION_BITS = 16


def fixed_key(kind: str, name: str) -> UUID:
    """The key of a seller, category, product or user by its name in the file."""
    return uuid7(SHOP_OPENED, _entropy(kind, name))


def timed_key(kind: str, invoice: str, at: datetime) -> UUID:
    """The key of an order or what stands beside it: its month decides the order's partition."""
    return uuid7(at, _entropy(kind, invoice))


def line_key(invoice: str, position: int, at: datetime) -> UUID:
    """The key of an invoice's line. Position comes first in it, so that lines sort as they stand in the file."""
    place = position << (RANDOM_BITS - POSITION_BITS)
    return uuid7(at, place | _entropy("line", f"{invoice}/{position}") >> POSITION_BITS)


def _entropy(kind: str, name: str) -> int:
    digest = blake2b(f"online-retail/{kind}/{name}".encode(), digest_size=10).digest()
    return int.from_bytes(digest) >> (80 - RANDOM_BITS)
