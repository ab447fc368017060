"""Cancellations taken in: what stands in the database afterwards, whatever was there before."""

import asyncio
import csv
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from pyarrow import parquet

from adapters.parquet.online_retail import OnlineRetailFile
from adapters.postgres.migrate import upgrade_async
from adapters.postgres.online_retail import OnlineRetailShop
from commands.reports import import_report, write_unmatched
from domain.imports.ports import Stage
from domain.imports.refunds import Unmatched
from domain.imports.rows import Row
from domain.imports.service import ImportSummary, OnlineRetailImport
from tests.imports.books import FORGET, Books, address_of, totals_of
from tests.imports.invoice_rows import SAMPLE, file_of, row, table_of
from tests.imports.test_online_retail_refunds import files
from tests.own_postgres import own_postgres
from tests.postgres.shelf import until_somebody_waits_for

REAL_FILE = os.environ.get("ONLINE_RETAIL_FILE", "")
SILENT = (
    "events.outbox",
    "events.deliveries",
    "notifications.mails",
    "payments.ledger_transactions",
    "catalog.products",
)

GIVE_FIVE_BACK = """
    WITH given AS (
        INSERT INTO orders.refunds (order_id, payment_id, seller_id, amount, currency, reason)
        SELECT p.order_id, p.id, i.seller_id, 5 * 695, 'GBP', 'goodwill'
        FROM orders.order_payments p JOIN orders.order_items i ON i.order_id = p.order_id RETURNING *)
    INSERT INTO orders.refund_parts (refund_id, order_item_id, quantity, amount)
    SELECT g.id, i.id, 5, g.amount FROM given g JOIN orders.order_items i ON i.order_id = g.order_id
"""

File = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> File:
    """Makes a file of rows."""

    def make(*rows: Row) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        file_of(table_of(rows), path)
        return path

    return make


def without_cancellations(path: Path, target: Path) -> Path:
    table = parquet.read_table(path)
    parquet.write_table(table.filter(pc.invert(pc.starts_with(table["Invoice"], "C"))), target)
    return target


def unmatched(summary: ImportSummary) -> dict[str | None, int]:
    """Pence by mail address."""
    found: defaultdict[str | None, int] = defaultdict(int)
    for shortfall in summary.added.back.shortfalls:
        found[address_of(shortfall.cancellation.customer)] += shortfall.amount
    return found


async def assert_adds_up(books: Books, summary: ImportSummary, path: Path) -> None:
    """Sold - refunded - reported unmatched is the file's total of each customer."""
    sold, refunded, missing = await books.totals(), await books.refunded(), unmatched(summary)
    everybody = sold.keys() | refunded.keys() | missing.keys()
    assert {who: sold.get(who, 0) - refunded.get(who, 0) - missing.get(who, 0) for who in everybody} == totals_of(
        parquet.read_table(path).to_pylist()
    )
    assert not await books.misled()


async def test_sold_less_refunded_less_unmatched_is_the_files_total_per_customer(books: Books) -> None:
    summary = await books.take_in()
    back = summary.added.back
    assert (back.lines, back.lines_there) == (24, 0)
    assert {reason: [s.reason for s in back.shortfalls].count(reason) for reason in Unmatched} == {
        Unmatched.NO_CUSTOMER: 3,
        Unmatched.NEVER_BOUGHT: 4,
        Unmatched.BOUGHT_LATER: 7,
        Unmatched.NOTHING_LEFT: 0,
        Unmatched.FEWER_BOUGHT: 0,
        Unmatched.DEARER: 0,
    }
    await assert_adds_up(books, summary, SAMPLE)


async def test_database_imported_before_is_upgraded_by_a_second_run_and_a_third_changes_nothing(
    books: Books, tmp_path: Path
) -> None:
    await books.take_in(without_cancellations(SAMPLE, tmp_path / "before.parquet"))
    second = await books.take_in()
    assert (second.added.orders, second.added.lines, second.changed_nothing) == (0, 0, False)
    await assert_adds_up(books, second, SAMPLE)
    upgraded = await books.everything()
    third = await books.take_in()
    assert third.changed_nothing
    assert third.added.back.lines_there == second.added.back.lines
    assert await books.everything() == upgraded
    await assert_adds_up(books, third, SAMPLE)


