"""Which events changes of the catalogue write: once a product and transaction, and never more than a few."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop


@pytest.fixture
async def shelf(shop: Shop, worker: Any) -> Shelf:
    shelf = Shelf(shop, await shop.seller(), await shop.category())
    await worker.execute("DELETE FROM events.outbox")
    return shelf


async def written(worker: Any) -> Sequence[tuple[str, UUID]]:
    rows = await worker.fetch("SELECT type, aggregate_id FROM events.outbox ORDER BY id")
    return [(row["type"], row["aggregate_id"]) for row in rows]


async def test_a_transaction_tells_once_of_each_product(shelf: Shelf, worker: Any) -> None:
    async with worker.transaction():
        one, other = await shelf.product(), await shelf.product()
        for price in (900, 800, 700):
            await shelf.change("products", one, base_price=price)
    assert await written(worker) == [("ProductChanged", one), ("ProductChanged", other)]
    await shelf.change("products", one, base_price=600)
    assert (await written(worker))[2:] == [("ProductChanged", one)]


async def test_its_variations_and_images_and_its_end_are_changes_too(shelf: Shelf, shop: Shop, worker: Any) -> None:
    product = await shelf.product()
    variation = await shop.variation(product)
    image = await shop.image(product)
    await shelf.change("product_variations", variation, stock_quantity=3)
    await shelf.delete("product_images", image)
    await shelf.delete("product_variations", variation)
    await shelf.delete("products", product)
    assert await written(worker) == [("ProductChanged", product)] * 7


async def test_pages_that_a_product_left_are_told_too(shelf: Shelf, shop: Shop, worker: Any) -> None:
    product, elsewhere = await shelf.product(), await shop.category()
    await worker.execute("DELETE FROM events.outbox")
    async with worker.transaction():
        await shelf.change("products", product, base_price=900)
        await shelf.change("products", product, category_id=elsewhere)
        await shelf.change("products", product, base_price=800)
    rows = await worker.fetch("SELECT payload ->> 'categoryId' AS category FROM events.outbox")
    assert {UUID(row["category"]) for row in rows} == {shelf.category, elsewhere}
    await shelf.change("products", product, base_price=700)
    assert (await written(worker))[2:] == [("ProductChanged", product)], "it is where it was"


async def test_what_is_rolled_back_is_not_told(shelf: Shelf, worker: Any) -> None:
    transaction = worker.transaction()
    await transaction.start()
    await shelf.product()
    await transaction.rollback()
    assert await written(worker) == []


@pytest.mark.parametrize("statements", [1, 150])
async def test_many_products_are_told_of_as_one_change(shelf: Shelf, worker: Any, statements: int) -> None:
    async with worker.transaction():
        if statements == 1:
            await worker.execute(
                "INSERT INTO catalog.products (seller_id, category_id, sku, slug, name, base_price, stock_quantity, status)"
                " SELECT $1, $2, 's' || n, 's' || n || uuidv7(), 'x', 1, 1, 'draft' FROM generate_series(1, 150) n",
                shelf.seller,
                shelf.category,
            )
        else:
            for _ in range(statements):
                await shelf.product()
        kinds = [kind for kind, _ in await written(worker)]
    assert kinds.count("CatalogChanged") == 1
    assert len(kinds) <= 101
