"""Work that comes again and again: when a job is due, and what is kept of its last run."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """How a run ended by itself. One that was killed has none."""

    DONE = "DONE"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    """Between two batches, for its worker was asked to end."""


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a job. `count`: how many things it did or looked at; `error`: the type of what it failed with."""

    job: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    count: int = 0
    error: str | None = None
    is_held: bool = False

    @property
    def is_unfinished(self) -> bool:
        return self.outcome is None or self.outcome is Outcome.STOPPED


def is_due(last: Run | None, every: timedelta, now: datetime) -> bool:
    """Whether a job that nobody runs now has its turn: it never ran, did not get to its end, or began that long ago.

    A start far ahead of now, written by a clock that was wrong, counts as long ago: it must not stop the job for good.
    """
    return last is None or last.is_unfinished or abs(now - last.started_at) >= every


class HeldJob(Protocol):
    """A job that nobody else can run meanwhile."""

    async def last(self) -> Run | None:
        """Its last run. Raises Unavailable."""
        ...

    async def begin(self, at: datetime) -> None:
        """Keep that a run begins. Raises Unavailable."""
        ...

    async def end(self, at: datetime, outcome: Outcome, count: int, error: str | None) -> None:
        """Keep how it ended. Raises Unavailable."""
        ...


class Runs(Protocol):
    async def last(self) -> Mapping[str, Run]:
        """The last run of each job that ever ran, by name. Raises Unavailable."""
        ...

    def hold(self, job: str) -> AbstractAsyncContextManager[HeldJob | None]:
        """Keep the job to ourselves for the block; None where somebody has it. Raises Unavailable.

        It ends with the connection: a holder that is killed, or cut off, holds nothing any more.
        """
        ...
