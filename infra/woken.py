"""Loops that work when PostgreSQL says that there is something to do, and look by themselves besides."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from adapters.breaker import Breaker
from adapters.postgres.listening import LOST, listening
from domain.events.ports import PlacesAreGone
from domain.events.relay import pause_s
from domain.shared.refusals import Refusal, Unavailable
from infra.worker import Stop

log = logging.getLogger("torii.events")

POLL_S = 1.0
"""How often a loop looks by itself: for what is tried again, and for what it was not told of."""
RELISTEN_S = 1.0

Ensure = Callable[[], Awaitable[None]]


class Trouble:
    """What a loop does when a back end fails: pauses of 1, 2, 4 s and so on, places made anew, a breaker.

    `longest_pause_s`: for one that must not be late when the back end is back; it has no breaker, then.
    """

    def __init__(self, what: str, stop: Stop, ensure: Ensure, longest_pause_s: float | None = None) -> None:
        self._longest_pause_s = longest_pause_s
        self.breaker = Breaker()
        self._what = what
        self._stop = stop
        self._ensure = ensure
        self._failures = 0

    async def met(self, problem: Exception) -> None:
        """Wait as long as is fitting, and put right what can be."""
        self._failures += 1
        if self._failures == 1 or not isinstance(problem, Unavailable | PlacesAreGone):
            log.error("%s is held up", self._what, exc_info=problem)
        if isinstance(problem, PlacesAreGone):
            try:
                await self._ensure()
            except Refusal as refusal:
                log.error("the places that events go through were not made", exc_info=refusal)
        elif self._longest_pause_s is None:
            self.breaker.failed()
        await self._stop.within(min(pause_s(self._failures), self._longest_pause_s or inf))

    def is_over(self) -> None:
        if self._failures:
            log.info("%s goes on", self._what)
        self._failures = 0
        self.breaker.succeeded()


@dataclass(frozen=True, slots=True)
class Bell:
    """A channel of PostgreSQL, and who listens there as the server shows it."""

    url: str
    channel: str
    listener: str


class WokenLoop:
    """`work` does a batch, and says how many things that were: after none it waits to be told."""

    def __init__(self, work: Callable[[], Awaitable[int]], bell: Bell, stop: Stop, trouble: Trouble) -> None:
        self._work = work
        self._bell = bell
        self._stop = stop
        self._told = asyncio.Event()
        self._trouble = trouble

    async def run(self) -> None:
        """Until it is asked to stop: a batch that is at work is finished."""
        hearing = asyncio.create_task(self._hear())
        try:
            while not self._stop.is_asked:
                self._told.clear()
                if self._trouble.breaker.is_open or not await self._did():
                    await self._next()
        finally:
            hearing.cancel()
            with suppress(asyncio.CancelledError):
                await hearing

    async def _did(self) -> bool:
        """Whether there may be more to do at once."""
        try:
            done = await self._work()
        except Exception as problem:  # noqa: BLE001  (a fault ends here, logged: the loop goes on)
            await self._trouble.met(problem)
            return True
        self._trouble.is_over()
        return done > 0

    async def _next(self) -> None:
        told, stopped = asyncio.create_task(self._told.wait()), asyncio.create_task(self._stop.asked())
        try:
            await asyncio.wait({told, stopped}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            stopped.cancel()

    async def _hear(self) -> None:
        while True:
            try:
                async with listening(self._bell.url, (self._bell.channel,), self._bell.listener) as channel:
                    while True:
                        await channel.next()
                        self._told.set()
            except LOST as error:
                log.warning("lost the channel %s, and looks every second meanwhile: %s", self._bell.channel, error)
            await asyncio.sleep(RELISTEN_S)


async def until_stopped(tasks: Sequence["asyncio.Task[None]"], stop: Stop, grace_s: float) -> None:
    """Wait for all of them. One that ends by itself is a fault. Raises what it raised."""
    try:
        asked = asyncio.create_task(stop.asked())
        done, _ = await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        for task in done:
            task.result()
        await asyncio.wait(tasks, timeout=grace_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
