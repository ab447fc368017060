"""Rows for the tests of the database, with keys of their own so that tests may share one database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.shared.ids import uuid7


@dataclass(frozen=True, slots=True)
class Shop:
    """Writes through one connection, as its role. Each method returns the key of its row; columns have defaults."""

    connection: Any

    async def insert(self, table: str, columns: Mapping[str, Any]) -> UUID:
        values = [json.dumps(value) if isinstance(value, dict | list) else value for value in columns.values()]
        names = ", ".join(columns)
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        key: UUID = await self.connection.fetchval(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", *values
        )
        return key

    async def user(self, **columns: Any) -> UUID:
        key = uuid7()
        return await self.insert("accounts.users", {"id": key, "email": f"{key}@example.com"} | columns)

    async def profile(self, user: UUID, **columns: Any) -> UUID:
        return await self.insert("accounts.user_profiles", {"user_id": user, "display_name": "花子"} | columns)

    async def address(self, user: UUID, **columns: Any) -> UUID:
        where = {"postal_code": "100-0001", "prefecture": "東京都", "city": "千代田区", "address_line1": "千代田1-1"}
        return await self.insert("accounts.addresses", {"user_id": user, **where} | columns)

    async def favorite(self, user: UUID, product: UUID) -> UUID:
        return await self.insert("accounts.favorites", {"user_id": user, "product_id": product})

    async def idempotency_key(self, user: UUID, kind: str = "user") -> UUID:
        """A key that the user, or guest, sent; it is known by its result."""
        result = uuid7()
        await self.connection.execute(
            "INSERT INTO idempotency.keys (principal, mutation, key, fingerprint, result) VALUES ($1, 'm', 'k', '', $2)",
            f"{kind}:{user}",
            result,
        )
        return result

    async def seller(self, *, member: UUID | None = None, **columns: Any) -> UUID:
        key = uuid7()
        defaults = {"id": key, "company_name": "山田商店", "email": f"{key}@example.com", "status": "active"}
        await self.insert("sellers.sellers", defaults | columns)
        await self.insert("sellers.seller_profiles", {"seller_id": key, "description": "百年の店"})
        if member is not None:
            await self.connection.execute(
                "INSERT INTO sellers.members (seller_id, user_id) VALUES ($1, $2)", key, member
            )
        return key

    async def category(self, **columns: Any) -> UUID:
        return await self.insert("catalog.categories", {"name": "器", "slug": f"c-{uuid7()}"} | columns)

    async def brand(self, **columns: Any) -> UUID:
        return await self.insert("catalog.brands", {"name": "藍窯"} | columns)

    async def product(self, seller: UUID, category: UUID, **columns: Any) -> UUID:
        """An active product of 1,000 yen, ten in stock."""
        key = uuid7()
        defaults = {"id": key, "seller_id": seller, "category_id": category, "sku": f"k-{key}", "slug": f"p-{key}"}
        shown = {
            "name": "茶碗",
            "base_price": 1000,
            "stock_quantity": 10,
            "status": "active",
            "published_at": datetime.now(UTC),
        }
        return await self.insert("catalog.products", defaults | shown | columns)

    async def image(self, product: UUID, **columns: Any) -> UUID:
        return await self.insert(
            "catalog.product_images", {"product_id": product, "image_url": "/images/1.svg"} | columns
        )

    async def variation(self, product: UUID, **columns: Any) -> UUID:
        defaults = {"product_id": product, "sku": f"v-{uuid7()}", "name": "大", "stock_quantity": 3}
        return await self.insert("catalog.product_variations", defaults | columns)

    async def order(self, user: UUID | None, at: datetime | None = None, **columns: Any) -> UUID:
        """An order of 1,000 yen whose key is of the moment `at`."""
        key = uuid7(at)
        defaults = {"id": key, "order_number": f"T-{key}", "user_id": user, "subtotal": 1000, "total_amount": 1000}
        return await self.insert("orders.orders", defaults | columns)

    async def item(self, order: UUID, product: UUID, seller: UUID, **columns: Any) -> UUID:
        defaults = {"order_id": order, "product_id": product, "seller_id": seller, "product_name": "茶碗"}
        prices = {"quantity": 1, "unit_price": 1000, "total_price": 1000}
        return await self.insert("orders.order_items", defaults | prices | columns)

    async def payment(self, order: UUID, **columns: Any) -> UUID:
        return await self.insert("orders.order_payments", {"order_id": order, "amount": 1000} | columns)

    async def event(self, stream: str) -> UUID:
        """One of a stream, as a use case puts it out."""
        kind, _, key = stream.partition("/")
        number = await self.connection.fetchval("SELECT events.next_in_stream($1, 1)", stream)
        values = {"type": "Tested", "aggregate_type": kind, "aggregate_id": UUID(key)}
        return await self.insert("events.outbox", values | {"stream": stream, "sequence": number})

    async def history(self, order: UUID, **columns: Any) -> UUID:
        return await self.insert("orders.order_status_histories", {"order_id": order, "status": "pending"} | columns)

    async def item_history(self, item: UUID, **columns: Any) -> UUID:
        return await self.insert(
            "orders.order_item_status_histories", {"order_item_id": item, "status": "pending"} | columns
        )

    async def return_(self, order: UUID, item: UUID, seller: UUID, **columns: Any) -> UUID:
        """A return of one of a delivered item."""
        whose = {"order_id": order, "order_item_id": item, "seller_id": seller}
        return await self.insert("orders.returns", whose | {"quantity": 1, "reason": "unwanted"} | columns)

    async def refund(self, order: UUID, payment: UUID, item: UUID, seller: UUID, amount: int) -> tuple[UUID, UUID]:
        """A refund of a part of an item, and that part."""
        async with self.connection.transaction():
            whose = {"order_id": order, "payment_id": payment, "seller_id": seller}
            refund = await self.insert(
                "orders.refunds", whose | {"amount": amount, "currency": "JPY", "reason": "goodwill"}
            )
            part = {"refund_id": refund, "order_item_id": item, "amount": amount, "tax_percent": 10}
            return refund, await self.insert("orders.refund_parts", part)

    async def dispute(self, order: UUID, **columns: Any) -> UUID:
        money = {"amount": 100, "currency": "JPY", "is_withdrawn": True, "moves": 1}
        told = {"provider_id": f"du_{order}", "reason": "fraudulent", "status": "needs_response"}
        at = {"order_id": order, "opened_at": datetime.now(UTC)}
        return await self.insert("orders.disputes", at | money | told | columns)

    async def posting(self, order: UUID, seller: UUID, amount: int = 1000, **columns: Any) -> UUID:
        """A sale in the ledger."""
        async with self.connection.transaction():
            whose = {"order_id": order, "seller_id": seller, "currency": "JPY"}
            key = {"kind": "sale", "key": f"sale:{order}:{seller}"}
            posting = await self.insert("payments.ledger_transactions", whose | key | columns)
            await self.connection.execute(
                "INSERT INTO payments.ledger_entries (transaction_id, account, amount)"
                " VALUES ($1, 'buyer_receipts', -$2::bigint), ($1, $3, $2)",
                posting,
                amount,
                f"seller:{seller}:payable",
            )
        return posting

    async def part(self, order: UUID, seller: UUID) -> None:
        """A seller's part of an order of 1,000 yen, and the tax in it."""
        await self.connection.execute(
            "INSERT INTO orders.order_sellers (order_id, seller_id, seller_name, currency, subtotal, shipping_fee, total,"
            " commission_rate_bp, commission) VALUES ($1, $2, '山田商店', 'JPY', 1000, 0, 1000, 1000, 100)",
            order,
            seller,
        )
        await self.connection.execute(
            "INSERT INTO orders.order_taxes (order_id, seller_id, percent, taxable, tax) VALUES ($1, $2, 10, 1000, 90)",
            order,
            seller,
        )

    async def order_address(self, order: UUID, **columns: Any) -> UUID:
        """Known by its order."""
        where = {"postal_code": "100-0001", "prefecture": "東京都", "city": "千代田区", "address_line1": "千代田1-1"}
        whom = {"recipient_name": "山田花子", "email": "hanako@example.com"}
        values = {"order_id": order, **whom, **where} | columns
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        await self.connection.execute(
            f"INSERT INTO orders.order_addresses ({', '.join(values)}) VALUES ({places})", *values.values()
        )
        return order

    async def review(self, user: UUID, product: UUID, **columns: Any) -> UUID:
        return await self.insert("reviews.reviews", {"user_id": user, "product_id": product, "rating": 4} | columns)

    async def seller_review(self, user: UUID, seller: UUID, order: UUID) -> UUID:
        columns = {"user_id": user, "seller_id": seller, "order_id": order, "rating": 5}
        return await self.insert("reviews.seller_reviews", columns)

    async def ensure_month(self, month: date) -> bool:
        made: bool = await self.connection.fetchval("SELECT orders.ensure_month($1)", month)
        return made


async def connect(url: str, **settings: str) -> Any:
    """A connection of the driver itself, in autocommit, with session settings."""
    return await asyncpg.connect(url, timeout=5, command_timeout=15, server_settings=settings)
