"""The import of a file of invoices: read once, taken in whole, every row accounted for."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from domain.imports.books import Books, Contents
from domain.imports.ports import InvoiceFile, Progress, Shop, Stage, TakenIn, silent
from domain.imports.rows import Dropped


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What became of a file. `rows` = added lines + lines that were there already + dropped ones, and the same of refunds."""

    rows: int
    added: TakenIn
    dropped: Mapping[Dropped, int]
    seconds: float

    def __post_init__(self) -> None:
        added, back = self.added, self.added.back
        accounted = added.lines + added.lines_there + sum(self.dropped.values()) + back.rows
        assert accounted == self.rows, f"{self.rows - accounted} rows are unaccounted for"

    @property
    def changed_nothing(self) -> bool:
        added = self.added
        return not (added.categories or added.products or added.users or added.orders or added.back.pieces)


class OnlineRetailImport:
    """Loads a sheet of UCI "Online Retail II" into the marketplace. Sends no mail, writes no activity, pays nothing out."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def run(self, file: InvoiceFile, progress: Progress = silent) -> ImportSummary:
        """Raises UnreadableFile, KeyTaken, Unavailable; then nothing was changed."""
        began = time.monotonic()
        contents = await _read(file, progress)
        taken = await self._shop.take_in(contents, progress)
        different = Counter({Dropped.DIFFERENT_INVOICE: taken.lines_different})
        dropped = Counter(contents.dropped) + different
        return ImportSummary(contents.rows, taken, dropped, time.monotonic() - began)


async def _read(file: InvoiceFile, progress: Progress) -> Contents:
    books, done = Books(), 0
    progress(Stage.READING, done, file.row_count)
    for rows in file.batches():
        books.add(rows)
        done += len(rows)
        progress(Stage.READING, done, file.row_count)
        await asyncio.sleep(0)  # Ctrl-C is heard between two batches
    return books.close()
