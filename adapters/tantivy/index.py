"""The search port on tantivy: what blocks runs on threads of its own, and every search has a time limit."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, TypeVar

import tantivy

from adapters.breaker import Breaker
from adapters.language.analysis import Analyzer, dictionary_version
from adapters.search_ranking import column_of, hit_of, position, search_page
from adapters.tantivy.breaking import FolderBreaker
from adapters.tantivy.documents import FORMAT
from adapters.tantivy.facets import facet_counts
from adapters.tantivy.generations import Generations
from adapters.tantivy.narrowing import narrowed, narrowing
from adapters.tantivy.queries import browse_query
from adapters.tantivy.ranking import Column, by_score
from adapters.tantivy.refusals import IndexBroken, IndexMissing, is_panic
from adapters.tantivy.snapshots import Snapshot, Snapshots
from adapters.tantivy.spelling import respelled
from adapters.tantivy.suggesting import completed
from adapters.tantivy.text_query import text_query
from adapters.tantivy.upkeep import Built, Upkeep
from domain.search.facet_terms import FacetCounts
from domain.search.model import NOTHING_BESIDE, Beside, SearchDocument, SearchPage, SearchScope
from domain.search.ports import Entry
from domain.search.request import BROWSE, SearchQuery, SearchRequest
from domain.search.suggesting import Suggestions
from domain.shared.ids import ProductId
from domain.shared.paging import Count, PageRequest
from domain.shared.refusals import Refusal, Unavailable

P = ParamSpec("P")
R = TypeVar("R")

READERS = 2


def is_built(folder: Path) -> bool:
    """Whether `folder` holds an index that this program reads, without opening it."""
    try:
        current = Generations(folder, _format(dictionary_version())).current()
    except IndexBroken:
        return False
    return current is not None and (current.path / "meta.json").exists()


class TantivyIndex:
    """`folder` holds the index and nothing else; any number of processes may read it, one at a time writes."""

    def __init__(
        self,
        folder: Path,
        analyzer: Analyzer,
        *,
        search_timeout_s: float = 1.0,
        writer_patience_s: float = 30.0,
        refresh_s: float = 0.2,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._analyzer = analyzer
        self._timeout_s = search_timeout_s
        self._generations = Generations(folder, _format(analyzer.version))
        self._snapshots = Snapshots(self._generations, refresh_s, now)
        self._upkeep = Upkeep(self._generations, analyzer, writer_patience_s, self._snapshots.expire)
        self._readers = ThreadPoolExecutor(READERS, "search")
        self._breaker = FolderBreaker(self._generations, Breaker(now))

    async def search(self, request: SearchRequest, page: PageRequest, beside: Beside = NOTHING_BESIDE) -> SearchPage:
        return await self._answered(self._search, request, page, beside)

    async def count(self, scope: SearchScope) -> Count:
        return await self._answered(self._count, scope)

    async def facets(self, scope: SearchScope) -> Sequence[FacetCounts]:
        return await self._answered(self._facets, scope)

    async def complete(self, prefix: str) -> Suggestions | None:
        return await self._answered(self._complete, prefix)

    async def spelled(self, word: str) -> str | None:
        return await self._answered(self._spelled, word)

    async def is_built(self) -> bool:
        return await self._read(self._generations.current) is not None

    async def check(self) -> str:
        documents = await self._read(self._documents)
        return f"tantivy {version('tantivy')}, {self._analyzer.version}, {documents:,} documents"

    def building(self, on_previous: bool = False) -> AbstractAsyncContextManager[Built]:
        return self._upkeep.building(on_previous)

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        return await self._upkeep.put(documents)

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        await self._upkeep.remove(ids, version)

    async def entries(self, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
        return await self._upkeep.entries(after, upto)

    async def entries_of(self, ids: Sequence[ProductId]) -> Sequence[Entry]:
        return await self._upkeep.entries_of(ids)

    async def leads(self) -> bool:
        return await self._upkeep.leads()

    async def close(self) -> None:
        """Lets a write that has begun come to its end."""
        await asyncio.to_thread(self._readers.shutdown, wait=True, cancel_futures=True)
        await self._upkeep.close()

    # what follows runs on our threads

    def _search(self, request: SearchRequest, page: PageRequest, beside: Beside) -> SearchPage:
        start = position(page)
        snapshot = self._snapshots.latest() if start is None else self._snapshots.named(start[0])
        if snapshot is None:
            return SearchPage((), (), request.sort.order, scope=SearchScope(request))
        column, after = column_of(request), None if start is None else start[1:]
        rows = by_score if column is None else Column(*column).rows
        matches = self._matching(snapshot, request.query)
        asked = narrowed(matches, narrowing(snapshot.schema, request.which).values())
        hits = [hit_of(request, product_id, rank) for rank, product_id in rows(snapshot, asked, after, page.size + 1)]
        self._snapshots.keep(snapshot)
        total = _counted(snapshot, asked) if beside.total else None
        counted = tuple(facet_counts(snapshot, matches, request.which)) if beside.facets else None
        return search_page(hits, page, SearchScope(request, snapshot.name, total, counted), snapshot.seen_at)

    def _count(self, scope: SearchScope) -> Count:
        snapshot = self._snapshots.named(scope.state)
        if snapshot is None:
            return Count(0)
        matches = self._matching(snapshot, scope.request.query)
        return _counted(snapshot, narrowed(matches, narrowing(snapshot.schema, scope.request.which).values()))

    def _facets(self, scope: SearchScope) -> Sequence[FacetCounts]:
        snapshot = self._snapshots.named(scope.state)
        if snapshot is None:
            return []
        return facet_counts(snapshot, self._matching(snapshot, scope.request.query), scope.request.which)

    def _complete(self, prefix: str) -> Suggestions | None:
        snapshot = self._snapshots.latest()
        return None if snapshot is None else completed(snapshot, self._analyzer, prefix)

    def _spelled(self, word: str) -> str | None:
        snapshot = self._snapshots.latest()
        return None if snapshot is None else respelled(snapshot, self._analyzer, word)

    def _matching(self, snapshot: Snapshot, query: SearchQuery) -> tantivy.Query:
        if query.is_browse:
            return browse_query(snapshot.schema)
        return text_query(snapshot.schema, self._analyzer.clauses(query.text), query.text)

    def _documents(self) -> int:
        if self._snapshots.latest() is None:
            raise IndexMissing(self._generations.folder)
        return self._count(SearchScope(BROWSE)).value

    # how it gets there

    async def _answered(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """To a request: a folder that keeps failing costs it nothing."""
        self._breaker.check()
        try:
            found = await self._read(job, *args, **kwargs)
        except Unavailable:
            self._breaker.failed()
            raise
        except Refusal:  # no, but an answer
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return found

    async def _read(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._readers, lambda: job(*args, **kwargs))
        except TimeoutError as error:
            raise Unavailable("search") from error
        except (OSError, ValueError) as error:  # tantivy's own are ValueErrors
            raise IndexBroken(self._generations.folder) from error
        except BaseException as panic:
            if is_panic(panic):
                raise IndexBroken(self._generations.folder) from panic
            raise


def _counted(snapshot: Snapshot, asked: tantivy.Query) -> Count:
    found = snapshot.searcher.search(asked, 1, count=True)
    return Count(found.count or 0)  # type: ignore[attr-defined]  # missing in its stubs


def _format(dictionary: str) -> str:
    return f"{FORMAT}, {dictionary}"
