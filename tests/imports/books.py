"""The marketplace's books, as tests of imports look at them and write into them."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.parquet.online_retail import OnlineRetailFile
from adapters.postgres import tables
from adapters.postgres.online_retail import OnlineRetailShop
from domain.imports.service import ImportSummary, OnlineRetailImport
from tests.imports.invoice_rows import SAMPLE, sample_table

FORGET = """
    DELETE FROM orders.refunds;
    DELETE FROM orders.order_item_status_histories;
    DELETE FROM orders.order_status_histories WHERE note LIKE 'imported%';
    DELETE FROM orders.order_payments WHERE order_id IN (SELECT id FROM orders.orders WHERE order_number LIKE 'OR-%');
    DELETE FROM orders.order_items WHERE order_id IN (SELECT id FROM orders.orders WHERE order_number LIKE 'OR-%');
    DELETE FROM orders.orders WHERE order_number LIKE 'OR-%';
    DELETE FROM accounts.users WHERE email LIKE '%@online-retail.invalid';
    DELETE FROM catalog.products p USING sellers.sellers s WHERE s.id = p.seller_id AND s.email LIKE '%.invalid';
    DELETE FROM catalog.categories WHERE slug LIKE 'online-retail-%';
    DELETE FROM catalog.categories WHERE slug = 'online-retail';
    DELETE FROM sellers.sellers WHERE email LIKE '%.invalid';
"""
MISLED = """
    WITH back AS (
        SELECT p.order_item_id, sum(p.quantity) AS quantity, sum(p.amount) AS amount FROM orders.refund_parts p GROUP BY 1
    )
    SELECT 'item', i.id FROM orders.order_items i LEFT JOIN back b ON b.order_item_id = i.id
        WHERE (i.fulfillment_status = 'refunded') <> (i.quantity = coalesce(b.quantity, 0))
            OR b.quantity > i.quantity OR b.amount > b.quantity * i.unit_price
    UNION ALL SELECT 'order', o.id FROM orders.orders o WHERE o.status <> orders.derived_status(o.id)
    UNION ALL SELECT 'payment', p.id FROM orders.order_payments p
        WHERE (p.status = 'refunded')
            <> (p.amount = (SELECT coalesce(sum(r.amount), 0) FROM orders.refunds r WHERE r.payment_id = p.id))
    UNION ALL SELECT 'refund', r.id FROM orders.refunds r
        WHERE r.amount <> (SELECT sum(p.amount) FROM orders.refund_parts p WHERE p.refund_id = r.id)
    UNION ALL SELECT 'history of item', i.id FROM orders.order_items i WHERE i.fulfillment_status = 'refunded'
        AND 1 <> (SELECT count(*) FROM orders.order_item_status_histories h WHERE h.order_item_id = i.id)
    UNION ALL SELECT 'history of order', o.id FROM orders.orders o WHERE o.status <> (
        SELECT h.status FROM orders.order_status_histories h WHERE h.order_id = o.id ORDER BY h.id DESC LIMIT 1)
"""
VIEWS = {"authors", "public_profiles"}


class Books:
    def __init__(self, url: str, connection: Any) -> None:
        self.url = url
        self.connection = connection

    async def take_in(self, path: Path = SAMPLE) -> ImportSummary:
        return await OnlineRetailImport(OnlineRetailShop(self.url)).run(OnlineRetailFile(path))

    async def everything(self) -> dict[str, str]:
        """A checksum of each table: every column of every row."""
        names = [table.fullname for table in tables.metadata.sorted_tables if table.name not in VIEWS]
        return {
            name: await self.connection.fetchval(
                f"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {name} t"
            )
            for name in [*names, "orders.order_numbers"]
        }

    async def keys(self) -> set[tuple[Any, ...]]:
        """The lines with what they point at."""
        lines = await self.connection.fetch("SELECT id, order_id, product_id, seller_id FROM orders.order_items")
        return {tuple(line) for line in lines}

    async def totals(self) -> dict[str | None, int]:
        """Pence by mail address; None is who has no account. Payments and lines must agree with the orders."""
        rows = await self.connection.fetch(
            """SELECT u.email, sum(o.total_amount)::bigint AS orders, sum(p.amount)::bigint AS payments,
                      sum((SELECT sum(total_price) FROM orders.order_items i WHERE i.order_id = o.id))::bigint AS lines
               FROM orders.orders o LEFT JOIN accounts.users u ON u.id = o.user_id
               LEFT JOIN orders.order_payments p ON p.order_id = o.id AND p.status IN ('succeeded', 'refunded')
               WHERE o.order_number LIKE 'OR-%' GROUP BY u.email"""
        )
        assert all(row["orders"] == row["payments"] == row["lines"] for row in rows)
        return {row["email"]: row["orders"] for row in rows}

    async def refunded(self) -> dict[str | None, int]:
        """Pence that went back, by mail address."""
        rows = await self.connection.fetch(
            """SELECT u.email, sum(r.amount)::bigint FROM orders.refunds r JOIN orders.orders o ON o.id = r.order_id
               LEFT JOIN accounts.users u ON u.id = o.user_id
               WHERE r.reason = 'imported' AND r.status = 'succeeded' GROUP BY u.email"""
        )
        return dict(rows)

    async def misled(self) -> list[tuple[Any, ...]]:
        """Items, orders, payments and refunds whose state is not what follows from what went back; there should be none."""
        return [tuple(row) for row in await self.connection.fetch(MISLED)]


def totals_of_the_file() -> dict[str | None, int]:
    """The same by other means: straight from the file's columns, with the rules in one line."""
    return totals_of(sample_table().to_pylist(), cancelled=False)


def totals_of(rows: list[dict[str, Any]], *, cancelled: bool = True) -> dict[str | None, int]:
    """Pence by mail address of all rows that are about a product and have a price, less what was cancelled."""
    totals: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for line in rows:
        is_sale = line["Invoice"].isdigit() and line["Quantity"] > 0
        is_back = cancelled and line["Invoice"][0] == "C" and line["Quantity"] < 0
        if (is_sale or is_back) and line["StockCode"][:5].isdigit() and line["Price"] > 0:
            customer = line["Customer ID"]
            totals[address_of(customer)] += 100 * line["Quantity"] * Decimal(str(line["Price"]))
    assert all(total == int(total) for total in totals.values())
    return {email: int(total) for email, total in totals.items()}


def address_of(customer: float | None) -> str | None:
    return None if customer is None else f"customer-{customer:.0f}@online-retail.invalid"
