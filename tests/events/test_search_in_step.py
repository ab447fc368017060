"""From a change in the shop to what is found: each road that a product's listing changes by, and workers that are many or die."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from composition.pipeline import EventTools
from composition.search_index import open_index
from composition.search_upkeep import open_upkeep
from domain.search.following import SearchFollower, SearchSweep
from domain.search.request import SearchRequest
from domain.search.service import Search
from domain.search.upkeep import IndexUpkeep
from domain.shared.ids import ProductId
from domain.shared.paging import PageRequest
from tests.events.conftest import at_work, until, with_settings
from tests.events.places import put_in, queues
from tests.postgres.shop import Shop
from tests.servers import memory_folder

WORD = "虹彩硝子"
"""A word that no other product of the corner has."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


@pytest.fixture
def tools(tools: EventTools, folder: Path) -> EventTools:
    """With an index of the test's own."""
    return with_settings(tools, data_dir=folder)


@pytest.fixture
async def upkeep(tools: EventTools) -> AsyncIterator[IndexUpkeep]:
    async with open_upkeep(tools.settings, tools.database) as upkeep:
        yield upkeep


@pytest.fixture
async def search(tools: EventTools) -> AsyncIterator[Search]:
    async with open_index(tools.settings) as index:
        yield Search(index)


@pytest.fixture
async def product(shop: Shop, worker: Any, upkeep: IndexUpkeep) -> ProductId:
    """In the index already, and no event of it is left."""
    product = await shop.product(
        await shop.seller(), await shop.category(), name=f"{WORD} 花器", brand_id=await shop.brand()
    )
    await upkeep.reindex(lambda _: None)
    await worker.execute("DELETE FROM events.outbox")
    return ProductId(product)


async def finds(search: Search, text: str = WORD) -> list[ProductId]:
    page = await search.search(SearchRequest.of(text), PageRequest(100))
    return [hit.product_id for hit in page.nodes]


async def of(worker: Any, product: UUID, column: str) -> UUID:
    key: UUID = await worker.fetchval(f"SELECT {column} FROM catalog.products WHERE id = $1", product)
    return key


async def test_each_change_of_a_listing_comes_to_the_index(
    tools: EventTools, worker: Any, shop: Shop, product: ProductId, search: Search
) -> None:
    seller, brand, category = [await of(worker, product, f"{each}_id") for each in ("seller", "brand", "category")]
    steps = [
        ("UPDATE catalog.products SET name = '翡翠玉髄 花器' WHERE id = $1", product, "翡翠玉髄", True),
        ("UPDATE catalog.products SET stock_quantity = 0 WHERE id = $1", product, "翡翠玉髄", False),
        ("UPDATE catalog.products SET stock_quantity = 5 WHERE id = $1", product, "翡翠玉髄", True),
        ("UPDATE sellers.sellers SET status = 'suspended' WHERE id = $1", seller, "翡翠玉髄", False),
        ("UPDATE sellers.sellers SET status = 'active' WHERE id = $1", seller, "翡翠玉髄", True),
        ("UPDATE catalog.brands SET name = '瑠璃孔雀' WHERE id = $1", brand, "瑠璃孔雀", True),
        ("UPDATE catalog.categories SET name = '琥珀金剛' WHERE id = $1", category, "琥珀金剛", True),
        ("UPDATE catalog.products SET status = 'draft' WHERE id = $1", product, "翡翠玉髄", False),
        ("UPDATE catalog.products SET status = 'active' WHERE id = $1", product, "翡翠玉髄", True),
        ("DELETE FROM catalog.products WHERE id = $1", product, "翡翠玉髄", False),
    ]
    async with at_work(tools):
        for statement, key, text, is_found in steps:
            await worker.execute(statement, key)

            async def is_so(text: str = text, is_found: bool = is_found) -> bool:
                return (await finds(search, text) == [product]) == is_found

            await until(is_so, within_s=60)


