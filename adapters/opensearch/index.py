"""The search port on OpenSearch."""

import time
from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import NotFoundError, TransportError

from adapters.batches import batches
from adapters.opensearch.client import Client
from adapters.opensearch.generations import Generations
from adapters.opensearch.queries import matching, ranked
from adapters.opensearch.refusals import IndexMissing
from adapters.opensearch.snapshots import KEEP_ALIVE_S, LATEST, REOPEN_S, Snapshots
from adapters.opensearch.writing import Writer
from adapters.search_ranking import Position, position
from domain.search.model import SEARCH_ORDER, Hit, SearchDocument, SearchQuery, SearchScope
from domain.search.ports import Progress
from domain.shared.ids import ProductId
from domain.shared.paging import Count, Key, Page, PageRequest, cut_page
from domain.shared.refusals import Unavailable

BATCH = 500
"""Documents sent at once while the whole index is built."""


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
        *,
        timeout_ms: int = 1_000,
        write_timeout_ms: int = 60_000,
        refresh_s: float = 1.0,
        reopen_s: float = REOPEN_S,
        kept_s: float = 2 * KEEP_ALIVE_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = Client(url, timeout_ms)
        self._timeout_s = timeout_ms / 1000
        self._generations = Generations(
            self._client, name, refresh_s=refresh_s, write_timeout_s=write_timeout_ms / 1000, kept_s=kept_s
        )
        self._writer = Writer(self._client, self._generations, write_timeout_ms / 1000)
        self._snapshots = Snapshots(self._generations.alias, reopen_s, now)

    async def search(self, query: SearchQuery, request: PageRequest) -> Page[Hit]:
        start = position(request)
        async with self._client.answering() as api:
            state = await (self._snapshots.latest(api) if start is None else self._snapshots.named(start[0], api))
            hits = await self._hits(api, state, query, request, start)
            if hits is None:  # its time is over: on from the same score in the latest
                self._snapshots.expire()
                state = await self._snapshots.latest(api)
                hits = await self._hits(api, state, query, request, start)
        if hits is None:
            raise Unavailable("search")

        def key(hit: Hit) -> Key:
            return state or LATEST, hit.score, str(hit.product_id)

        return cut_page(hits, request, SEARCH_ORDER, key, SearchScope(query))

    async def count(self, query: SearchQuery) -> Count:
        async with self._client.answering() as api:
            return await self._counted(api, query)

    async def is_built(self) -> bool:
        return await self._generations.current() is not None

    async def check(self) -> str:
        current = await self._generations.current()
        if current is None:
            raise IndexMissing(self._generations.alias)
        async with self._client.working(self._timeout_s) as api:
            version = (await api.info())["version"]["number"]
            documents = (await self._counted(api, SearchQuery(""))).value
        return f"OpenSearch {version}, {current}, {documents:,} documents"

    async def replace_all(self, documents: AsyncIterable[SearchDocument], progress: Progress) -> int:
        index = await self._generations.begin()
        done, is_whole = 0, False
        try:
            async for batch in batches(documents, BATCH):
                await self._writer.fill(index, batch)
                done += len(batch)
                progress(done)
            await self._generations.switch(index)
            is_whole = True
        finally:
            if not is_whole:
                with suppress(Unavailable):  # what is left goes with the next build
                    await self._generations.abandon(index)
        self._snapshots.expire()
        return done

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        written = await self._writer.put(documents)
        self._snapshots.expire()
        return written

    async def remove(self, ids: Sequence[ProductId]) -> None:
        await self._writer.remove(ids)
        self._snapshots.expire()

    async def close(self) -> None:
        await self._client.close()

    async def _counted(self, api: Any, query: SearchQuery) -> Count:
        here = {"index": self._generations.alias, "params": {"ignore_unavailable": "true"}}
        return Count((await api.count(**here, body={"query": matching(query)}))["count"])

    async def _hits(
        self, api: Any, state: str | None, query: SearchQuery, request: PageRequest, start: Position | None
    ) -> list[Hit] | None:
        """One more than the page has, best first; None when that state is kept no longer."""
        if state is None:
            return []
        try:
            answer = await api.search(**self._question(state, query, request, start))
        except NotFoundError:
            return None
        except NoConnection:
            raise
        except TransportError:  # of any status: a state that somebody made up must not look like an outage
            if start is None or state != start[0]:
                raise
            return None
        return [Hit(ProductId(UUID(each["_id"])), float(each["sort"][0])) for each in answer["hits"]["hits"]]

    def _question(self, state: str, query: SearchQuery, request: PageRequest, start: Position | None) -> dict[str, Any]:
        score = {"browse_rank": {"order": "desc", "unmapped_type": "double"}} if query.is_browse else {"_score": "desc"}
        body: dict[str, Any] = {
            "query": ranked(query),
            "size": request.size + 1,
            "sort": [score, {"id": "asc"}],
            "track_total_hits": False,
            "_source": False,
        }
        if start is not None:
            body["search_after"] = [start[1], str(start[2])]
        if state == LATEST:
            return {"body": body, "index": self._generations.alias}
        return {"body": {**body, "pit": {"id": state, "keep_alive": f"{KEEP_ALIVE_S}s"}}}
