"""The shop's books: rows gathered into invoices and products, every row counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from domain.imports.catalogue import Product, ProductSales
from domain.imports.names import name_of
from domain.imports.rows import Cancellation, Dropped, NotAnEntry, Row, Sale, entry_of


class Line(NamedTuple):
    """A sold line. A tuple, for there are half a million of them: about 130 bytes each. `unit_price` in pence."""

    stock_code: str
    name: str | None
    quantity: int
    unit_price: int


@dataclass(slots=True)
class Invoice:
    """An invoice that is going to be an order. `at` is its earliest line: a few were written over two minutes."""

    number: str
    customer: int | None
    country: str | None
    at: datetime
    lines: list[Line] = field(default_factory=list)

    @property
    def subtotal(self) -> int:
        """In pence."""
        return sum(line.quantity * line.unit_price for line in self.lines)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds. `rows` is the sum of all lines, of `cancellations` (by time) and of `dropped`."""

    rows: int
    products: Mapping[str, Product]
    invoices: tuple[Invoice, ...]
    cancellations: tuple[Cancellation, ...]
    dropped: Mapping[Dropped, int]

    @property
    def first_orders(self) -> Mapping[int, datetime]:
        """When each customer bought first."""
        first: dict[int, datetime] = {}
        for invoice in self.invoices:
            if invoice.customer is not None:
                first[invoice.customer] = min(invoice.at, first.get(invoice.customer, invoice.at))
        return first


class Books:
    """Takes rows in the order of the file, in one pass; an invoice's rows need not stand together."""

    def __init__(self) -> None:
        self._rows = 0
        self._dropped: Counter[Dropped] = Counter()
        self._invoices: dict[str, Invoice] = {}
        self._cancellations: list[Cancellation] = []
        self._positions: Counter[str] = Counter()
        self._products: dict[str, ProductSales] = {}
        self._names: dict[str, str | None] = {}

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows += 1
            try:
                entry = entry_of(row)
                if isinstance(entry, Cancellation):
                    self._take_back(entry)
                else:
                    self._record(entry)
            except NotAnEntry as refused:
                self._dropped[refused.reason] += 1

    def close(self) -> Contents:
        """What was gathered. Lines of products that nothing named are dropped here, when the last row is known."""
        named = {code: product for code, sales in self._products.items() if (product := sales.product())}
        for invoice in self._invoices.values():
            kept = [line for line in invoice.lines if line.stock_code in named]
            self._dropped[Dropped.NO_DESCRIPTION] += len(invoice.lines) - len(kept)
            invoice.lines = kept
        invoices = sorted((i for i in self._invoices.values() if i.lines), key=lambda i: (i.at, i.number))
        cancellations = sorted(self._cancellations, key=lambda c: (c.at, c.invoice, c.position))
        return Contents(self._rows, named, tuple(invoices), tuple(cancellations), +self._dropped)

    def _record(self, sale: Sale) -> None:
        invoice = self._invoices.get(sale.invoice)
        if invoice is None:
            invoice = self._invoices[sale.invoice] = Invoice(sale.invoice, sale.customer, sale.country, sale.at)
        if invoice.customer != sale.customer:
            raise NotAnEntry(Dropped.OTHER_CUSTOMER)
        product = self._products.get(sale.stock_code)
        if product is None:
            product = self._products[sale.stock_code] = ProductSales(sale.stock_code, sale.at)
        name = self._name(sale.description)
        product.add(name, sale.unit_price, sale.at, self._rows)
        invoice.at = min(invoice.at, sale.at)
        invoice.lines.append(Line(product.stock_code, name, sale.quantity, sale.unit_price))

    def _take_back(self, cancellation: Cancellation) -> None:
        position = self._positions[cancellation.invoice]
        self._positions[cancellation.invoice] += 1
        self._cancellations.append(cancellation._replace(position=position))

    def _name(self, description: str | None) -> str | None:
        """Each description is read once, and lines share the name that came of it."""
        if description is None:
            return None
        if description not in self._names:
            self._names[description] = name_of(description)
        return self._names[description]
