"""Putting documents into the index, and into the one that is being built beside it.

The version of a document is the product's own: OpenSearch refuses an older one, whoever comes first. So builders and
writers need no lock.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from adapters.language.analysis import Analyzer
from adapters.language.lexicon import Words
from adapters.opensearch.client import Client
from adapters.opensearch.documents import source, tombstone
from adapters.opensearch.generations import Generations, own_alias
from adapters.opensearch.refusals import IndexBusy, IndexMissing
from domain.search.model import SearchDocument
from domain.shared.ids import ProductId
from domain.shared.refusals import Unavailable

ATTEMPTS = 3
"""An index can take another's place between the look at the aliases and the write."""

CHUNK = 500
"""Documents in one request."""

_CONFLICT, _NOT_FOUND = 409, 404

Versioned = tuple[ProductId, int, dict[str, Any]]
"""Id, version and what is kept."""


class Writer:
    def __init__(self, client: Client, generations: Generations, words: Words, timeout_s: float) -> None:
        self._client = client
        self._generations = generations
        self._words = words
        self._analyzer: Analyzer | None = None
        self._timeout_s = timeout_s

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        """Write those that the index does not know in a newer version; an equal one again. Returns how many.

        They can be searched from then on. Raises IndexMissing.
        """
        newest = {document.product_id: document for document in sorted(documents, key=lambda each: each.version)}
        return await self._write_everywhere(
            [(each.product_id, each.version, kept) for each, kept in await self._sources(list(newest.values()))]
        )

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        """Leave tombstones of that version, except where the index knows a newer one. Raises IndexMissing."""
        await self._write_everywhere([(each, version, tombstone(each)) for each in dict.fromkeys(ids)])

    async def fill(self, index: str, documents: Sequence[SearchDocument]) -> int:
        """The same into an index that is being built. Raises IndexBusy when another has taken its place."""
        return await self._write_into(
            index, [(each.product_id, each.version, kept) for each, kept in await self._sources(documents)]
        )

    async def empty(self, index: str, ids: Sequence[ProductId], version: int) -> None:
        """`remove` from an index that is being built. Raises IndexBusy."""
        await self._write_into(index, [(each, version, tombstone(each)) for each in dict.fromkeys(ids)])

    async def _write_into(self, index: str, documents: Sequence[Versioned]) -> int:
        written = 0
        for start in range(0, len(documents), CHUNK):
            statuses = await self._bulk(own_alias(index), documents[start : start + CHUNK], refresh="false")
            if _NOT_FOUND in statuses:
                raise IndexBusy(self._generations.alias)
            written += sum(status != _CONFLICT for status in statuses)
        return written

    async def _sources(self, documents: Sequence[SearchDocument]) -> list[tuple[SearchDocument, dict[str, Any]]]:
        return await asyncio.to_thread(lambda: [(each, source(each, self._analysis())) for each in documents])

    def _analysis(self) -> Analyzer:
        """The dictionary is loaded by whoever writes; nobody who only searches needs it."""
        if self._analyzer is None:
            self._analyzer = Analyzer(self._words)
        return self._analyzer

    async def _write_everywhere(self, documents: Sequence[Versioned]) -> int:
        targets = await self._generations.targets()
        return sum([await self._write(documents[i : i + CHUNK], targets) for i in range(0, len(documents), CHUNK)])

    async def _write(self, documents: Sequence[Versioned], targets: tuple[str, ...]) -> int:
        for _ in range(ATTEMPTS):
            # the index that is searched comes first, and its number counts
            results = [await self._bulk(target, documents, refresh="wait_for") for target in targets]
            if not any(_NOT_FOUND in statuses for statuses in results):
                return sum(status != _CONFLICT for status in results[0])
            targets = await self._generations.targets()
        raise IndexMissing(self._generations.alias)

    async def _bulk(self, target: str, documents: Sequence[Versioned], refresh: str) -> list[int]:
        """The status of each. Raises Unavailable where one could not be written for a reason of the server's."""
        lines: list[dict[str, Any]] = []
        for product_id, version, kept in documents:
            meta = {"_id": str(product_id), "version": version, "version_type": "external_gte", "require_alias": True}
            lines += [{"index": {"_index": target, **meta}}, kept]
        async with self._client.working(self._timeout_s) as api:
            answer = await api.bulk(body=lines, params={"refresh": refresh})
        results = [item["index"] for item in answer["items"]]
        for each in results:
            if each["status"] >= 400 and each["status"] not in (_CONFLICT, _NOT_FOUND):
                raise Unavailable("search") from RuntimeError(str(each["error"]))
        return [each["status"] for each in results]
