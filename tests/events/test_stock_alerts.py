"""A seller is told that something runs low: once for each time that it falls, whatever comes twice or at once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.catalog_low_stock import PostgresLowStock
from composition.pipeline import EventTools
from domain.catalog.stock_alerts import STOCK_LOW
from domain.shared.clock import SystemClock
from domain.shared.events import EventId
from domain.shared.ids import ProductId
from tests.events.conftest import at_work, until
from tests.events.places import put_in
from tests.postgres.shop import Shop


@pytest.fixture
async def product(shop: Shop, worker: Any) -> UUID:
    await worker.execute("DELETE FROM catalog.low_stock")
    product = await shop.product(await shop.seller(), await shop.category(), stock_quantity=10)
    await worker.execute("DELETE FROM events.outbox")
    return product


async def alerts(worker: Any) -> list[Any]:
    rows: list[Any] = await worker.fetch("SELECT * FROM events.outbox WHERE type = $1 ORDER BY sequence", STOCK_LOW)
    return rows


async def look(tools: EventTools, worker: Any, product: UUID) -> bool:
    event = EventId(await put_in(worker, "ProductChanged"))
    return await PostgresLowStock(tools.database).look_at(event, ProductId(product), SystemClock().now())


async def stock(worker: Any, product: UUID, **columns: int) -> None:
    sets = ", ".join(f"{name} = {value}" for name, value in columns.items())
    await worker.execute(f"UPDATE catalog.products SET {sets} WHERE id = $1", product)


async def test_each_fall_is_told_once(tools: EventTools, worker: Any, product: UUID) -> None:
    assert not await look(tools, worker, product)
    found = []
    for columns in ({"stock_quantity": 5}, {"stock_quantity": 4}, {"stock_quantity": 20}, {"reserved_quantity": 17}):
        await stock(worker, product, **columns)
        found.append(await look(tools, worker, product))
    assert found == [True, False, False, True]  # what is set aside cannot be sold
    first, second = await alerts(worker)
    seller = await worker.fetchval("SELECT seller_id FROM catalog.products WHERE id = $1", product)
    assert first["stream"] == second["stream"] == f"seller/{seller}"
    assert second["sequence"] == first["sequence"] + 1


async def test_the_same_event_twice_and_many_at_once_tell_it_once(
    tools: EventTools, worker: Any, product: UUID
) -> None:
    await stock(worker, product, stock_quantity=2)
    low = PostgresLowStock(tools.database)
    events = [EventId(await put_in(worker, "ProductChanged")) for _ in range(4)]
    now = SystemClock().now()
    told = await asyncio.gather(*(low.look_at(each, ProductId(product), now) for each in [*events, *events]))
    assert sum(told) == 1
    assert len(await alerts(worker)) == 1


@pytest.mark.parametrize("status", ["draft", "discontinued"])
async def test_what_is_not_on_sale_runs_not_low(tools: EventTools, worker: Any, product: UUID, status: str) -> None:
    await worker.execute("UPDATE catalog.products SET stock_quantity = 0, status = $2 WHERE id = $1", product, status)
    assert not await look(tools, worker, product)


async def test_an_import_tells_nobody_and_is_known_afterwards(tools: EventTools, worker: Any, product: UUID) -> None:
    await stock(worker, product, stock_quantity=1)
    event = EventId(await put_in(worker, "CatalogChanged"))
    await PostgresLowStock(tools.database).look_at_all(event, SystemClock().now())
    assert not await look(tools, worker, product)
    await stock(worker, product, stock_quantity=50)
    event = EventId(await put_in(worker, "CatalogChanged"))
    await PostgresLowStock(tools.database).look_at_all(event, SystemClock().now())
    await stock(worker, product, stock_quantity=1)
    assert await look(tools, worker, product)


async def test_from_the_change_to_the_alert(tools: EventTools, worker: Any, product: UUID) -> None:
    async with at_work(tools):
        await stock(worker, product, stock_quantity=3)

        async def is_told() -> bool:
            return len(await alerts(worker)) == 1

        await until(is_told)
