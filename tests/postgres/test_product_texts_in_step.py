"""Texts of products when what they are made of changes in two transactions at once, and the check of those that are stale all the same."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.catalog_texts import PostgresTexts
from adapters.postgres.database import Database
from domain.search.texts import check_texts
from settings import Settings
from tests.postgres.shelf import Shelf, until_somebody_waits_for
from tests.postgres.shop import connect


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Any]:
    """A second connection as the worker role."""
    connection = await connect(settings.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


async def labels(shelf: Shelf, product: UUID) -> set[str]:
    text = await shelf.shop.connection.fetchval(
        "SELECT labels FROM catalog.product_texts WHERE product_id = $1", product
    )
    return set(text.split())


class Shown:
    """A product with a brand and a category below another, and the names that changes give these."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def make(self) -> None:
        shop = self.shelf.shop
        self.above = await shop.category(name="台所")
        self.below = await shop.category(name="急須", parent_id=self.above)
        self.elsewhere = await shop.category(name="庭")
        self.brand, self.other_brand = await shop.brand(name="藍窯"), await shop.brand(name="白窯")
        self.product = await shop.product(self.shelf.seller, self.below, name="丸い", brand_id=self.brand, sku="K-1")
        self.hidden = await shop.product(
            self.shelf.seller, self.elsewhere, name="角い", brand_id=self.other_brand, sku="K-2", status="draft"
        )

    def statement(self, what: str) -> tuple[str, Any, Any]:
        """A change, as SQL with two values."""
        changes = {
            "the brand is renamed": ("UPDATE catalog.brands SET name = $1 WHERE id = $2", "新窯", self.brand),
            "the category is renamed": ("UPDATE catalog.categories SET name = $1 WHERE id = $2", "土瓶", self.below),
            "what is above is renamed": ("UPDATE catalog.categories SET name = $1 WHERE id = $2", "居間", self.above),
            "the new place is renamed": (
                "UPDATE catalog.categories SET name = $1 WHERE id = $2",
                "縁側",
                self.elsewhere,
            ),
            "the new brand is renamed": ("UPDATE catalog.brands SET name = $1 WHERE id = $2", "黒窯", self.other_brand),
            "the category moves": (
                "UPDATE catalog.categories SET parent_id = $1 WHERE id = $2",
                self.elsewhere,
                self.below,
            ),
            "the product moves": (
                "UPDATE catalog.products SET category_id = $1 WHERE id = $2",
                self.elsewhere,
                self.product,
            ),
            "the product changes its brand": (
                "UPDATE catalog.products SET brand_id = $1 WHERE id = $2",
                self.other_brand,
                self.product,
            ),
            "the hidden one is shown": (
                "UPDATE catalog.products SET status = $1 WHERE id = $2",
                "active",
                self.hidden,
            ),
        }
        return changes[what]


@pytest.fixture
async def shown(shelf: Shelf) -> Shown:
    shown = Shown(shelf)
    await shown.make()
    return shown


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the brand is renamed", "the category is renamed"),
        ("the category is renamed", "what is above is renamed"),
        ("what is above is renamed", "the category is renamed"),
        ("the category moves", "the new place is renamed"),
        ("the new place is renamed", "the category moves"),
        ("the product moves", "the new place is renamed"),
        ("the new place is renamed", "the product moves"),
        ("the product changes its brand", "the brand is renamed"),
        ("the product changes its brand", "the new brand is renamed"),
        ("the new brand is renamed", "the product changes its brand"),
        ("the brand is renamed", "the product moves"),
        ("the hidden one is shown", "the new place is renamed"),
        ("the new brand is renamed", "the hidden one is shown"),
    ],
)
async def test_of_two_changes_that_cross_none_is_lost(
    shown: Shown, worker: Any, other: Any, first: str, second: str
) -> None:
    async with worker.transaction():
        await worker.execute(*shown.statement(first))
        crossing = asyncio.create_task(other.execute(*shown.statement(second)))
        await until_somebody_waits_for(worker)
    await asyncio.wait_for(crossing, 30)
    for product in (shown.product, shown.hidden):
        assert await differing_among(worker, product) == 0


async def differing_among(worker: Any, product: UUID) -> int:
    """Whether the text of this product is another than it should be."""
    before = UUID(int=product.int - 1)
    return int(await worker.fetchval("SELECT differing FROM catalog.check_texts($1, 1, false)", before))


async def test_both_new_names_of_two_renamings_are_found(shown: Shown, worker: Any, other: Any) -> None:
    async with worker.transaction():
        await worker.execute(*shown.statement("the brand is renamed"))
        crossing = asyncio.create_task(other.execute(*shown.statement("the category is renamed")))
        await until_somebody_waits_for(worker)
    await asyncio.wait_for(crossing, 30)
    assert await labels(shown.shelf, shown.product) == {"k1", "新窯", "土瓶", "台所"}


async def test_renaming_goes_on_beside_a_sale(shown: Shown, worker: Any, other: Any) -> None:
    async with worker.transaction():
        await worker.execute(
            "UPDATE catalog.products SET stock_quantity = stock_quantity - 1 WHERE id = $1", shown.product
        )
        async with asyncio.timeout(30):
            await other.execute(*shown.statement("the brand is renamed"))
    assert "新窯" in await labels(shown.shelf, shown.product)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=1, timeout_ms=30_000)
    yield database
    await database.close()


async def test_what_is_stale_missing_or_left_over_is_found_and_written_anew(
    shelf: Shelf, database: Database, worker: Any
) -> None:
    texts = PostgresTexts(database)
    await check_texts(texts, repair=True)  # what other tests left
    stale, missing, left_over = [await shelf.product(name="丸い") for _ in range(3)]
    await worker.execute("UPDATE catalog.product_texts SET labels = 'old' WHERE product_id = $1", stale)
    await worker.execute("DELETE FROM catalog.product_texts WHERE product_id = $1", missing)
    await shelf.change("products", left_over, status="draft")
    await worker.execute(
        "INSERT INTO catalog.product_texts (product_id, name, labels, grams) VALUES ($1, 'old', '', '{}')", left_over
    )
    assert [await differing_among(worker, each) for each in (stale, missing, left_over)] == [1, 1, 1]

    report = await check_texts(texts, repair=False, page=100)
    assert (report.differing >= 3, report.repaired, report.is_in_step) == (True, 0, False)
    report = await check_texts(texts, repair=True, page=100)
    assert (report.repaired >= 3, report.is_in_step) == (True, True)
    assert [await differing_among(worker, each) for each in (stale, missing, left_over)] == [0, 0, 0]
    rows = await worker.fetch(
        "SELECT product_id, grams <> '{}' AS found FROM catalog.product_texts WHERE product_id = ANY ($1)",
        [stale, missing, left_over],
    )
    assert {row["product_id"]: row["found"] for row in rows} == {stale: True, missing: True}
