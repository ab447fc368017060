"""Putting documents into the index, and into the one that is being built beside it.

The version of a document is the product's own: OpenSearch refuses an older one, whoever comes first. So builders and
writers need no lock.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import orjson

from adapters.language.analysis import UNWRITABLE, Analyzer
from adapters.language.lexicon import Words
from adapters.opensearch.bulk import CONFLICT, NOT_FOUND, REFUSED, Bulk, Kept, requests
from adapters.opensearch.client import Client
from adapters.opensearch.documents import source
from adapters.opensearch.generations import Generations, own_alias
from adapters.opensearch.refusals import IndexBusy, IndexMissing
from domain.search.fingerprint import fingerprint
from domain.search.model import SearchDocument
from domain.shared.ids import ProductId

ATTEMPTS = 3
"""An index can take another's place between the look at the aliases and the write."""

_NOT_WRITTEN = frozenset({CONFLICT, *REFUSED})


class Writer:
    def __init__(self, client: Client, generations: Generations, words: Words, timeout_s: float) -> None:
        self._bulk = Bulk(client, timeout_s)
        self._generations = generations
        self._words = words
        self._analyzer: Analyzer | None = None

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        """Write those that the index does not know in a newer version; an equal one again. Returns how many.

        They can be searched from then on. Raises IndexMissing.
        """
        newest = {document.product_id: document for document in sorted(documents, key=lambda each: each.version)}
        return await self._write_everywhere(await self._kept(list(newest.values())))

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        """Leave tombstones of that version, except where the index knows a newer one. Raises IndexMissing."""
        await self._write_everywhere([Kept.gone(each, version) for each in dict.fromkeys(ids)])

    async def fill(self, index: str, documents: Sequence[SearchDocument]) -> int:
        """The same into an index that is being built. Raises IndexBusy when another has taken its place."""
        return await self._write_into(index, await self._kept(documents))

    async def empty(self, index: str, ids: Sequence[ProductId], version: int) -> None:
        """`remove` from an index that is being built. Raises IndexBusy."""
        await self._write_into(index, [Kept.gone(each, version) for each in dict.fromkeys(ids)])

    async def _write_into(self, index: str, documents: Sequence[Kept]) -> int:
        written = 0
        for some in requests(documents):
            statuses = await self._bulk.send(own_alias(index), some, refresh="false")
            if NOT_FOUND in statuses:
                raise IndexBusy(self._generations.alias)
            written += _written(statuses)
        return written

    async def _kept(self, documents: Sequence[SearchDocument]) -> list[Kept]:
        """Off the event loop: it is most of the work."""
        return await asyncio.to_thread(lambda: [_kept(each, self._analysis()) for each in documents])

    def _analysis(self) -> Analyzer:
        """The dictionary is loaded by whoever writes; nobody who only searches needs it."""
        if self._analyzer is None:
            self._analyzer = Analyzer(self._words)
        return self._analyzer

    async def _write_everywhere(self, documents: Sequence[Kept]) -> int:
        targets = await self._generations.targets()
        return sum([await self._write(some, targets) for some in requests(documents)])

    async def _write(self, documents: Sequence[Kept], targets: tuple[str, ...]) -> int:
        for _ in range(ATTEMPTS):
            # the index that is searched comes first, and its number counts; in the other nobody looks yet
            results = [await self._bulk.send(each, documents, refresh=self._refresh(each)) for each in targets]
            if not any(NOT_FOUND in statuses for statuses in results):
                if self._generations.building in targets:
                    await self._generations.show_unless_still(targets)
                return _written(results[0])
            targets = await self._generations.targets()
        raise IndexMissing(self._generations.alias)

    def _refresh(self, target: str) -> str:
        return "wait_for" if target == self._generations.alias else "false"


def _kept(document: SearchDocument, analyzer: Analyzer) -> Kept:
    kept = Kept(document.product_id, document.version, b"", document.revision, fingerprint(document))
    try:
        return replace(kept, json=orjson.dumps(source(document, analyzer)))
    except (*UNWRITABLE, orjson.JSONEncodeError) as error:
        return kept.refused(repr(error))


def _written(statuses: Sequence[int]) -> int:
    return sum(status not in _NOT_WRITTEN for status in statuses)
