from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from adapters.postgres.migrate import upgrade_async
from infra.demo.accounts import BUYER, DEMO_USERS, SELLER
from infra.demo.load import Summary, link_accounts, load
from tests.own_postgres import own_postgres

PRODUCTS = 300
TABLES_WITH_CHANGES = (
    "accounts.users", "accounts.user_profiles", "accounts.addresses", "sellers.sellers", "sellers.seller_profiles",
    "catalog.categories", "catalog.brands", "catalog.products", "catalog.product_variations", "orders.orders",
    "orders.order_items", "orders.order_payments", "reviews.reviews", "reviews.seller_reviews",
)  # fmt: skip
TABLES_THAT_GROW = ("sellers.members", "catalog.product_images", "accounts.favorites", "orders.order_status_histories")


@dataclass(frozen=True, slots=True)
class Demo:
    """A database with the demo marketplace in it, and what loading it said."""

    worker_url: str
    connection: Any
    summary: Summary
    told: list[tuple[str, int, int]]

    async def state(self) -> dict[str, Any]:
        changed = {
            table: tuple(await self.connection.fetchrow(f"SELECT count(*), max(updated_at) FROM {table}"))
            for table in TABLES_WITH_CHANGES
        }
        grown = {table: await self.connection.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES_THAT_GROW}
        return (
            changed | grown | {"versions": await self.connection.fetchval("SELECT sum(version) FROM catalog.products")}
        )


@pytest.fixture(scope="module")
async def demo() -> AsyncIterator[Demo]:
    """On a server of its own: what the marketplace holds would be in the way of tests that count."""
    async with own_postgres() as postgres:
        await postgres.bootstrap()
        await upgrade_async(postgres.url("torii_owner"))
        told: list[tuple[str, int, int]] = []
        url = postgres.url("torii_worker")
        summary = await load(url, PRODUCTS, lambda *step: told.append(step), subjects={BUYER: "sub-of-buyer"})
        connection = await asyncpg.connect(url)
        yield Demo(url, connection, summary, told)
        await connection.close()


async def test_every_row_is_written_and_progress_ends_at_the_total(demo: Demo) -> None:
    assert demo.summary.new == demo.summary.rows
    assert demo.summary.rows["products"] == PRODUCTS
    last = {stage: (done, total) for stage, done, total in demo.told}
    assert last == {stage: (count, count) for stage, count in demo.summary.rows.items()}


async def test_loading_twice_changes_nothing(demo: Demo) -> None:
    before = await demo.state()
    again = await load(demo.worker_url, PRODUCTS, subjects={BUYER: "sub-of-buyer"})
    assert set(again.new.values()) == {0}
    assert await demo.state() == before


async def test_what_has_no_stock_is_out_of_stock(demo: Demo) -> None:
    wrong = "SELECT count(*) FROM catalog.products WHERE (status = 'out_of_stock') <> (stock_quantity = 0)"
    assert await demo.connection.fetchval(f"{wrong} AND status IN ('active', 'out_of_stock')") == 0
    assert await demo.connection.fetchval("SELECT count(*) FROM catalog.products WHERE status = 'out_of_stock'") > 0


async def test_ratings_of_products_are_what_their_reviews_add_up_to(demo: Demo) -> None:
    ratings = await demo.connection.fetch("SELECT product_id, rating_count, rating_total FROM reviews.product_ratings")
    reviews = await demo.connection.fetch("SELECT product_id, count(*), sum(rating) FROM reviews.reviews GROUP BY 1")
    assert {tuple(row) for row in ratings} == {tuple(row) for row in reviews}


async def test_no_order_is_left_in_the_default_partition(demo: Demo) -> None:
    assert await demo.connection.fetchval("SELECT count(*) FROM orders.orders") == PRODUCTS * 7 // 10
    partitions = "SELECT DISTINCT tableoid::regclass::text FROM orders.orders"
    assert "orders.orders_default" not in {name for (name,) in await demo.connection.fetch(partitions)}


async def test_the_demo_seller_works_for_a_seller_with_plenty_of_products(demo: Demo) -> None:
    count = """
        SELECT count(*) FROM catalog.products p JOIN sellers.members m USING (seller_id) WHERE m.user_id = $1
    """
    assert await demo.connection.fetchval(count, DEMO_USERS[SELLER]) > PRODUCTS // 25


async def test_accounts_get_their_subjects_once(demo: Demo) -> None:
    subject = "SELECT cognito_sub, updated_at FROM accounts.users WHERE id = $1"
    found = await demo.connection.fetchrow(subject, DEMO_USERS[BUYER])
    assert found["cognito_sub"] == "sub-of-buyer"
    await link_accounts(demo.worker_url, {BUYER: "sub-of-buyer"})
    assert await demo.connection.fetchrow(subject, DEMO_USERS[BUYER]) == found


async def test_a_bigger_marketplace_can_be_loaded_over_a_smaller_one(demo: Demo) -> None:
    await load(demo.worker_url, PRODUCTS + 60)
    assert await demo.connection.fetchval("SELECT count(*) FROM catalog.products") == PRODUCTS + 60
