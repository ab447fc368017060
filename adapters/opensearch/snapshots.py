"""States of the index that can be paged through: points in time, shared by all searches of some seconds.

A cursor names its point in time, so that any process of the shop can go on in it.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from opensearchpy.exceptions import NotFoundError, TransportError

KEEP_ALIVE_S = 60
"""How long a point in time stays after its last use. With one opened every two seconds at most, a process keeps 30 alive;
a node of OpenSearch allows 300."""

REOPEN_S = 2.0

LATEST = "latest"
"""The name of no state: where the server has too many points in time, the index is searched as it is."""

_IS_ID = re.compile(r"[A-Za-z0-9_=+/-]{40,1200}")
_TOO_MANY = 429


class Snapshots:
    def __init__(self, alias: str, reopen_s: float, now: Callable[[], float]) -> None:
        self._alias = alias
        self._reopen_s = reopen_s
        self._now = now
        self._lock = asyncio.Lock()
        self._opened_at = float("-inf")
        self._latest: str | None = None
        self._writes = 0

    async def latest(self, api: Any) -> str | None:
        """A state of the last seconds; None while there is no index. `api` is the client, within the caller's limit."""
        async with self._lock:
            now = self._now()
            if now - self._opened_at >= self._reopen_s:
                began = self._writes
                self._latest = await self._open(api)
                if self._writes == began:  # else it may be from before the write
                    self._opened_at = now
            return self._latest

    async def named(self, name: str, api: Any) -> str | None:
        """The state of a cursor, as far as its name can be one; else the latest. Nobody knows yet if it is kept."""
        return name if _IS_ID.fullmatch(name) else await self.latest(api)

    def expire(self) -> None:
        """We wrote, or the state is gone: the next search opens another."""
        self._writes += 1
        self._opened_at = float("-inf")

    async def _open(self, api: Any) -> str | None:
        try:
            answer = await api.create_pit(index=self._alias, params={"keep_alive": f"{KEEP_ALIVE_S}s"})
        except NotFoundError:
            return None
        except TransportError as error:
            if error.status_code != _TOO_MANY:
                raise
            return LATEST
        pit: str = answer["pit_id"]
        return pit
