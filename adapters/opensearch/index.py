"""The search port on OpenSearch."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from adapters.language.lexicon import Words
from adapters.opensearch.asking import Asking
from adapters.opensearch.client import Client
from adapters.opensearch.entries import entries, entries_of
from adapters.opensearch.facets import aggregations, facet_counts
from adapters.opensearch.generations import Generations, own_alias
from adapters.opensearch.labels import Labels
from adapters.opensearch.narrowing import narrowed, narrowing
from adapters.opensearch.queries import Query, matching, ranked
from adapters.opensearch.refusals import IndexMissing
from adapters.opensearch.snapshots import KEEP_ALIVE_S, REOPEN_S, Snapshots
from adapters.opensearch.spelling import spelled, spelling_body
from adapters.opensearch.suggesting import LABELS, completions, label_body, label_starts_of, products_body
from adapters.opensearch.writing import Writer
from adapters.search_ranking import Position, column_of, hit_of, position, search_page
from domain.search.facet_terms import FacetCounts
from domain.search.model import NOTHING_BESIDE, Beside, SearchDocument, SearchPage, SearchScope
from domain.search.ports import Entry
from domain.search.request import BROWSE, SearchQuery, SearchRequest
from domain.search.suggesting import NO_SUGGESTIONS, Suggestions
from domain.shared.ids import ProductId
from domain.shared.paging import Count, PageRequest
from domain.shared.refusals import Unavailable

LONG = 40
"""Characters of a query: to take one of 200 apart can take 20 ms."""


class OpenSearchIndex:
    """Any number of processes may read, write and, one after the other, build the indexes called `name`.

    Parameters:
        timeout_ms, write_timeout_ms: the longest that a search and a call of the upkeep may take.
        refresh_s: how long OpenSearch may take to show what was written.
        reopen_s: how long searches share a state of the index.
        kept_s: how long an index is kept beyond the one that took the place of the next.
    """

    def __init__(
        self,
        url: str,
        name: str,
        words: Words,
        *,
        timeout_ms: int = 1_000,
        write_timeout_ms: int = 60_000,
        refresh_s: float = 1.0,
        reopen_s: float = REOPEN_S,
        kept_s: float = 2 * KEEP_ALIVE_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = Client(url, timeout_ms)
        self._words = words
        self._timeout_s = timeout_ms / 1000
        self._generations = Generations(
            self._client, name, words, refresh_s=refresh_s, write_timeout_s=write_timeout_ms / 1000, kept_s=kept_s
        )
        self._writer = Writer(self._client, self._generations, words, write_timeout_ms / 1000)
        self._snapshots = Snapshots(self._generations.alias, reopen_s, now)
        self._asking = Asking(self._client, self._snapshots, self._generations.alias, timeout_ms)
        self._labels = Labels(self._client, self._generations.alias, now)

    async def search(self, request: SearchRequest, page: PageRequest, beside: Beside = NOTHING_BESIDE) -> SearchPage:
        start = position(page)
        matches = await self._matching(request.query)
        bodies = [_page_body(request, page, start, matches)]
        if beside.total:
            bodies.append(_count_body(request, matches))
        if beside.facets:
            bodies.append(_facets_body(request, matches))
        found = await self._asking.of_state("" if start is None else start[0], bodies)
        if found is None:
            return SearchPage((), (), request.sort.order, scope=SearchScope(request))
        state, [paged, *others] = found
        total = _total(others.pop(0)) if beside.total else None
        counted = tuple(facet_counts(others[0]["aggregations"], request.which)) if beside.facets else None
        hits = [hit_of(request, ProductId(UUID(each["_id"])), each["sort"][0]) for each in paged["hits"]["hits"]]
        return search_page(hits, page, SearchScope(request, state.name, total, counted), state.seen_at)

    async def count(self, scope: SearchScope) -> Count:
        body = _count_body(scope.request, await self._matching(scope.request.query))
        found = await self._asking.of_state(scope.state, [body])
        return Count(0) if found is None else _total(found[1][0])

    async def facets(self, scope: SearchScope) -> Sequence[FacetCounts]:
        body = _facets_body(scope.request, await self._matching(scope.request.query))
        found = await self._asking.of_state(scope.state, [body])
        return [] if found is None else facet_counts(found[1][0]["aggregations"], scope.request.which)

    async def complete(self, prefix: str) -> Suggestions | None:
        body = products_body(prefix, self._words.current())
        if body is None:
            return NO_SUGGESTIONS
        names = [
            (facet, id)
            for kind, facet, most in LABELS
            for id in await self._labels.begun(label_starts_of(prefix, kind), most)
        ]
        answers = await self._asking.now([body, *(label_body(facet, id) for facet, id in names)])
        return None if answers is None else completions(answers, names)

    async def spelled(self, word: str) -> str | None:
        body = spelling_body(word)
        if body is None or (await self.count(SearchScope(SearchRequest(SearchQuery(word))))).value:
            return None
        found = await self._asking.of_state("", [body])
        return None if found is None else spelled(word, found[1][0])

    async def is_built(self) -> bool:
        return await self._generations.current() is not None

    async def check(self) -> str:
        current = await self._generations.current()
        if current is None:
            raise IndexMissing(self._generations.alias)
        async with self._client.working(self._timeout_s) as api:
            version = (await api.info())["version"]["number"]
            documents = (await api.count(index=current, body={"query": matching(BROWSE.query, self._words.current())}))[
                "count"
            ]
        return f"OpenSearch {version}, {current}, {documents:,} documents"

    @asynccontextmanager
    async def building(self, on_previous: bool = False) -> AsyncIterator["Built"]:
        begin = self._generations.begin_previous if on_previous else self._generations.begin
        index = await begin()
        is_whole = False
        try:
            yield Built(self._writer, self._client, index)
            await self._generations.switch(index)
            is_whole = True
        finally:
            if not is_whole:
                with suppress(Unavailable):  # what is left goes with the next build
                    await self._generations.abandon(index)
        self._snapshots.expire()
        self._labels.expire()

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        written = await self._writer.put(documents)
        self._snapshots.expire()
        return written

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        await self._writer.remove(ids, version)
        self._snapshots.expire()

    async def entries(self, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
        return await entries(self._client, (await self._generations.targets())[0], after, upto)

    async def entries_of(self, ids: Sequence[ProductId]) -> Sequence[Entry]:
        return await entries_of(self._client, (await self._generations.targets())[0], ids)

    async def leads(self) -> bool:
        return True  # versions keep any number of writers apart

    async def close(self) -> None:
        await self._labels.close()
        await self._client.close()

    async def _matching(self, query: SearchQuery) -> Query:
        """Long queries are taken apart beside the event loop."""
        lexicon = self._words.current()
        if len(query.text) <= LONG:
            return matching(query, lexicon)
        return await asyncio.to_thread(matching, query, lexicon)


class Built:
    """The port `Written` on an index that is being built."""

    def __init__(self, writer: Writer, client: Client, index: str) -> None:
        self._writer = writer
        self._client = client
        self._index = index

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        return await self._writer.fill(self._index, documents)

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        await self._writer.empty(self._index, ids, version)

    async def entries(self, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
        return await entries(self._client, own_alias(self._index), after, upto)

    async def entries_of(self, ids: Sequence[ProductId]) -> Sequence[Entry]:
        return await entries_of(self._client, own_alias(self._index), ids)


def _found(request: SearchRequest, matches: Query) -> Query:
    return narrowed(matches, narrowing(request.which).values())


def _page_body(request: SearchRequest, page: PageRequest, start: Position | None, matches: Query) -> dict[str, Any]:
    column = column_of(request)
    if column is None:
        query, rank = (
            narrowed(ranked(request.query, matches), narrowing(request.which).values()),
            {"_score": {"order": "desc"}},
        )
    else:
        name, is_down = column
        query, rank = _found(request, matches), {name: {"order": "desc" if is_down else "asc"}}
    body = {
        "query": query,
        "size": page.size + 1,
        "sort": [rank, {"id": "asc"}],
        "track_total_hits": False,
        "_source": False,
    }
    return body if start is None else {**body, "search_after": [start[1], str(start[2])]}


def _count_body(request: SearchRequest, matches: Query) -> dict[str, Any]:
    return {"query": {"bool": {"filter": [_found(request, matches)]}}, "size": 0, "track_total_hits": True}


def _total(answer: Mapping[str, Any]) -> Count:
    return Count(answer["hits"]["total"]["value"])


def _facets_body(request: SearchRequest, matches: Query) -> dict[str, Any]:
    return {
        "query": {"bool": {"filter": [matches]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": aggregations(request.which),
    }
