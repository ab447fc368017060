"""Files of one shop overlap: which invoices are new, and which were imported before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.imports.books import Invoice
from domain.imports.shop import order_number


@dataclass(frozen=True, slots=True)
class Overlap:
    """The invoices that are new; of the others the number of lines, by whether the total is the one we have."""

    new: tuple[Invoice, ...]
    lines_there: int
    lines_different: int


def overlap(invoices: Iterable[Invoice], subtotals_there: Mapping[str, int]) -> Overlap:
    """`subtotals_there` in pence by order number. An order that is there is never touched: people may have acted on it."""
    new: list[Invoice] = []
    there = different = 0
    for invoice in invoices:
        subtotal = subtotals_there.get(order_number(invoice.number))
        if subtotal is None:
            new.append(invoice)
        elif subtotal == invoice.subtotal:
            there += len(invoice.lines)
        else:
            different += len(invoice.lines)
    return Overlap(tuple(new), there, different)
