"""What many have searched for, to suggest it to others: only what different people typed and what finds something public."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from domain.search.model import SearchPage, SearchScope
from domain.search.ports import SearchIndex
from domain.search.request import SearchRequest
from domain.search.suggesting import QUERIES, prefix_of
from domain.shared.paging import PageRequest
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Viewer

MIN_SEARCHERS = 5
"""Users and guests who typed the same within two weeks: what fewer typed may say who they are."""

MAX_POPULAR_LENGTH = 40
REFRESH_S = 60.0

Keyed = tuple[str, frozenset[str]]
"""A query and its keys: how its words are written and sound, and as what it begins."""


class PopularQueries(Protocol):
    """Counts searchers by what they typed, for a week and the one after. Raises Unavailable."""

    async def note(self, searcher: UUID, text: str) -> None: ...

    async def most(self, searchers: int) -> Sequence[str]:
        """What at least so many typed, most first; of bounded length."""
        ...


class Beginnings(Protocol):
    """How words are written and sound."""

    async def keyed(self, texts: Sequence[str]) -> Sequence[frozenset[str]]: ...

    def begun(self, typed: str) -> Sequence[str]:
        """What a key has to begin with."""
        ...


class PopularSearches:
    """Kept in memory for a minute. Where the counts are away, nothing is noted and none suggested."""

    def __init__(
        self, counts: PopularQueries, beginnings: Beginnings, index: SearchIndex, now: Callable[[], float]
    ) -> None:
        self._counts = counts
        self._beginnings = beginnings
        self._index = index
        self._now = now
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._known: Sequence[Keyed] = ()

    async def searched(self, viewer: Viewer, request: SearchRequest, page: PageRequest, found: SearchPage) -> None:
        """Note what somebody typed, if it is theirs to count: a first page of words that found something as they are."""
        searcher = viewer.user_id or viewer.guest_id
        text = request.query.text.casefold()
        is_first = page.key is None and found.nodes and found.relaxed is None and not found.is_degraded
        if searcher is None or not text or not is_first or len(text) > MAX_POPULAR_LENGTH:
            return
        try:
            await self._counts.note(searcher, text)
        except Unavailable:  # no loss
            return

    async def beginning_with(self, typed: str) -> Sequence[str]:
        """The most popular of what begins so. Each finds something public at this moment; none while nobody knows that."""
        prefix = prefix_of(typed)
        begun = self._beginnings.begun(prefix) if prefix else ()
        if not begun:
            return ()
        some = [
            text for text, keys in await self._current() if any(key.startswith(each) for key in keys for each in begun)
        ]
        some = some[: 2 * QUERIES]
        try:
            counts = await asyncio.gather(*(self._index.count(SearchScope(SearchRequest.of(each))) for each in some))
        except Unavailable:  # nobody knows what they find
            return ()
        return [text for text, count in zip(some, counts, strict=True) if count.value][:QUERIES]

    async def _current(self) -> Sequence[Keyed]:
        async with self._lock:
            if self._now() - self._read_at >= REFRESH_S:
                self._read_at = self._now()
                try:
                    texts = await self._counts.most(MIN_SEARCHERS)
                except Unavailable:
                    return self._known
                self._known = list(zip(texts, await self._beginnings.keyed(texts), strict=True))
            return self._known
