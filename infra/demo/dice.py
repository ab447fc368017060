"""Chance that always falls the same way: every thing made has its own dice, known by the seed and its name.

Only methods of `random.Random` whose results are the same on Python 3.11 to 3.13 are used, and no floating-point function
beyond + - * /, which IEEE 754 settles to the last bit.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar
from uuid import UUID

from domain.shared.ids import uuid7

T = TypeVar("T")
ENTROPY_BYTES = 10
"""80 bits, of which a UUIDv7 takes 74."""


def entropy(*name: object) -> int:
    """A number that stands for a name; PYTHONHASHSEED has no say in it."""
    digest = blake2b(":".join(map(str, name)).encode(), digest_size=ENTROPY_BYTES).digest()
    return int.from_bytes(digest, "big")


def dice(*name: object) -> Random:
    return Random(entropy(*name))


def key(at: datetime, *name: object) -> UUID:
    """The UUIDv7 of a thing that was made at a moment."""
    return uuid7(at, entropy(*name))


class Weighted(Generic[T]):
    """Things of which some come up more often. Weights are whole numbers, none of them negative."""

    def __init__(self, things: Iterable[tuple[T, int]]) -> None:
        pairs = list(things)
        self._things: Sequence[T] = [thing for thing, _ in pairs]
        self._sums = list(accumulate(weight for _, weight in pairs))

    def pick(self, random: Random) -> T:
        return self._things[bisect_right(self._sums, random.randrange(self._sums[-1]))]
