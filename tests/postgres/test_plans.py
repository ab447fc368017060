"""The main reads as the gateway's role, explained on thousands of rows: the policies must leave the indexes in use."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Executable, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement

from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.catalog import PostgresProducts
from adapters.postgres.database import Database, Rows, Statement
from adapters.postgres.migrate import upgrade_async
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.reading import Prepared
from adapters.postgres.reviews import PostgresReviews
from domain.catalog.model import ProductFilter, ProductRef, ProductSort, ProductStatus
from domain.shared.ids import OrderId, ProductId, SellerId, UserId
from domain.shared.paging import PageRequest
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from tests.postgres.conftest import Server
from tests.postgres.shop import connect

FILL = """
    SELECT orders.ensure_month((date '2026-01-01' + interval '1 month' * n)::date) FROM generate_series(0, 5) n;
    INSERT INTO accounts.users (email) SELECT n || '@example.com' FROM generate_series(1, 400) n;
    INSERT INTO accounts.user_profiles (user_id, display_name) SELECT id, email FROM accounts.users;
    INSERT INTO sellers.sellers (company_name, email, status) SELECT n, n, 'active' FROM generate_series(1, 40) n;
    INSERT INTO sellers.members (seller_id, user_id)
        SELECT s.id, u.id FROM sellers.sellers s JOIN accounts.users u ON u.email = s.email || '@example.com';
    INSERT INTO catalog.categories (name, slug) SELECT n, n FROM generate_series(1, 20) n;
    INSERT INTO catalog.products
            (seller_id, category_id, sku, slug, name, base_price, stock_quantity, status, published_at)
        SELECT s.id, c.id, n, n, n * 7919 % 4000, n % 500, 1, CASE n % 10 WHEN 0 THEN 'draft' ELSE 'active' END,
            now() - n * interval '1 minute'
        FROM generate_series(1, 4000) n
        JOIN sellers.sellers s ON s.company_name::int = n % 40 + 1 JOIN catalog.categories c ON c.name::int = n % 20 + 1;
    INSERT INTO catalog.product_images (product_id, image_url) SELECT id, '/' FROM catalog.products, generate_series(1, 3);
    INSERT INTO catalog.product_variations (product_id, sku, name, stock_quantity)
        SELECT id, sku || n, n, 1 FROM catalog.products, generate_series(1, 2) n;
    INSERT INTO orders.orders (id, order_number, user_id, subtotal, total_amount)
        SELECT uuidv7(day - now()), n, u.id, 1, 1 FROM generate_series(1, 6000) n
        JOIN accounts.users u ON u.email = n % 400 + 1 || '@example.com',
        LATERAL (SELECT timestamptz '2026-01-01' + n % 180 * interval '1 day' AS day);
    INSERT INTO orders.order_items (order_id, product_id, seller_id, product_name, quantity, unit_price, total_price)
        SELECT o.id, p.id, p.seller_id, p.name, 1, 1, 1 FROM orders.orders o, generate_series(1, 2) n
        JOIN catalog.products p ON true WHERE p.sku::int = o.order_number::int % 3000 + n;
    INSERT INTO orders.order_payments (order_id, amount) SELECT id, 1 FROM orders.orders;
    INSERT INTO orders.order_status_histories (order_id, status) SELECT id, 'pending' FROM orders.orders;
    INSERT INTO reviews.reviews (user_id, product_id, rating)
        SELECT u.id, p.id, 5 FROM catalog.products p JOIN accounts.users u ON u.email::text < '102@example.com';
"""
WHOLE_TABLES = {"orders_default"}
"""Holds next to nothing, so that reading it whole is right."""


class Explain(Executable, ClauseElement):
    """EXPLAIN of a statement, with its parameters."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explain)
def _explain(element: Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.statement, **options))


