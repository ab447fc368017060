"""Takes the contents of an Online Retail file into PostgreSQL: what is new, in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from adapters.postgres import tables
from adapters.postgres.bulk import BulkLoad, bulk_load
from adapters.postgres.online_retail_refunds import take_back
from adapters.postgres.online_retail_rows import (
    CATEGORY,
    HISTORY,
    LINE,
    ORDER,
    PAYMENT,
    PRODUCT,
    PROFILE,
    SELLER,
    USER,
    category_rows,
    history_row,
    line_rows,
    order_row,
    payment_row,
    product_row,
    seller_profile_row,
    seller_row,
    user_row,
)
from domain.imports.books import Contents, Invoice
from domain.imports.overlap import overlap
from domain.imports.ports import KeyTaken, Progress, Stage, TakenIn
from domain.imports.shop import order_number

LOCK = "import online-retail"
INVOICES_AT_ONCE = 1_000
"""About 20,000 lines: small enough to show progress, large enough for COPY."""

Row = Sequence[Any]


class OnlineRetailShop:
    """The shop's books in PostgreSQL, written as the worker role."""

    def __init__(self, worker_url: str) -> None:
        self._worker_url = worker_url

    async def take_in(self, contents: Contents, progress: Progress) -> TakenIn:
        """Raises KeyTaken, Unavailable; then nothing was written but, maybe, empty partitions."""
        # By themselves, because making a partition locks out whoever reads orders until the transaction ends.
        async with bulk_load(self._worker_url) as bulk:
            await bulk.ensure_months({invoice.at.date().replace(day=1) for invoice in contents.invoices})
        async with bulk_load(self._worker_url) as bulk:
            await bulk.lock(LOCK)
            return await _TakingIn(bulk, progress).run(contents)


class _TakingIn:
    """One transaction of the import."""

    def __init__(self, bulk: BulkLoad, progress: Progress) -> None:
        self._bulk = bulk
        self._progress = progress

    async def run(self, contents: Contents) -> TakenIn:
        found = overlap(contents.invoices, await self._subtotals_there(contents.invoices))
        categories, products, users = await self._catalogue(contents, found.new)
        lines = await self._orders(contents, found.new)
        if lines:
            await self._bulk.analyze()
        total = len(contents.cancellations)
        self._progress(Stage.REFUNDS, 0, total)
        back = await take_back(self._bulk, contents.cancellations)
        self._progress(Stage.REFUNDS, total, total)
        return TakenIn(
            categories, products, users, len(found.new), lines, found.lines_there, found.lines_different, back
        )

    async def _subtotals_there(self, invoices: Iterable[Invoice]) -> dict[str, int]:
        rows = await self._bulk.fetch(
            """SELECT n.order_number, o.subtotal FROM orders.order_numbers n JOIN orders.orders o ON o.id = n.order_id
               WHERE n.order_number = ANY($1)""",
            [order_number(invoice.number) for invoice in invoices],
        )
        return {row[0]: row[1] for row in rows}

    async def _catalogue(self, contents: Contents, invoices: Sequence[Invoice]) -> tuple[int, int, int]:
        """Whatever these invoices need to point at: how many categories, products and users were new."""
        sold = {line.stock_code for invoice in invoices for line in invoice.lines}
        buyers = {invoice.customer for invoice in invoices}
        total = len(sold) + len(buyers - {None})
        self._progress(Stage.CATALOGUE, 0, total)
        added = (0, 0, 0)
        if invoices:
            await self._add(tables.sellers, SELLER, [seller_row()])
            await self._add(tables.seller_profiles, PROFILE, [seller_profile_row()])
            added = (
                await self._add(tables.categories, CATEGORY, category_rows()),
                await self._add(
                    tables.products, PRODUCT, [product_row(contents.products[code]) for code in sorted(sold)]
                ),
                await self._add(
                    tables.users,
                    USER,
                    [user_row(*first) for first in contents.first_orders.items() if first[0] in buyers],
                ),
            )
        self._progress(Stage.CATALOGUE, total, total)
        return added

    async def _add(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """Insert the rows whose id (their first column) is not there. Raises KeyTaken when another row is in the way."""
        ids = [row[0] for row in rows]
        there: set[UUID] = {
            row[0] for row in await self._bulk.fetch(f"SELECT id FROM {table.fullname} WHERE id = ANY($1)", ids)
        }
        new = [row for row in rows if row[0] not in there]
        added = await self._bulk.insert(table, columns, new) if new else 0
        if added < len(new):
            raise KeyTaken(
                f"{len(new) - added} of the shop's {table.name} cannot be added: "
                "others have the same slug, SKU or mail address"
            )
        return added

    async def _orders(self, contents: Contents, invoices: Sequence[Invoice]) -> int:
        self._progress(Stage.ORDERS, 0, len(invoices))
        if invoices:
            await self._bulk.insert(tables.orders, ORDER, map(order_row, invoices))
            await self._bulk.insert(tables.order_payments, PAYMENT, map(payment_row, invoices))
            await self._bulk.insert(tables.order_status_histories, HISTORY, map(history_row, invoices))
        self._progress(Stage.ORDERS, len(invoices), len(invoices))

        done, total = 0, sum(len(invoice.lines) for invoice in invoices)
        self._progress(Stage.LINES, done, total)
        for some in _slices(invoices):
            rows = (row for invoice in some for row in line_rows(invoice, contents.products))
            done += await self._bulk.insert(tables.order_items, LINE, rows)
            self._progress(Stage.LINES, done, total)
        return done


def _slices(invoices: Sequence[Invoice]) -> Iterator[Sequence[Invoice]]:
    for start in range(0, len(invoices), INVOICES_AT_ONCE):
        yield invoices[start : start + INVOICES_AT_ONCE]
