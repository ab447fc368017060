"""What hears of changes, in the order in which it must: the cache in Redis first, what this process keeps after it.

A fragment made from a product out of Redis would be as old as that; so it is forgotten only when Redis has been told.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from adapters.redis.catalog import CatalogCache
from adapters.redis.client import Missed

log = logging.getLogger("torii.changes")


class Kept(Protocol):
    """What a process keeps of what the public is shown, by tags such as `product:0199…`."""

    def joined(self) -> None: ...

    def confirmed(self, at: float) -> None:
        """All changes before that moment, by the monotonic clock, have been told."""
        ...

    def forget(self, tags: Iterable[str]) -> None: ...

    def drop(self) -> None: ...

    def left(self) -> None: ...


class Invalidation:
    """The first audience of `CatalogChanges`, and its onlooker. A Redis that is away keeps the cache there out of use, and nothing else."""

    def __init__(self, cache: CatalogCache, kept: Kept) -> None:
        self._cache = cache
        self._kept = kept

    async def joined(self) -> None:
        await self._join_cache()
        self._kept.joined()

    async def changed(self, versions: Mapping[str, int] | None) -> None:
        """Products changed, to these versions; None when anything may have."""
        try:
            await self._cache.changed(versions)
        except Missed:
            log.warning("Redis did not hear of a change: its cache is not used until it has")
        self.touched(None if versions is None else [f"product:{key}" for key in versions])

    def touched(self, tags: Iterable[str] | None) -> None:
        """Something else changed that the public is shown; None when anything may have."""
        if tags is None:
            self._kept.drop()
        else:
            self._kept.forget(tags)

    async def confirmed(self, at: float) -> None:
        """All changes before that moment have been told."""
        if self._cache.is_left_out:
            await self._join_cache()
        self._kept.confirmed(at)

    def left(self) -> None:
        """The channel is down."""
        self._cache.left()
        self._kept.left()

    async def _join_cache(self) -> None:
        with suppress(Missed):
            await self._cache.joined()