async def test_an_upgrade_comes_to_what_an_import_at_once_does(books: Books, tmp_path: Path) -> None:
    what = "SELECT r.id, r.order_id, r.amount, r.note, r.created_at, p.id, p.order_item_id, p.quantity FROM orders.refunds r"
    what += " JOIN orders.refund_parts p ON p.refund_id = r.id ORDER BY p.id"
    await books.take_in(without_cancellations(SAMPLE, tmp_path / "before.parquet"))
    await books.take_in()
    upgraded = await books.connection.fetch(what)
    await books.connection.execute(FORGET)
    await books.take_in()
    assert await books.connection.fetch(what) == upgraded != []


async def test_months_one_after_another_come_to_the_whole(books: Books, months: Callable[[str, str], Path]) -> None:
    await books.take_in(months("2009-12-01", "2010-06-01"))
    await books.take_in(months("2010-05-01", "2010-09-01"))
    await books.take_in(months("2010-09-01", "2011-01-01"))
    await assert_adds_up(books, await books.take_in(), SAMPLE)


async def test_sheet_that_comes_late_is_found_by_what_was_unmatched(books: Books, file: File) -> None:
    cancelled = row(invoice="C9", quantity=-12, invoice_date="2010-01-05 10:00:00")
    later = row(invoice="2", quantity=5, invoice_date="2010-01-02 10:00:00")
    earlier = row(invoice="1", quantity=9, invoice_date="2010-01-01 10:00:00")
    first = await books.take_in(file(later, cancelled))
    assert [s.reason for s in first.added.back.shortfalls] == [Unmatched.FEWER_BOUGHT]
    path = file(earlier, later, cancelled)
    second = await books.take_in(path)
    assert (second.added.back.lines, second.added.back.refunded_before) == (1, 5 * 695)
    assert not second.added.back.shortfalls
    await assert_adds_up(books, second, path)
    assert (await books.take_in(path)).changed_nothing


async def test_item_order_and_payment_that_went_back_whole_are_refunded_when_the_file_says_so(
    books: Books, file: File
) -> None:
    cancelled = row(invoice="C9", quantity=-12, invoice_date="2010-07-05 10:00:00")
    await books.take_in(file(row(), cancelled))
    told = await books.connection.fetchrow(
        """SELECT o.status, p.status AS payment, i.fulfillment_status AS item, h.note, h.changed_as, h.changed_by,
                  h.created_at::text AS at, r.status AS refund, r.settled_at = h.created_at AS is_then, r.amount, r.note AS why,
                  (SELECT array_agg(s.status || ' ' || s.created_at::date ORDER BY s.id)
                   FROM orders.order_status_histories s WHERE s.order_id = o.id) AS history
           FROM orders.orders o JOIN orders.order_payments p ON p.order_id = o.id
           JOIN orders.order_items i ON i.order_id = o.id JOIN orders.refunds r ON r.order_id = o.id
           JOIN orders.order_item_status_histories h ON h.order_item_id = i.id"""
    )
    assert dict(told) == {
        "status": "refunded",
        "payment": "refunded",
        "item": "refunded",
        "note": "imported: cancelled by invoice C9",
        "changed_as": "seller",
        "changed_by": None,
        "at": "2010-07-05 09:00:00+00",
        "refund": "succeeded",
        "is_then": True,
        "amount": 12 * 695,
        "why": "C9",
        "history": ["delivered 2009-12-01", "refunded 2010-07-05"],
    }


async def test_part_that_went_back_leaves_the_item_delivered(books: Books, file: File) -> None:
    await books.take_in(file(row(), row(invoice="C9", quantity=-11, invoice_date="2010-07-05 10:00:00")))
    states = await books.connection.fetchrow(
        """SELECT o.status, p.status, i.fulfillment_status, r.amount FROM orders.orders o
           JOIN orders.order_payments p ON p.order_id = o.id JOIN orders.order_items i ON i.order_id = o.id
           JOIN orders.refunds r ON r.order_id = o.id"""
    )
    assert tuple(states) == ("delivered", "succeeded", "delivered", 11 * 695)
    assert not await books.misled()


async def test_nothing_is_announced_entered_or_put_back_on_the_shelf(books: Books, tmp_path: Path) -> None:
    await books.take_in(without_cancellations(SAMPLE, tmp_path / "before.parquet"))
    before = await books.everything()
    assert (await books.take_in()).added.back.pieces
    after = await books.everything()
    assert {name: after[name] for name in SILENT} == {name: before[name] for name in SILENT}
    changed = {name.removeprefix("orders.") for name in after if after[name] != before[name]}
    assert changed == {
        "orders",
        "order_items",
        "order_payments",
        "order_status_histories",
        "order_item_status_histories",
        "refunds",
        "refund_parts",
    }


