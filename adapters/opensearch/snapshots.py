"""States of the index that can be paged through: points in time, shared by all searches of some seconds.

A cursor names its point in time, so that any process of the shop can go on in it.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opensearchpy.exceptions import NotFoundError, TransportError

KEEP_ALIVE_S = 60
"""How long a point in time stays after its last use. With one opened every two seconds at most, a process keeps 30 alive;
a node of OpenSearch allows 300."""

REOPEN_S = 2.0

LATEST = "latest"
"""No point in time: where the server has too many of them, the index is searched as it is."""

_NAME = re.compile(r"(\d{13})\.([A-Za-z0-9_=+/-]{40,1200})")
_TOO_MANY = 429
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class State:
    """A point in time, or LATEST, and when it was the latest state of the index."""

    point: str
    seen_at: datetime

    @property
    def name(self) -> str:
        """What cursors hold."""
        return (
            LATEST if self.point == LATEST else f"{(self.seen_at - _EPOCH) // timedelta(milliseconds=1)}.{self.point}"
        )

    @property
    def place(self) -> dict[str, Any]:
        """Where a search looks, as a part of its body."""
        return {} if self.point == LATEST else {"pit": {"id": self.point, "keep_alive": f"{KEEP_ALIVE_S}s"}}


class Snapshots:
    def __init__(self, alias: str, reopen_s: float, now: Callable[[], float]) -> None:
        self._alias = alias
        self._reopen_s = reopen_s
        self._now = now
        self._lock = asyncio.Lock()
        self._opened_at = float("-inf")
        self._latest: State | None = None
        self._writes = 0

    async def latest(self, api: Any) -> State | None:
        """A state of the last seconds; None while there is no index. `api` is the client, within the caller's limit."""
        async with self._lock:
            now = self._now()
            if now - self._opened_at >= self._reopen_s:
                began = self._writes
                self._latest = await self._open(api)
                if self._writes == began:  # else it may be from before the write
                    self._opened_at = now
            return self._latest

    async def named(self, name: str, api: Any) -> State | None:
        """The state of a cursor, as far as its name can be one; else the latest. Nobody knows yet if it is kept."""
        named = _NAME.fullmatch(name)
        if named is None:
            return await self.latest(api)
        return State(named[2], _EPOCH + timedelta(milliseconds=int(named[1])))

    def expire(self) -> None:
        """We wrote, or the state is gone: the next search opens another."""
        self._writes += 1
        self._opened_at = float("-inf")

    async def _open(self, api: Any) -> State | None:
        seen_at = datetime.now(UTC)  # before we look: what is written meanwhile may be missing
        try:
            answer = await api.create_pit(index=self._alias, params={"keep_alive": f"{KEEP_ALIVE_S}s"})
        except NotFoundError:
            return None
        except TransportError as error:
            if error.status_code != _TOO_MANY:
                raise
            return State(LATEST, seen_at)
        return State(answer["pit_id"], seen_at)
