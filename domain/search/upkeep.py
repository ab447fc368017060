"""Keeps the index in step with the shop: whatever tells of a change, what is stored now is read and put."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.search.ports import Documents, SearchIndex
from domain.search.refusals import NotBuilt
from domain.shared.ids import ProductId

BATCH = 500
"""Products read and put at once."""


@dataclass(frozen=True, slots=True)
class ProductChange:
    """A product changed, came or went, or something that is shown with it did.

    `version`: the product's own after the change, where whoever tells of it knows; None where that is not all there is
    to it, as with a deletion, or a change of its seller's.
    """

    product_id: ProductId
    version: int | None = None


class IndexUpkeep:
    """What events and captured changes have done to the index.

    It does no harm to be told of a change twice, late, or in another order: each time the product is read anew, and what was
    read later counts. So changes may come by any number of roads and workers at once.
    """

    def __init__(self, index: SearchIndex, source: Documents) -> None:
        self._index = index
        self._source = source

    async def follow(self, changes: Sequence[ProductChange]) -> int:
        """Bring these products in step; how many were written. When it returns, the index shows the changes or newer ones.

        Any number, in batches; when it raises, some may be in step. Raises Unavailable.
        """
        newest: dict[ProductId, int | None] = {}
        for each in changes:
            known = newest.get(each.product_id, 0)
            newest[each.product_id] = None if known is None or each.version is None else max(known, each.version)
        ids = list(newest)
        return sum([await self._put(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH)])

    async def _put(self, ids: Sequence[ProductId]) -> int:
        found = await self._source.of(ids)
        try:
            written = await self._index.put(found.documents) if found.documents else 0
            if found.gone:
                await self._index.remove(found.gone, found.moment)
        except NotBuilt:  # nothing is out of step, and who builds it reads what is stored by then
            return 0
        return written + len(found.gone)
