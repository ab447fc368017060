"""Whether an index says what the shop has: what differs, and is not just on its way, is put right or told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from domain.search.fingerprint import fingerprint
from domain.search.model import SearchDocument
from domain.search.ports import Documents, Entry, Progress, Reading, Written
from domain.shared.batches import batches
from domain.shared.ids import ProductId

BATCH = 1_000
"""Products compared at once."""
REPAIR_BATCH = 500
SETTLES_S = 10.0
"""What differs is looked at again after so long: a change that was on its way has come by then."""
MAX_SUSPECTS = 200_000
"""More differ only where the index is of another shop, or the events do not come at all."""

Suspects = dict[ProductId, int]
"""Products that differed, each with a moment from before it was read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found. Each product that differs counts once, under what shoppers would notice.

    `missing`: cannot be found. `stale`: is found by what it was. `leftover`: is found and should not be. `ahead`: differs
    and is newer in the index than anything in the database, as after a restored backup; only a new index helps.
    `refused`: cannot be found, since the index could not take it as it is, nor would it now. The log of its last change says why.
    """

    products: int = 0
    missing: int = 0
    stale: int = 0
    leftover: int = 0
    ahead: int = 0
    repaired: int = 0
    refused: int = 0

    @property
    def differing(self) -> int:
        return self.missing + self.stale + self.leftover + self.ahead

    @property
    def is_in_step(self) -> bool:
        """Whether nothing differs, now that what was to be put right is."""
        return self.differing == self.repaired and not self.refused


async def compare(
    index: Written,
    source: Documents,
    *,
    repair: bool,
    settle: Callable[[float], Awaitable[object]] | None,
    progress: Progress,
) -> Report:
    """Look at all products and all that the index knows, some thousand at a time.

    `settle` waits so many seconds for changes that are on their way; None where none are, and whatever differs counts.
    Raises Unavailable, NotBuilt.
    """
    products, suspects = await _suspects(index, source, progress)
    report = Report(products)
    if not suspects:
        return report
    if settle is not None:
        await settle(SETTLES_S)
    ids = sorted(suspects)
    for start in range(0, len(ids), REPAIR_BATCH):
        some = ids[start : start + REPAIR_BATCH]
        since = {each: suspects[each] for each in some} if settle is not None else {}
        report = await _looked_at_again(index, source, some, since, repair, report)
        progress(products)
    return report


async def _suspects(index: Written, source: Documents, progress: Progress) -> tuple[int, Suspects]:
    """How many products there are, and those of which the index says something else."""
    moment = (await source.of(())).moment
    last, products, suspects = None, 0, Suspects()
    async for documents in batches(source.documents(), BATCH):
        entries = await index.entries(last, documents[-1].product_id)
        suspects |= _differing(documents, {each.product_id: each for each in entries})
        last, products = documents[-1].product_id, products + len(documents)
        moment = documents[-1].version
        progress(products)
    suspects |= {each.product_id: moment for each in await index.entries(last, None) if each.is_public}
    return products, dict(list(suspects.items())[:MAX_SUSPECTS])


def _differing(documents: Sequence[SearchDocument], entries: dict[ProductId, Entry]) -> Suspects:
    found = {each.product_id: each.version for each in documents if _differs(each, entries.pop(each.product_id, None))}
    return found | {each.product_id: documents[0].version for each in entries.values() if each.is_public}


def _differs(document: SearchDocument | None, entry: Entry | None) -> bool:
    is_public = document is not None and document.is_public
    if document is None or entry is None or is_public != entry.is_public:
        return is_public != (entry is not None and entry.is_public)
    return fingerprint(document) != entry.fingerprint


def _is_refused(document: SearchDocument | None, entry: Entry | None) -> bool:
    """Whether the index knows that it cannot take it, as it still is."""
    if document is None or entry is None or not entry.is_refused:
        return False
    return document.is_public and fingerprint(document) == entry.fingerprint


async def _looked_at_again(
    index: Written, source: Documents, ids: Sequence[ProductId], since: Suspects, repair: bool, report: Report
) -> Report:
    """Count those that differ still, and of which nothing was written since they first did."""
    entries = {each.product_id: each for each in await index.entries_of(ids)}
    reading = await source.of(ids)  # second, so that its moment is above the version of any entry
    documents = {each.product_id: each for each in reading.documents}
    wrong: list[ProductId] = []
    for product_id in ids:
        document, entry = documents.get(product_id), entries.get(product_id)
        if not _differs(document, entry):
            continue
        if _is_refused(document, entry):
            report = replace(report, refused=report.refused + 1)
            continue
        if entry is not None and entry.version > reading.moment:
            report = replace(report, ahead=report.ahead + 1)
        elif entry is None or product_id not in since or entry.version < since[product_id]:
            wrong.append(product_id)
            report = _counted(report, document, entry)
    if repair and wrong:
        await _put_right(index, reading, set(wrong))
        report = replace(report, repaired=report.repaired + len(wrong))
    return report


def _counted(report: Report, document: SearchDocument | None, entry: Entry | None) -> Report:
    if document is None or not document.is_public:
        return replace(report, leftover=report.leftover + 1)
    if entry is None or not entry.is_public:
        return replace(report, missing=report.missing + 1)
    return replace(report, stale=report.stale + 1)


async def _put_right(index: Written, reading: Reading, wrong: set[ProductId]) -> None:
    documents = [each for each in reading.documents if each.product_id in wrong]
    if documents:
        await index.put(documents)
    gone = [each for each in reading.gone if each in wrong]
    if gone:
        await index.remove(gone, reading.moment)
