"""How each back end is: reachable, which version, how fast, and what to do when it is not."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.shared.refusals import Unavailable

Check = Callable[[], Awaitable[str]]
"""Asks a back end for its version. Raises Unavailable."""

log = logging.getLogger("torii.health")

CHECK_TIMEOUT_S = 1.0
FRESH_S = 1.0
"""How long an answer is given again, so that nobody loads the back ends by asking after them."""


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A back end and how to ask after it. `advice` is what to do when it does not answer."""

    name: str
    check: Check
    advice: str


@dataclass(frozen=True, slots=True)
class State:
    """What a check found. `detail` is the version, or why there is none."""

    name: str
    is_up: bool
    latency_ms: float
    detail: str
    advice: str


class Health:
    """The states of all back ends, asked for at once."""

    def __init__(self, back_ends: Sequence[BackEnd]) -> None:
        self._back_ends = back_ends
        self._found: tuple[float, Sequence[State]] | None = None
        self._asking: asyncio.Task[Sequence[State]] | None = None

    async def states(self) -> Sequence[State]:
        """At most a second old. Takes a second at the longest. Who comes while it is asked waits for the same answer."""
        if self._found is None or time.monotonic() - self._found[0] > FRESH_S:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask_all())
            return await asyncio.shield(self._asking)
        return self._found[1]

    async def _ask_all(self) -> Sequence[State]:
        states = await asyncio.gather(*(ask(each) for each in self._back_ends))
        self._found = time.monotonic(), states
        return states


async def ask(back_end: BackEnd) -> State:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            detail, is_up = await back_end.check(), True
    except TimeoutError:
        detail, is_up = f"no answer within {CHECK_TIMEOUT_S:g} s", False
    except Unavailable as outage:
        detail, is_up = _reason(outage), False
    except Exception as error:
        log.exception("health of %s", back_end.name)
        detail, is_up = f"{type(error).__name__}: {error}", False
    return State(back_end.name, is_up, round((time.perf_counter() - began) * 1000, 1), detail, back_end.advice)


def as_json(states: Sequence[State]) -> Mapping[str, Mapping[str, object]]:
    """For whoever may not see addresses: a state and a latency each."""
    return {each.name: {"status": "up" if each.is_up else "down", "latencyMs": each.latency_ms} for each in states}


def _reason(outage: Unavailable) -> str:
    return f"{outage.message}: {outage.__cause__}" if outage.__cause__ else outage.message
