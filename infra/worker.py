"""Running jobs when they are due, until told to stop. Any number of workers share them: each run is taken by one."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from domain.shared.clock import Clock
from domain.shared.periodic import HeldJob, Outcome, Run, Runs, is_due
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.worker")

LOOK_EVERY_S = 5.0
PAUSES_S = (1.0, 2.0, 4.0)
"""Before each further attempt at a job that failed; then it waits for its next turn."""

Tools = TypeVar("Tools")


@dataclass(frozen=True, slots=True)
class Job(Generic[Tools]):
    """Something to do every so often.

    `run` yields after each batch how many things were done; between two of them it can be ended. It is safe to run at any
    time, also twice at once: a worker that was cut off from the database has lost its lock before it knows.
    """

    name: str
    every: timedelta
    about: str
    run: Callable[[Tools], AsyncGenerator[int, None]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run. `error`: the type of what the last attempt failed with."""

    outcome: Outcome
    count: int
    attempts: int
    error: str | None = None


class Stop:
    """Whether the worker was asked to end, and the waiting that it ends."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    @property
    def is_asked(self) -> bool:
        return self._asked.is_set()

    async def asked(self) -> None:
        """Wait until it is asked."""
        await self._asked.wait()

    async def within(self, seconds: float) -> bool:
        """Wait so long, or until it is asked; whether it was."""
        try:
            # not wait_for, which Python 3.11 lets swallow a cancellation that comes just as it is asked
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True


class Worker(Generic[Tools]):
    """Looks every few seconds which jobs are due, and runs them side by side, each at most once at a time."""

    def __init__(
        self,
        jobs: Sequence[Job[Tools]],
        tools: Tools,
        runs: Runs,
        clock: Clock,
        stop: Stop,
        *,
        pause: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        """`pause` waits before a further attempt, and tells whether it was ended; by default it is `stop.within`."""
        self._jobs = {job.name: job for job in jobs}
        self._tools = tools
        self._runs = runs
        self._clock = clock
        self._stop = stop
        self._pause = pause or stop.within
        self._running: dict[str, asyncio.Task[Result | None]] = {}
        self._is_blind = False

    async def work(self, grace_s: float) -> None:
        """Until it is asked to stop; running jobs then have `grace_s` to get to the end of a batch."""
        try:
            while not self._stop.is_asked:
                await self.look()
                await self._stop.within(LOOK_EVERY_S)
            await self.settled(grace_s)
        finally:
            for task in self._running.values():
                task.cancel()
            await self.settled()

    async def look(self) -> None:
        """Start what is due and not running here. Without the database nothing is, and it looks again later."""
        try:
            last = await self._runs.last()
        except Unavailable as outage:
            if not self._is_blind:
                log.error("jobs wait for the database", exc_info=outage)
            self._is_blind = True
            return
        self._is_blind = False
        self._running = {name: task for name, task in self._running.items() if not task.done()}
        for job in self._due(last):
            self._running[job.name] = asyncio.create_task(self.take(job))

    def _due(self, last: Mapping[str, Run]) -> list[Job[Tools]]:
        now = self._clock.now()
        return [
            job
            for name, job in self._jobs.items()
            if name not in self._running and is_due(last.get(name), job.every, now)
        ]

    async def settled(self, within_s: float | None = None) -> None:
        """Wait until nothing runs here, for so long at most."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=within_s)

    async def take(self, job: Job[Tools], *, even_early: bool = False) -> Result | None:
        """Run the job if nobody else does, and nobody has just done so. What fails is logged, and never raised."""
        try:
            async with self._runs.hold(job.name) as held:
                if held is None:
                    return None
                if not even_early and not is_due(await held.last(), job.every, self._clock.now()):
                    return None
                return await self._recorded(job, held)
        except Unavailable as outage:  # it is kept as unfinished, or not at all: somebody takes it again
            log.error("a job was cut off from the database", exc_info=outage, extra={"fields": {"job": job.name}})
            return None

    async def _recorded(self, job: Job[Tools], held: HeldJob) -> Result:
        await held.begin(self._clock.now())
        began = time.monotonic()
        try:
            result = await self._attempted(job)
        except asyncio.CancelledError:
            _tell(job, "INTERRUPTED", began, {})
            raise
        _tell(
            job,
            result.outcome,
            began,
            {"count": result.count, "attempts": result.attempts}
            | ({"errorType": result.error} if result.error is not None else {}),
        )
        await held.end(self._clock.now(), result.outcome, result.count, result.error)
        return result

    async def _attempted(self, job: Job[Tools]) -> Result:
        count = 0
        for attempt, pause in enumerate((*PAUSES_S, None), start=1):
            try:
                async with aclosing(job.run(self._tools)) as batches:
                    async for done in batches:
                        count += done
                        if self._stop.is_asked:
                            return Result(Outcome.STOPPED, count, attempt)
                return Result(Outcome.DONE, count, attempt)
            except Exception as error:  # a fault ends here, logged: the other jobs go on
                fields = {"job": job.name, "attempt": attempt}
                log.warning("a job failed", exc_info=error, extra={"fields": fields})
                name = type(error).__qualname__
                if pause is None:
                    return Result(Outcome.FAILED, count, attempt, name)
                if await self._pause(pause):
                    return Result(Outcome.STOPPED, count, attempt, name)
        raise AssertionError("the last attempt returns")


def _tell(job: Job[Tools], outcome: str, began: float, more: Mapping[str, object]) -> None:
    """The line of a run, from which figures can be made."""
    fields = {"job": job.name, "outcome": outcome, "durationMs": round((time.monotonic() - began) * 1000, 1), **more}
    log.log(logging.INFO if outcome == Outcome.DONE else logging.WARNING, "a job ran", extra={"fields": fields})
