"""Brings the marketplace's rows of users in line with the user pool: what first sight missed, and addresses that moved."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.accounts.model import PoolUser

Progress = Callable[[int], None]
"""Takes how many users of the pool were looked at so far."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of some users. `taken`: their address is another row's, which a person has to look at."""

    seen: int = 0
    made: int = 0
    moved: int = 0
    taken: int = 0

    def __add__(self, other: "Repaired") -> "Repaired":
        return Repaired(
            self.seen + other.seen, self.made + other.made, self.moved + other.moved, self.taken + other.taken
        )


class Roll(Protocol):
    def pages(self) -> AsyncIterator[Sequence[PoolUser]]:
        """All users of the pool who have confirmed themselves, a page at a time. Raises Unavailable."""
        ...


class UserRows(Protocol):
    async def repair(self, users: Sequence[PoolUser]) -> Repaired:
        """Make the rows that are missing, each with its `UserRegistered`, and take over addresses; all or nothing.

        No row is ever joined to a user of the pool by its address. Raises Unavailable.
        """
        ...


class UserRepair:
    """Safe to run at any time and as often as one likes: what is right already is left alone."""

    def __init__(self, roll: Roll, rows: UserRows) -> None:
        self._roll = roll
        self._rows = rows

    async def pages(self) -> AsyncIterator[Repaired]:
        """Repair a page of the pool at a time. Raises Unavailable; what was repaired until then stays."""
        async for page in self._roll.pages():
            yield await self._rows.repair(page)

    async def run(self, progress: Progress) -> Repaired:
        """All of them. Raises Unavailable; what was repaired until then stays."""
        total = Repaired()
        async for repaired in self.pages():
            total += repaired
            progress(total.seen)
        return total
