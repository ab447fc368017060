"""What an import needs from the outside, and what can be refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.imports.books import Contents
from domain.imports.refunds import Settled
from domain.imports.rows import Row
from domain.shared.refusals import Refusal


class Stage(StrEnum):
    """What an import is busy with."""

    READING = "reading the file"
    CATALOGUE = "products and customers"
    ORDERS = "orders"
    LINES = "order lines"
    REFUNDS = "refunds"


class Progress(Protocol):
    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """`done` of `total` rows of this stage; a stage begins with none done and ends with all."""
        ...


def silent(stage: Stage, done: int, total: int) -> None:
    """A progress that says nothing."""


class UnreadableFile(Refusal):
    """The file is missing, closed to us, damaged, or not what it should be."""

    code = "UNREADABLE_FILE"


class KeyTaken(Refusal):
    """Something else in the marketplace holds a slug, SKU or mail address that the import needs."""

    code = "KEY_TAKEN"


class InvoiceFile(Protocol):
    """A file of invoice lines, opened."""

    @property
    def row_count(self) -> int: ...

    def batches(self) -> Iterator[Sequence[Row]]:
        """All rows in their order. Raises UnreadableFile where the file is damaged."""
        ...


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What was new, the lines of invoices that were there before (with the same total, or with another), and what went back."""

    categories: int
    products: int
    users: int
    orders: int
    lines: int
    lines_there: int
    lines_different: int
    back: Settled


class Shop(Protocol):
    """The marketplace's books."""

    async def take_in(self, contents: Contents, progress: Progress) -> TakenIn:
        """Add what is not there yet, all of it or nothing; what is there stays untouched. Raises KeyTaken, Unavailable."""
        ...
