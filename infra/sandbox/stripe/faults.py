"""Faults on request: what a client has to live with, at the next calls that match."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from infra.sandbox.stripe.errors import ApiError
from infra.sandbox.stripe.params import Params

MAX_FAULTS = 100
LONGEST_HOLD_S = 120.0


class FaultKind(StrEnum):
    RATE_LIMIT = "rate_limit"
    """429 before anything is looked at: nothing is remembered under the idempotency key."""
    SERVER_ERROR = "server_error"
    """500 from within: nothing happened, and the idempotency key gives this 500 again."""
    TIMEOUT = "timeout"
    """No answer, and nothing happened."""
    LOST_ANSWER = "lost_answer"
    """It happened, and the connection breaks instead of an answer."""
    LATE_ANSWER = "late_answer"
    """It happened, and the answer waits until `release`."""


@dataclass(slots=True)
class Fault:
    kind: FaultKind
    method: str
    path: str
    times: int


class Faults:
    """Those that are set, oldest first, and the calls that are held."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._released = asyncio.Event()
        self.held = 0
        """Calls that wait now."""

    def add(self, params: Params) -> None:
        """`kind`, and which calls: `method` (POST), the beginning of `path` (/v1), how many `times` (1). Raises ApiError."""
        kind = params.choice("kind", [each.value for each in FaultKind]) or params.needed("kind")
        method, path = params.text("method") or "POST", params.text("path") or "/v1"
        times = params.integer("times", least=1, most=1_000_000) or 1
        params.done()
        if len(self._set) >= MAX_FAULTS:
            raise ApiError(400, f"There are {MAX_FAULTS} faults already.")
        self._set.append(Fault(FaultKind(kind), method.upper(), path, times))

    def take(self, method: str, path: str) -> FaultKind | None:
        """The fault of this call, used up by it."""
        for fault in self._set:
            if fault.method == method and path.startswith(fault.path):
                fault.times -= 1
                if fault.times == 0:
                    self._set.remove(fault)
                return fault.kind
        return None

    async def hold(self) -> None:
        """Wait until `release`, or for two minutes."""
        self.held += 1
        try:
            async with asyncio.timeout(LONGEST_HOLD_S):
                await self._released.wait()
        except TimeoutError:
            return
        finally:
            self.held -= 1

    def release(self) -> None:
        """Let everything go that is held."""
        self._released.set()
        self._released = asyncio.Event()

    def clear(self) -> None:
        self._set.clear()
        self.release()
