"""Names of categories and brands by what they begin with, and how many products each has: read at once and kept for half a
minute, since counting them for every letter that is typed would look at half of the index each time."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opensearchpy.exceptions import NotFoundError

from adapters.language.beginnings import PARTING
from adapters.opensearch.client import Client
from domain.shared.refusals import Unavailable

KEPT_S = 30.0
"""After so long they are read anew beside whoever asks. A new name is suggested when that is done."""

MOST = 50_000
"""Keys that are read, those of most products first; OpenSearch gives 65,535 at most."""

READING_S = 20.0

Counts = Mapping[str, int]
"""Products by key: kind, beginning and id of a name."""

_BODY = {"size": 0, "track_total_hits": False, "aggs": {"starts": {"terms": {"field": "starts", "size": MOST}}}}


class Labels:
    def __init__(self, client: Client, alias: str, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._alias = alias
        self._now = now
        self._keys: Sequence[str] = ()
        self._counts: Counts = {}
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def begun(self, starts: Sequence[str], most: int) -> list[str]:
        """Ids of what begins in one of these ways, that of most products first. Raises Unavailable."""
        if self._read_at is None:
            async with self._client.answering():  # who is first waits no longer than for any answer
                await asyncio.shield(self._begin())
        elif self._now() - self._read_at >= KEPT_S:
            self._begin()
        counts: dict[str, int] = {}
        for start in starts:
            for place in range(bisect_left(self._keys, start), len(self._keys)):
                key = self._keys[place]
                if not key.startswith(start):
                    break
                id = key.rpartition(PARTING)[2]
                counts[id] = max(counts.get(id, 0), self._counts[key])
        return sorted(counts, key=lambda id: (-counts[id], id))[:most]

    def expire(self) -> None:
        """Another index takes the place of the one that was read: the next who asks waits."""
        self._read_at = None

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, Unavailable):
                await self._reading

    def _begin(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(self._read_at is None))
            self._reading.add_done_callback(_seen)
        return self._reading

    async def _read(self, is_first: bool) -> None:
        began = self._now()
        if not is_first:
            self._read_at = began  # one at a time, also while they cannot be read
        answer: Any = {"aggregations": {"starts": {"buckets": ()}}}
        async with self._client.working(READING_S) as api:
            with suppress(NotFoundError):  # no index, no names
                answer = await api.search(index=self._alias, body=_BODY, params={"request_cache": "true"})
        self._counts = {each["key"]: each["doc_count"] for each in answer["aggregations"]["starts"]["buckets"]}
        self._keys = sorted(self._counts)
        self._read_at = began


def _seen(task: asyncio.Task[None]) -> None:
    """What went wrong is told to who waited; where nobody did, what was read before goes on."""
    if not task.cancelled():
        task.exception()
