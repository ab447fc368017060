"""What capture needs from the outside."""

from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.capture.model import Change
from domain.shared.refusals import Refusal


class CaptureLost(Refusal):
    """The database let go what was not read in time: changes are missing."""

    code = "CAPTURE_LOST"

    def __init__(self, slot: str) -> None:
        super().__init__(
            f"changes are missing: the replication slot {slot} was further behind than max_slot_wal_keep_size, and the database"
            " has let go what it held for it; `torii capture restart` begins anew with all rows as they stand"
        )


class CaptureNotSetUp(Refusal):
    """The database, or its roles, are not made for capture."""

    code = "CAPTURE_NOT_SET_UP"

    def __init__(self, why: str) -> None:
        super().__init__(f"changes cannot be captured: {why}")


class CaptureStuck(Refusal):
    """A transaction is too large to be read from the log."""

    code = "CAPTURE_STUCK"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"changes are held up: the database did not read a transaction from its log within {seconds:,.0f} s. Where more time"
            " would not help, `torii capture restart` begins anew behind it, with all rows as they stand"
        )


class ChangeLog(Protocol):
    """The changes of a database, in the order of their commits, from where it was last acknowledged. Raises Unavailable."""

    def turn(self) -> AbstractAsyncContextManager[bool]:
        """False where somebody else is at it."""
        ...

    async def begin(self) -> bool:
        """Make what holds the log for us where there is nothing; whether all rows are still to be told.

        Raises CaptureLost, CaptureNotSetUp.
        """
        ...

    def rows(self) -> AsyncIterable[Sequence[Change]]:
        """All rows as they stand, in batches."""
        ...

    async def told_all(self) -> None:
        """All rows were told."""
        ...

    def changes(self) -> AsyncIterable[Sequence[Change]]:
        """Whole transactions, in batches of bounded size: some of those that are there. Raises CaptureStuck."""
        ...

    async def acknowledge(self) -> None:
        """What `changes` gave to its end need not come again."""
        ...


@dataclass(frozen=True, slots=True)
class CaptureState:
    """How a slot stands: how many bytes of the log it holds back, and of how many; None is without a bound."""

    slot: str
    is_there: bool
    is_lost: bool = False
    held_bytes: int = 0
    most_bytes: int | None = None

    @property
    def warnings(self) -> Sequence[str]:
        """What somebody should look at before changes are lost, or a disk is full; in words."""
        if not self.is_there or self.is_lost:
            return []
        if self.most_bytes is None:
            return [
                "max_slot_wal_keep_size is not set on the server: where workers stand still, the log that is held back for them"
                " fills its disk"
            ]
        if self.held_bytes * 2 <= self.most_bytes:
            return []
        return [
            f"{self.held_bytes:,} bytes of the database's log are held back for the replication slot {self.slot}, of"
            f" {self.most_bytes:,} at most: beyond that changes are lost. See that a worker with TORII_CAPTURE_STREAM runs and what"
            " its log says, set max_slot_wal_keep_size higher, or let the log go by `torii capture stop`"
        ]


class ChangeStream(Protocol):
    """Where changes are put for any number of readers."""

    async def put(self, changes: Sequence[Change]) -> None:
        """All of them, each at least once. Raises Unavailable, PlacesAreGone."""
        ...


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Changes of one shard, read in one go. `place` names where they begin: the same for whoever reads on from there."""

    changes: Sequence[Change]
    place: str


class ChangeReader(Protocol):
    """One reader's way through a stream; what it has read is kept. Raises Unavailable, PlacesAreGone."""

    def turn(self) -> AbstractAsyncContextManager[bool]: ...

    def batches(self) -> AsyncIterable[ReadBatch]:
        """A batch of each shard that has one; with the next, or the end, the one before counts as read."""
        ...


class ChangeConsumer(Protocol):
    """Keeps something in step. A batch may come twice."""

    name: str

    async def consume(self, batch: ReadBatch) -> None: ...
