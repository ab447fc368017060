"""The role that moves money and stock: for one transaction, and no more than it needs."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.postgres.database import Database
from domain.shared.ids import uuid7
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS, Viewer
from settings import Settings
from tests.postgres.shelf import Shelf

RIGHTS = """
    SELECT n.nspname || '.' || c.relname AS name, r AS right,
        CASE WHEN r = 'UPDATE' AND NOT has_table_privilege('torii_till', c.oid, r) THEN
            ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                AND has_column_privilege('torii_till', c.oid, a.attnum, r) ORDER BY 1) END AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) r
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v')
        AND CASE WHEN r IN ('INSERT', 'UPDATE', 'REFERENCES') THEN has_any_column_privilege('torii_till', c.oid, r)
            ELSE has_table_privilege('torii_till', c.oid, r) END
"""


async def role(connection: Any) -> str:
    return str((await connection.execute(text("SELECT current_user"))).scalar_one())


async def test_it_ends_with_its_transaction_however_that_ends(database: Database) -> None:
    async with database.till(ANONYMOUS) as connection:
        assert await role(connection) == "torii_till"
    with pytest.raises(DBAPIError, match="division by zero"):
        async with database.till(ANONYMOUS) as connection:
            await connection.execute(text("SELECT 1 / 0"))
    async with database.transaction(ANONYMOUS) as connection:
        assert await role(connection) == "torii_app"


async def test_it_may_change_stock_and_nothing_else_of_a_product(shelf: Shelf, database: Database) -> None:
    product = await shelf.product(stock_quantity=10)
    async with database.till(ANONYMOUS) as connection:
        await connection.execute(text(f"UPDATE catalog.products SET reserved_quantity = 4 WHERE id = '{product}'"))
    row = await shelf.read(product)
    assert (row["stock_quantity"], row["reserved_quantity"], row["sellable_quantity"]) == (10, 4, 6)
    for column in ("base_price", "status", "name", "seller_id"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.till(ANONYMOUS) as connection:
                await connection.execute(text(f"UPDATE catalog.products SET {column} = {column}"))


async def test_the_gateway_itself_may_not(shelf: Shelf, database: Database) -> None:
    await shelf.product()
    for statement in (
        "UPDATE catalog.products SET reserved_quantity = 0",
        "UPDATE orders.orders SET status = 'cancelled'",
        "SELECT email FROM orders.order_addresses",
        "SELECT 1 FROM orders.reservations",
        "SELECT 1 FROM orders.checkouts",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            await database.seen_by(ANONYMOUS, text(statement))


async def test_it_writes_nobodys_accounts_and_removes_nothing(owner: Any) -> None:
    found = {(row["name"], row["right"]): row["columns"] for row in await owner.fetch(RIGHTS)}
    stock = ["reserved_quantity", "stock_quantity"]
    assert found[("catalog.products", "UPDATE")] == found[("catalog.product_variations", "UPDATE")] == stock
    assert {right for _, right in found} == {"INSERT", "UPDATE"}
    assert {name.split(".")[0] for name, _ in found} <= {"catalog", "orders", "payments", "events", "idempotency"}
    whole = [key for key, columns in found.items() if key[1] == "UPDATE" and columns is None]
    assert whole == []


async def test_its_time_may_be_longer_than_that_of_others(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=500)
    wait = text("SELECT pg_sleep(1)")
    async with database.till(ANONYMOUS, within_s=10) as connection:
        await connection.execute(wait)
    with pytest.raises(Unavailable):
        async with database.till(ANONYMOUS) as connection:
            await connection.execute(wait)
    await database.close()


async def test_idempotency_keys_are_those_of_its_viewer(database: Database) -> None:
    guest, stranger = Viewer(guest_id=uuid7()), Viewer(guest_id=uuid7())
    mine = (
        "INSERT INTO idempotency.keys (principal, mutation, key, fingerprint, result)"
        f" VALUES ('guest:{guest.guest_id}', 'checkout', 'k', '', uuidv7())"
    )
    async with database.till(guest) as connection:
        await connection.execute(text(mine))
    async with database.till(stranger) as connection:
        assert (await connection.execute(text("SELECT 1 FROM idempotency.keys"))).all() == []
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.till(stranger) as connection:
            await connection.execute(text(mine.replace("'k'", "'l'")))