async def test_what_people_gave_back_meanwhile_is_not_given_back_again(books: Books, file: File) -> None:
    cancelled = row(invoice="C9", quantity=-12, invoice_date="2010-07-05 10:00:00")
    path = file(row(), cancelled)
    await books.take_in(file(row()))
    # who decides about an order has locked it: the import comes in between, and waits
    async with books.connection.transaction():
        await books.connection.execute("SELECT FROM orders.orders WHERE order_number = 'OR-489434' FOR NO KEY UPDATE")
        await books.connection.execute(GIVE_FIVE_BACK)
        importing = asyncio.create_task(books.take_in(path))
        await until_somebody_waits_for(books.connection)
    back = (await importing).added.back
    assert [(piece.quantity, piece.amount) for piece in back.pieces] == [(7, 7 * 695)]
    assert {s.reason: s.amount for s in back.shortfalls} == {Unmatched.FEWER_BOUGHT: 5 * 695}
    # what the other refund gave back is on its way still, and no more is left of the item
    states = (
        "SELECT i.fulfillment_status, p.status FROM orders.order_items i JOIN orders.order_payments p USING (order_id)"
    )
    assert tuple(await books.connection.fetchrow(states)) == ("refunded", "succeeded")


async def test_crash_among_the_refunds_leaves_all_as_it_was(books: Books, tmp_path: Path) -> None:
    await books.take_in(without_cancellations(SAMPLE, tmp_path / "before.parquet"))
    before = await books.everything()

    def crash(stage: Stage, done: int, total: int) -> None:
        if stage is Stage.REFUNDS and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await OnlineRetailImport(OnlineRetailShop(books.url)).run(OnlineRetailFile(SAMPLE), crash)
    assert await books.everything() == before


async def test_report_has_every_row_once_and_the_list_every_customer(books: Books) -> None:
    summary = await books.take_in()
    table = import_report(summary)
    names, counts, amounts = ([*column.cells] for column in table.columns)
    whole = counts.index(f"[bold]{summary.rows:,}")
    assert sum(int(str(count).replace(",", "")) for count in counts[:whole]) == summary.rows
    assert ("cancelled and refunded", "24") in zip(names, counts, strict=True)
    assert amounts[names.index("cancelled and refunded")] == f"{summary.added.back.refunded / 100:,.2f}"

    text = StringIO()
    write_unmatched(summary.added.back.shortfalls, text)
    text.seek(0)
    listed: Counter[str | None] = Counter()
    for line in csv.DictReader(text):
        listed[address_of(float(line["customer"]) if line["customer"] else None)] += int(line["unmatched"])
    assert listed == unmatched(summary)


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files)
async def test_any_file_adds_up_and_a_second_run_changes_nothing(books: Books, file: File, rows: list[Row]) -> None:
    await books.connection.execute(FORGET)
    if not rows:
        return
    path = file(*rows)
    await assert_adds_up(books, await books.take_in(path), path)
    before = await books.everything()
    second = await books.take_in(path)
    assert second.changed_nothing
    assert await books.everything() == before
    await assert_adds_up(books, second, path)


@pytest.mark.skipif(
    not REAL_FILE, reason="ONLINE_RETAIL_FILE names no file: the sheet of 2009-2010 is not part of this"
)
async def test_real_file_adds_up_at_once_and_as_an_upgrade(tmp_path: Path) -> None:
    path = Path(REAL_FILE)
    async with own_postgres() as postgres:
        await postgres.bootstrap()
        await upgrade_async(postgres.url("torii_owner"))
        url: Any = postgres.url("torii_worker")
        connection = await asyncpg.connect(url)
        try:
            books = Books(url, connection)
            await books.take_in(without_cancellations(path, tmp_path / "before.parquet"))
            second = await books.take_in(path)
            assert (second.added.back.lines, second.added.back.rows) == (7964, 9581)
            await assert_adds_up(books, second, path)
            upgraded = await books.everything()
            third = await books.take_in(path)
            assert third.changed_nothing
            assert await books.everything() == upgraded
            await assert_adds_up(books, third, path)
        finally:
            await connection.close()