@dataclass(slots=True)
class Plan:
    """Which tables a statement reads whole, and which indexes it uses."""

    whole: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)

    def read(self, node: dict[str, Any]) -> None:
        if node["Node Type"] == "Seq Scan":
            self.whole.add(node["Relation Name"])
        if "Index Name" in node:
            self.indexes.add(node["Index Name"])
        for child in node.get("Plans", ()):
            self.read(child)


class Explained(Database):
    """Explains each statement instead of running it, and finds nothing."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=1)
        self.plan = Plan()

    async def public(self, statement: Statement, parameters: dict[str, Any] | None = None) -> Rows:
        self._note(await super().public(Explain(_plain(statement)), parameters))
        return []

    async def fresh(self, statement: Statement, parameters: dict[str, Any] | None = None) -> Rows:
        return await self.public(statement, parameters)

    async def seen_by(self, viewer: Viewer, statement: Statement, parameters: dict[str, Any] | None = None) -> Rows:
        async with self.transaction(viewer) as connection:
            self._note((await connection.execute(Explain(_plain(statement)), parameters)).all())
        return []

    def _note(self, rows: Rows) -> None:
        found = rows[0][0]
        self.plan.read((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])


def _plain(statement: Statement) -> Executable:
    return statement.statement if isinstance(statement, Prepared) else statement


@dataclass(frozen=True, slots=True)
class Filled:
    """A database of thousands of rows, and some of their keys."""

    url: str
    products: Sequence[ProductId]
    buyer: Viewer
    orders: Sequence[OrderId]
    clerk: Viewer


@pytest.fixture(scope="module")
async def filled(server: Server) -> Filled:
    addresses = await server.new_database()
    await upgrade_async(addresses.owner)
    worker, owner = await connect(addresses.worker), await connect(addresses.owner, client_min_messages="error")
    await worker.execute(FILL)
    await owner.execute("ANALYZE")
    products = await worker.fetch("SELECT id FROM catalog.products ORDER BY sku LIMIT 20")
    buyer = await worker.fetchval("SELECT id FROM accounts.users WHERE email = '7@example.com'")
    orders = await worker.fetch("SELECT id FROM orders.orders WHERE user_id = $1", buyer)
    clerk = await worker.fetchrow("SELECT user_id, seller_id FROM sellers.members LIMIT 1")
    await worker.close()
    await owner.close()
    return Filled(
        addresses.app,
        [ProductId(row["id"]) for row in products],
        Viewer(Role.USER, UserId(buyer)),
        [OrderId(row["id"]) for row in orders],
        Viewer(Role.USER, UserId(clerk["user_id"]), seller_ids=(SellerId(clerk["seller_id"]),)),
    )


@asynccontextmanager
async def explained(filled: Filled) -> AsyncIterator[Explained]:
    database = Explained(filled.url)
    try:
        yield database
    finally:
        await database.close()


NEWEST, ACTIVE = ProductSort.NEWEST, ProductFilter(statuses=(ProductStatus.ACTIVE,))
AFTER = ("2026-01-01T00:00:00+00:00", str(UUID(int=0)))
PRICED = ("JPY", 100, str(UUID(int=0)))
Reading = Callable[[Explained, Filled], Awaitable[object]]
READS: dict[str, tuple[Reading, str]] = {
    "products by ids": (lambda db, on: PostgresProducts(db).by_ids(on.products), "products_pkey"),
    "product by slug": (lambda db, on: PostgresProducts(db).find(ANONYMOUS, ProductRef(slug="7")), "products_slug_key"),
    "newest": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, NEWEST, PageRequest()),
        "idx_products_newest",
    ),
    "newest, for somebody who could see drafts": (
        lambda db, on: PostgresProducts(db).page(on.clerk, ACTIVE, NEWEST, PageRequest()),
        "idx_products_newest",
    ),
    "newest from a cursor on": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, NEWEST, PageRequest(20, AFTER)),
        "idx_products_newest",
    ),
    "newest up to a cursor": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, NEWEST, PageRequest(20, AFTER, backward=True)),
        "idx_products_newest",
    ),
    "cheapest": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, ProductSort.PRICE_ASC, PageRequest()),
        "idx_products_cheapest",
    ),
    "cheapest from a cursor on": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, ProductSort.PRICE_ASC, PageRequest(20, PRICED)),
        "idx_products_cheapest",
    ),
    "cheapest of a currency": (
        lambda db, on: PostgresProducts(db).page(
            ANONYMOUS, replace(ACTIVE, currency="JPY"), ProductSort.PRICE_ASC, PageRequest(20, PRICED)
        ),
        "idx_products_cheapest",
    ),
    "dearest": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, ProductSort.PRICE_DESC, PageRequest()),
        "idx_products_cheapest",
    ),
    "by name": (
        lambda db, on: PostgresProducts(db).page(ANONYMOUS, ACTIVE, ProductSort.NAME, PageRequest()),
        "idx_products_by_name",
    ),
    "images": (lambda db, on: PostgresProducts(db).images_of(on.products), "idx_product_images_product_id"),
    "variations": (lambda db, on: PostgresProducts(db).variations_of(on.products), "idx_product_variations_product_id"),
    "a seller's own products": (
        lambda db, on: PostgresProducts(db).page(
            on.clerk, ProductFilter(seller_id=on.clerk.seller_ids[0]), ProductSort.PRICE_ASC, PageRequest()
        ),
        "idx_products_seller_id",
    ),
    "reviews of products": (
        lambda db, on: PostgresReviews(db).of_products(on.products, PageRequest(3)),
        "idx_reviews_product_id",
    ),
    "authors of reviews": (
        lambda db, on: PostgresReviews(db).signed(on.products, PageRequest(3)),
        "user_profiles_user_id_key",
    ),
    "ratings": (lambda db, on: PostgresReviews(db).ratings_of(on.products), "product_ratings_pkey"),
    "authors": (
        lambda db, on: PostgresUsers(db).authors([UserId(on.buyer.user_id or UUID(int=0))]),
        "user_profiles_user_id_key",
    ),
    "orders of a user": (
        lambda db, on: PostgresOrders(db).page(on.buyer, PageRequest()),
        "orders_2026_03_user_id_id_idx",
    ),
    "orders by ids": (lambda db, on: PostgresOrders(db).by_ids(on.buyer, on.orders), "orders_2026_03_pkey"),
    "items of orders": (lambda db, on: PostgresOrders(db).items_of(on.buyer, on.orders), "idx_order_items_order_id"),
    "payments of orders": (
        lambda db, on: PostgresOrders(db).payments_of(on.buyer, on.orders),
        "order_payments_order_id_key",
    ),
    "histories of orders": (
        lambda db, on: PostgresOrders(db).history_of(on.buyer, on.orders),
        "idx_order_status_histories_order_id",
    ),
}


@pytest.mark.parametrize(("read", "index"), READS.values(), ids=READS)
async def test_a_main_read_uses_its_index_and_reads_no_table_whole(filled: Filled, read: Reading, index: str) -> None:
    async with explained(filled) as database:
        await read(database, filled)
        assert database.plan.whole <= WHOLE_TABLES
        assert index in database.plan.indexes


async def test_a_statement_without_an_index_is_seen(filled: Filled) -> None:
    async with explained(filled) as database:
        await database.public(text("SELECT FROM catalog.products WHERE description = 'x'"))
        assert database.plan.whole == {"products"}


async def test_the_rows_are_really_there(filled: Filled) -> None:
    """A plan for tables that the viewer sees nothing of would prove nothing."""
    database = Database(filled.url, pool_size=1)
    assert len(filled.orders) == 15
    assert all(await PostgresOrders(database).items_of(filled.buyer, filled.orders))
    assert any(await PostgresProducts(database).by_ids(filled.products))
    await database.close()
