"""Identical queries of the public that come at the same time run once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")

MOST = 1_000
"""Runs that can be joined at a time, and those who wait for one: whoever comes beyond that runs alone."""


class Abandoned(Exception):
    """A run came to no result that could be shared."""


class Unfinished(Abandoned):
    """Whoever ran it went away."""


@dataclass(slots=True)
class Flight(Generic[T]):
    landed: asyncio.Future[T]
    waiting: int = 0


class Flights(Generic[T]):
    """Runs under way, by what they run."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._flying: dict[Hashable, Flight[T]] = {}
        self.joined = 0
        """How many were spared."""

    async def share(self, key: Hashable, run: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """What `run` gives, and whether somebody else ran it. Raises what one's own run raises.

        Who waits is held to its own deadline. When the one who runs goes away, one of those who wait runs; when it fails they run
        side by side, each alone: a failure may be that one's own.
        """
        while (flight := self._flying.get(key)) is not None and flight.waiting < self._most:
            flight.waiting += 1
            try:
                found = await asyncio.shield(flight.landed)
            except Unfinished:
                continue
            except Abandoned:
                return await run(), False
            finally:
                flight.waiting -= 1
            self.joined += 1
            return found, True
        if flight is not None or len(self._flying) >= self._most:
            return await run(), False
        return await self._lead(key, run), False

    async def _lead(self, key: Hashable, run: Callable[[], Awaitable[T]]) -> T:
        flight = self._flying[key] = Flight(asyncio.get_running_loop().create_future())
        ending: Abandoned = Abandoned()
        try:
            found = await run()
            flight.landed.set_result(found)
            return found
        except asyncio.CancelledError:
            ending = Unfinished()
            raise
        finally:
            del self._flying[key]
            if not flight.landed.done():
                flight.landed.set_exception(ending)
                flight.landed.exception()  # there may be nobody to hear of it


def given_by(variables: Mapping[str, Any] | None) -> bytes | None:
    """What two queries have to share of their variables; None where that cannot be told."""
    try:
        return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
    except orjson.JSONEncodeError:
        return None