async def test_a_hundred_products_at_once_come_by_one_event(
    tools: EventTools, worker: Any, shop: Shop, product: ProductId, search: Search
) -> None:
    seller, category = await of(worker, product, "seller_id"), await of(worker, product, "category_id")
    async with worker.transaction():
        for _ in range(101):
            await shop.product(seller, category, name=f"{WORD} 小皿")
        await worker.execute("DELETE FROM catalog.products WHERE id = $1", product)

    async def are_there() -> bool:
        found = await finds(search)
        return len(found) == 100 and product not in found  # one page

    async with at_work(tools):
        await until(are_there, within_s=60)


async def test_of_two_workers_one_follows_and_the_other_when_that_one_ends(
    tools: EventTools, worker: Any, product: ProductId, search: Search
) -> None:
    async def is_found(text: str) -> bool:
        return await finds(search, text) == [product]

    async with at_work(tools):
        async with at_work(tools):
            await worker.execute("UPDATE catalog.products SET name = '翡翠玉髄' WHERE id = $1", product)
            await until(lambda: is_found("翡翠玉髄"), within_s=60)
        await worker.execute("UPDATE catalog.products SET name = '瑠璃孔雀' WHERE id = $1", product)
        await until(lambda: is_found("瑠璃孔雀"), within_s=60)


async def test_events_that_fail_together_are_done_one_by_one(
    tools: EventTools, worker: Any, product: ProductId, search: Search
) -> None:
    await worker.execute("UPDATE catalog.products SET name = '翡翠玉髄' WHERE id = $1", product)
    wrong = await put_in(worker, "ProductChanged")  # names no product

    async def is_settled() -> bool:
        failed = await worker.fetchval(
            "SELECT count(*) FROM events.deliveries WHERE consumer = $1 AND event_id = $2 AND failed_at IS NOT NULL",
            SearchFollower.name,
            wrong,
        )
        return failed == 1 and await finds(search, "翡翠玉髄") == [product]

    async with at_work(tools):
        await until(is_settled, within_s=60)


async def test_messages_of_a_worker_that_was_killed_at_them_come_again(
    tools: EventTools, worker: Any, product: ProductId, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.aws.queues.VISIBLE_AGAIN_S", 1)
    await worker.execute("UPDATE catalog.products SET name = '月長柘榴' WHERE id = $1", product)
    queue = queues(tools, SearchFollower.name)[0]
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(SearchFollower, "consume_all", never)
        async with at_work(tools, grace_s=0):  # it has the message, and is ended at it
            await asyncio.wait_for(begun.wait(), 60)
    assert await finds(search, "月長柘榴") == []
    assert await queue.waiting() >= 1

    async def is_found() -> bool:
        return await finds(search, "月長柘榴") == [product]

    async with at_work(tools):
        await until(is_found, within_s=60)


async def test_a_product_that_is_rated_is_ranked_by_it(
    tools: EventTools, worker: Any, shop: Shop, product: ProductId, upkeep: IndexUpkeep
) -> None:
    user = await shop.user()
    order = await shop.order(user)
    item = await shop.item(order, product, await of(worker, product, "seller_id"))
    await shop.insert(
        "reviews.reviews",
        {"user_id": user, "product_id": product, "order_item_id": item, "rating": 5, "comment": "良い"},
    )
    kinds = {
        row["type"] for row in await worker.fetch("SELECT type FROM events.outbox WHERE aggregate_id = $1", product)
    }
    assert "ProductRated" in kinds

    async def is_settled() -> bool:
        return (await upkeep.verify(False, _at_once, lambda _: None)).differing == 0

    assert not await is_settled()
    async with at_work(tools):
        await until(is_settled, within_s=60)


async def _at_once(_: float) -> None:
    """Nothing is waited for."""


def test_single_changes_do_not_wait_behind_sweeps() -> None:
    assert not SearchFollower.types & SearchSweep.types
