"""Keeps the index in step with the shop: whatever tells of a change, what is stored now is read and put."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

from domain.search.comparing import Report, compare
from domain.search.model import SearchDocument
from domain.search.ports import Documents, Entry, Listings, Progress, SearchIndex
from domain.search.refusals import Broken, NotBuilt
from domain.shared.batches import ahead, batches
from domain.shared.ids import ProductId

log = logging.getLogger("torii.search")

BATCH = 500
"""Products read and put at once."""
BUILD_BATCH = 1_000
"""The same while a whole index is built."""
AT_ONCE = 2
"""Batches on their way while a whole index is built: one is analysed while the server takes in the one before."""
REVISIONS = 5_000
"""Products whose versions are compared at once."""


def _untold(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class ProductChange:
    """A product changed, came or went, or something that is shown with it did.

    `version`: the product's own after the change, where whoever tells of it knows; None where that is not all there is
    to it, as with a deletion, or a change of its seller's.
    """

    product_id: ProductId
    version: int | None = None


class IndexUpkeep:
    """What events, captured changes, jobs and commands have done to the index.

    It does no harm to be told of a change twice, late, or in another order: each time the product is read anew, and what was
    read later counts. So changes may come by any number of roads and workers at once, also while the index is built anew.
    """

    def __init__(self, index: SearchIndex, source: Documents) -> None:
        self._index = index
        self._source = source

    async def leads(self) -> bool:
        """Whether this process is the one that follows changes."""
        return await self._index.leads()

    async def follow(self, changes: Sequence[ProductChange]) -> int:
        """Bring these products in step; how many were written. When it returns, the index shows the changes or newer ones.

        Those whose version the index has already are left alone. Any number, in batches; when it raises, some may be in
        step. Raises Unavailable.
        """
        newest: dict[ProductId, int | None] = {}
        for each in changes:
            known = newest.get(each.product_id, 0)
            newest[each.product_id] = None if known is None or each.version is None else max(known, each.version)
        ids = list(newest)
        try:
            return sum([await self._follow(ids[at : at + BATCH], newest) for at in range(0, len(ids), BATCH)])
        except NotBuilt:  # nothing is out of step, and who builds it reads what is stored by then
            return 0

    async def follow_listings(self, which: Listings, progress: Progress = _untold) -> int:
        """Bring all of these products in step, batch by batch. Raises Unavailable."""
        done, last = 0, None
        while ids := await self._source.ids_in(which, last, BATCH):
            done += await self.follow([ProductChange(each) for each in ids])
            last = ids[-1]
            progress(done)
        return done

    async def follow_revisions(self, progress: Progress = _untold) -> int:
        """Bring those products in step whose own version is another in the index, or that are gone. Raises Unavailable."""
        done = 0
        try:
            async for ids in self._revised():
                for some in (ids[at : at + BATCH] for at in range(0, len(ids), BATCH)):
                    done += await self.follow([ProductChange(each) for each in some])
                    progress(done)
                progress(done)
        except NotBuilt:
            return 0
        return done

    async def follow_differences(self, progress: Progress = _untold) -> int:
        """Bring everything in step that differs, whatever it is. Raises Unavailable."""
        try:
            return (await compare(self._index, self._source, repair=True, settle=None, progress=progress)).repaired
        except NotBuilt:
            return 0

    async def reindex(self, progress: Progress) -> int:
        """Build the index anew, while the present one goes on answering and changes are followed. Returns the products.

        The present one is kept for `rollback`. Raises Unavailable.
        """
        done = 0

        async with self._index.building() as new:

            async def put(batch: Sequence[SearchDocument]) -> None:
                nonlocal done
                await new.put(batch)
                done += len(batch)
                progress(done)

            await ahead(batches(self._source.documents(), BUILD_BATCH), put, AT_ONCE)
        return done

    async def rollback(self, progress: Progress) -> Report:
        """Go back to the index before the present one, once it is brought in step. Raises NothingBefore, Unavailable."""
        async with self._index.building(on_previous=True) as before:
            return await compare(before, self._source, repair=True, settle=None, progress=progress)

    async def verify(self, repair: bool, settle: Callable[[float], Awaitable[object]], progress: Progress) -> Report:
        """Compare the index with the shop. `settle` waits so many seconds. Raises Unavailable, NotBuilt."""
        return await compare(self._index, self._source, repair=repair, settle=settle, progress=progress)

    async def keep(self, settle: Callable[[float], Awaitable[object]]) -> Report:
        """Verify and repair; where that cannot help, build the index anew. Raises Unavailable."""
        try:
            report = await self.verify(True, settle, _untold)
        except (NotBuilt, Broken) as problem:
            log.warning("the search index is built anew", exc_info=problem)
            return Report(await self.reindex(_untold))
        if report.differing:
            log.warning("the search index was out of step", extra={"fields": {**asdict(report)}})
        if report.refused:
            log.warning("the search index cannot take some products", extra={"fields": {"products": report.refused}})
        if report.ahead:
            await self.reindex(_untold)
        return report

    async def _follow(self, ids: Sequence[ProductId], versions: dict[ProductId, int | None]) -> int:
        if any(versions[each] is not None for each in ids):
            known = {each.product_id: each.revision for each in await self._index.entries_of(ids)}
            ids = [each for each in ids if (version := versions[each]) is None or known.get(each, -1) < version]
        if not ids:
            return 0
        found = await self._source.of(ids)
        written = await self._index.put(found.documents) if found.documents else 0
        if found.gone:
            await self._index.remove(found.gone, found.moment)
        return written + len(found.gone)

    async def _revised(self) -> AsyncIterator[Sequence[ProductId]]:
        last: ProductId | None = None
        while found := await self._source.revisions(last, REVISIONS):
            entries = {each.product_id: each for each in await self._index.entries(last, found[-1][0])}
            yield [each for each, revision in found if _is_revised(entries.pop(each, None), revision)]
            yield [each.product_id for each in entries.values() if each.is_public]
            last = found[-1][0]
        yield [each.product_id for each in await self._index.entries(last, None) if each.is_public]


def _is_revised(entry: Entry | None, revision: int) -> bool:
    return entry is None or entry.revision != revision
