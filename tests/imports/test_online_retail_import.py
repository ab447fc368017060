import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.parquet.online_retail import OnlineRetailFile
from adapters.postgres.online_retail import OnlineRetailShop
from domain.imports.ports import KeyTaken, Stage
from domain.imports.rows import Dropped
from domain.imports.service import OnlineRetailImport
from domain.shared.refusals import Unavailable
from tests.imports.books import FORGET, Books, totals_of_the_file
from tests.imports.invoice_rows import SAMPLE, file_of, row, sample_table, table_of


async def test_every_row_is_loaded_or_counted_under_one_reason(books: Books) -> None:
    summary = await books.take_in()
    assert summary.rows == sample_table().num_rows == 3328
    assert summary.added.lines == await books.connection.fetchval("SELECT count(*) FROM orders.order_items") == 3198
    assert summary.dropped == {
        Dropped.ADJUSTMENT: 3,
        Dropped.NOT_A_PRODUCT: 67,
        Dropped.NOT_A_PRODUCT_BACK: 6,
        Dropped.NO_QUANTITY: 8,
        Dropped.NO_PRICE: 8,
    }


async def test_totals_per_customer_are_those_of_the_file(books: Books) -> None:
    await books.take_in()
    assert await books.totals() == totals_of_the_file()


async def test_order_is_delivered_and_dated_as_its_invoice(books: Books) -> None:
    await books.take_in()
    order = await books.connection.fetchrow(
        """SELECT o.*, (SELECT string_agg(h.status, ',') FROM orders.order_status_histories h WHERE h.order_id = o.id) AS history
           FROM orders.orders o WHERE order_number = 'OR-514217'"""
    )
    # 08:39 on a British clock
    assert order["ordered_at"].isoformat() == "2010-07-01T07:39:00+00:00"
    assert (order["status"], order["history"], order["currency"]) == ("delivered", "delivered", "GBP")


async def test_no_order_is_left_in_the_default_partition(books: Books) -> None:
    await books.take_in()
    places = await books.connection.fetch("SELECT DISTINCT tableoid::regclass::text AS partition FROM orders.orders")
    assert "orders.orders_default" not in {place["partition"] for place in places}


async def test_products_are_for_sale(books: Books) -> None:
    await books.take_in()
    product = await books.connection.fetchrow("SELECT * FROM catalog.products WHERE sku = '85123a'")
    assert (product["status"], product["stock_quantity"], product["currency"]) == ("active", 100, "GBP")
    assert product["slug"] == "white-hanging-heart-t-light-holder-85123a"
    assert product["base_price"] == 255


async def test_second_run_changes_nothing_and_says_so(books: Books) -> None:
    first = await books.take_in()
    before = await books.everything()
    second = await books.take_in()
    assert await books.everything() == before
    assert second.changed_nothing
    assert not first.changed_nothing
    assert (second.added.lines, second.added.lines_there) == (0, first.added.lines)


async def test_overlapping_files_add_up_to_the_whole(books: Books, months: Callable[[str, str], Path]) -> None:
    await books.take_in(months("2009-12-01", "2010-09-01"))
    products = await books.connection.fetch("SELECT * FROM catalog.products ORDER BY id")
    second = await books.take_in(months("2010-07-01", "2011-01-01"))
    assert second.added.lines_there > 0 < second.added.lines
    assert await books.totals() == totals_of_the_file()
    ids = [product["id"] for product in products]
    still = await books.connection.fetch("SELECT * FROM catalog.products WHERE id = ANY($1) ORDER BY id", ids)
    assert still == products
    assert (await books.take_in()).changed_nothing


async def test_keys_do_not_depend_on_the_file_that_an_invoice_came_in(
    books: Books, months: Callable[[str, str], Path]
) -> None:
    await books.take_in(months("2010-07-01", "2011-01-01"))
    later = await books.keys()
    await books.connection.execute(FORGET)
    await books.take_in()
    assert later < await books.keys()


async def test_invoice_that_differs_from_its_order_is_counted_and_leaves_it_alone(books: Books, tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    file_of(table_of([row()]), path)
    await books.take_in(path)
    before = await books.everything()
    file_of(table_of([row(), row(quantity=1)]), path)
    summary = await books.take_in(path)
    assert summary.dropped == {Dropped.DIFFERENT_INVOICE: 2}
    assert await books.everything() == before


async def test_two_imports_at_once_load_it_once(books: Books) -> None:
    one, other = await asyncio.gather(books.take_in(), books.take_in())
    assert {one.changed_nothing, other.changed_nothing} == {True, False}
    assert await books.totals() == totals_of_the_file()


async def test_crash_half_way_leaves_nothing(books: Books) -> None:
    before = await books.everything()

    def crash(stage: Stage, done: int, total: int) -> None:
        if stage is Stage.LINES and done:
            raise KeyboardInterrupt

    shop = OnlineRetailImport(OnlineRetailShop(books.url))
    with pytest.raises(KeyboardInterrupt):
        await shop.run(OnlineRetailFile(SAMPLE), crash)
    assert await books.everything() == before


@pytest.mark.parametrize("written", [str, str.capitalize])
async def test_address_that_somebody_else_has_is_refused_and_nothing_is_loaded(
    books: Books, written: Callable[[str], str]
) -> None:
    address = written(min(filter(None, totals_of_the_file())))
    await books.connection.execute("INSERT INTO accounts.users (email) VALUES ($1)", address)
    before = await books.everything()
    with pytest.raises(KeyTaken, match="1 of the shop's users"):
        await books.take_in()
    assert await books.everything() == before


async def test_file_without_sales_makes_no_shop(books: Books, tmp_path: Path) -> None:
    before = await books.everything()
    path = tmp_path / "none.parquet"
    file_of(table_of([row(invoice="C489434")]), path)
    assert (await books.take_in(path)).changed_nothing
    assert await books.everything() == before


async def test_database_that_is_away_is_unavailable() -> None:
    shop = OnlineRetailShop("postgresql://torii_worker:x@127.0.0.1:1/torii")
    with pytest.raises(Unavailable):
        await OnlineRetailImport(shop).run(OnlineRetailFile(SAMPLE))


async def test_connection_that_is_cut_half_way_is_unavailable_and_leaves_nothing(books: Books) -> None:
    before = await books.everything()
    cuts: list[asyncio.Task[Any]] = []

    def cut(stage: Stage, done: int, total: int) -> None:
        if stage is Stage.ORDERS and not cuts:
            ours = "application_name = 'torii bulk' AND datname = current_database()"
            statement = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"
            cuts.append(asyncio.create_task(books.connection.execute(statement)))

    with pytest.raises(Unavailable):
        await OnlineRetailImport(OnlineRetailShop(books.url)).run(OnlineRetailFile(SAMPLE), cut)
    await asyncio.gather(*cuts)
    assert await books.everything() == before


async def test_progress_begins_each_stage_with_none_and_ends_with_all(books: Books) -> None:
    told: defaultdict[Stage, list[tuple[int, int]]] = defaultdict(list)
    shop = OnlineRetailImport(OnlineRetailShop(books.url))
    await shop.run(OnlineRetailFile(SAMPLE), lambda stage, done, total: told[stage].append((done, total)))
    assert list(told) == list(Stage)
    for steps in told.values():
        total = steps[0][1]
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        assert (steps[0][0], steps[-1][0]) == (0, total)
