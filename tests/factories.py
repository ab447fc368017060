"""Rows for tests, written as the worker role. Each function makes one valid row; what a test cares about it says."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Table, insert, literal, select, update

from adapters.postgres import tables
from adapters.postgres.database import Database, Rows
from adapters.postgres.payments_ledger import post
from domain.orders.ledger import of_sale
from domain.orders.open_order import OpenPart
from domain.shared.ids import OrderId, SellerId, uuid7
from domain.shared.viewer import ANONYMOUS

PUBLISHED = datetime(2026, 10, 1, 9, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Bought:
    """An order and its items."""

    order: UUID
    items: list[UUID]


class Factory:
    """Makes rows in one worker's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def row(self, table: Table, **values: Any) -> UUID:
        key: UUID = values.setdefault("id", uuid7())
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(table).values(values))
        return key

    async def rows(self, statement: Executable) -> Rows:
        """Whatever the statement finds, with every row in sight."""
        return await self._database.public(statement)

    async def user_id(self, email: str) -> UUID:
        found: UUID = (await self.rows(select(tables.users.c.id).where(tables.users.c.email == email)))[0][0]
        return found

    async def change(self, table: Table, key: UUID, **values: Any) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(update(table).where(table.c.id == key).values(values))

    async def seller(self, *, shipping: dict[str, Any] | None = None, **values: Any) -> UUID:
        number = next(_numbers)
        defaults = {"company_name": f"山田商店{number}", "email": f"shop{number}@example.com", "status": "active"}
        key = await self.row(tables.sellers, **defaults | values)
        await self.row(
            tables.seller_profiles, seller_id=key, description="お茶の店です。", shipping_policies=shipping or {}
        )
        return key

    async def category(self, **values: Any) -> UUID:
        number = next(_numbers)
        return await self.row(tables.categories, **{"name": f"分類{number}", "slug": f"category-{number}"} | values)

    async def brand(self, **values: Any) -> UUID:
        return await self.row(tables.brands, **{"name": f"銘柄{next(_numbers)}"} | values)

    async def product(self, *, seller_id: UUID | None = None, category_id: UUID | None = None, **values: Any) -> UUID:
        number = next(_numbers)
        defaults = {
            "seller_id": seller_id or await self.seller(),
            "category_id": category_id or await self.category(),
            "sku": f"SKU-{number}",
            "slug": f"product-{number}",
            "name": f"煎茶 {number}",
            "description": "香り高い一番茶。",
            "base_price": 1980,
            "stock_quantity": 10,
            "status": "active",
            "published_at": PUBLISHED,
        }
        return await self.row(tables.products, **defaults | values)

    async def image(self, product_id: UUID, **values: Any) -> UUID:
        defaults = {"image_url": f"/images/products/{product_id}/1.svg", "alt_text": "写真"}
        return await self.row(tables.product_images, product_id=product_id, **defaults | values)

    async def variation(self, product_id: UUID, **values: Any) -> UUID:
        defaults = {"sku": f"SKU-V{next(_numbers)}", "name": "100 g", "stock_quantity": 5}
        return await self.row(tables.product_variations, product_id=product_id, **defaults | values)

    async def user(self, *, name: str | None = None, **values: Any) -> UUID:
        key = await self.row(tables.users, **{"email": f"user{next(_numbers)}@example.com"} | values)
        if name:
            await self.row(tables.user_profiles, user_id=key, display_name=name)
        return key

    async def address(self, user_id: UUID, **values: Any) -> UUID:
        defaults = {
            "recipient_name": "山田花子",
            "postal_code": "100-0001",
            "prefecture": "東京都",
            "city": "千代田区",
            "address_line1": "千代田1-1",
        }
        return await self.row(tables.addresses, user_id=user_id, **defaults | values)

    async def many_favorites(self, user_id: UUID, seller_id: UUID, category_id: UUID, number: int) -> None:
        """So many products, and a user who keeps all of them."""
        plain = {"name": "煎茶", "description": "", "base_price": 100, "status": "draft"}
        rows = [
            {"id": uuid7(), "seller_id": seller_id, "category_id": category_id, "sku": f"M-{next(_numbers)}", **plain}
            for _ in range(number)
        ]
        kept = [{"id": uuid7(), "user_id": user_id, "product_id": row["id"]} for row in rows]
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(tables.products), [row | {"slug": row["sku"].lower()} for row in rows])
            await connection.execute(insert(tables.favorites), kept)

    async def well_reviewed(self, seller_id: UUID, category_id: UUID, number: int, reviews: int) -> None:
        """So many published products of a seller, each reviewed by so many users."""
        plain = {
            "name": "煎茶",
            "description": "香り高い一番茶。" * 10,
            "base_price": 100,
            "status": "active",
            "stock_quantity": 1,
        }
        of_shop = {"seller_id": seller_id, "category_id": category_id, "published_at": PUBLISHED}
        numbers = [next(_numbers) for _ in range(number)]
        rows = [{"id": uuid7(), "sku": f"R-{each}", "slug": f"r-{each}"} | plain | of_shop for each in numbers]
        users = [{"id": uuid7(), "email": f"reviewer{next(_numbers)}@example.com"} for _ in range(reviews)]
        each = (
            select(tables.products.c.id, tables.users.c.id, literal(5), literal("おいしい。"))
            .join_from(tables.products, tables.users, tables.users.c.id.in_([user["id"] for user in users]))
            .where(tables.products.c.seller_id == seller_id)
        )
        written = insert(tables.reviews).from_select(["product_id", "user_id", "rating", "comment"], each)
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(tables.products), rows)
            await connection.execute(insert(tables.users), users)
            await connection.execute(written)

    async def review(self, product_id: UUID, **values: Any) -> UUID:
        user_id = values.pop("user_id", None) or await self.user(name="花子")
        return await self.row(tables.reviews, product_id=product_id, user_id=user_id, **{"rating": 5} | values)

    async def member(self, seller_id: UUID, user_id: UUID) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(tables.members).values(seller_id=seller_id, user_id=user_id))

    async def order(self, user_id: UUID | None, *items: tuple[UUID, UUID, int], **values: Any) -> UUID:
        """`items` are (product, seller, price of one); one of each."""
        total = sum(price for _, _, price in items)
        defaults = {
            "order_number": f"T-{next(_numbers):08}",
            "user_id": user_id,
            "subtotal": total,
            "tax_amount": total // 11,
            "total_amount": total,
            "status": "delivered",
        }
        key = await self.row(tables.orders, **defaults | values)
        for product_id, seller_id, price in items:
            await self.row(
                tables.order_items,
                order_id=key,
                product_id=product_id,
                seller_id=seller_id,
                product_name="煎茶",
                quantity=1,
                unit_price=price,
                total_price=price,
                fulfillment_status="delivered",
            )
        await self.row(tables.order_payments, order_id=key, amount=total, status="succeeded", paid_at=PUBLISHED)
        await self.row(tables.order_status_histories, order_id=key, status="delivered")
        return key

    async def bought(
        self,
        user_id: UUID | None,
        *lines: tuple[UUID, UUID, int, int],
        fees: dict[UUID, int] | None = None,
        currency: str = "JPY",
        status: str = "processing",
        **values: Any,
    ) -> Bought:
        """An order as checkout writes it, paid unless it is pending, its sale in the ledger.

        `lines` are (product, seller, quantity, price of one); `fees` what each seller takes for carriage.
        """
        fees = fees or {}
        sellers = {seller: sum(q * price for _, of, q, price in lines if of == seller) for _, seller, _, _ in lines}
        subtotal, fee = sum(sellers.values()), sum(fees.values())
        total, is_paid = subtotal + fee, status != "pending"
        amounts = {"subtotal": subtotal, "shipping_fee": fee, "total_amount": total, "tax_amount": total // 11}
        made = {"order_number": f"T-{next(_numbers):08}", "user_id": user_id, "currency": currency, "status": status}
        order = await self.row(tables.orders, **made | amounts | values)
        items = [
            await self.row(
                tables.order_items,
                order_id=order,
                product_id=product,
                seller_id=seller,
                product_name="煎茶",
                currency=currency,
                quantity=quantity,
                unit_price=price,
                total_price=quantity * price,
                tax_percent=10,
                fulfillment_status=status,
                delivered_at=datetime.now(UTC) if status == "delivered" else None,
            )
            for product, seller, quantity, price in lines
        ]
        paid: dict[str, Any] = {
            "status": "succeeded" if is_paid else "pending",
            "paid_at": PUBLISHED if is_paid else None,
        }
        if is_paid:
            paid["payment_method_details"] = {"type": "card", "brand": "visa", "last4": "4242"}
        await self.row(tables.order_payments, order_id=order, amount=total, currency=currency, **paid)
        await self.row(tables.order_status_histories, order_id=order, status=status)
        parts = [
            OpenPart(SellerId(seller), goods, fees.get(seller, 0), goods // 10) for seller, goods in sellers.items()
        ]
        async with self._database.transaction(ANONYMOUS) as connection:
            for part in parts:
                agreed = {
                    "order_id": order,
                    "seller_id": part.seller_id,
                    "seller_name": "山田商店",
                    "registration_number": "T1234567890123",
                    "currency": currency,
                    "subtotal": part.subtotal,
                    "shipping_fee": part.shipping_fee,
                    "total": part.subtotal + part.shipping_fee,
                    "commission_rate_bp": 1000,
                    "commission": part.commission,
                }
                await connection.execute(insert(tables.order_sellers).values(agreed))
                taxable = part.subtotal + part.shipping_fee
                tax = {"percent": 10, "taxable": taxable, "tax": taxable * 10 // 110}
                await connection.execute(
                    insert(tables.order_taxes).values(order_id=order, seller_id=part.seller_id, **tax)
                )
                if is_paid:
                    await post(connection, of_sale(OrderId(order), currency, part))
            if not is_paid:
                for product, _, quantity, _ in lines:
                    held = {"product_id": product, "quantity": quantity, "expires_at": datetime.now(UTC)}
                    await connection.execute(insert(tables.reservations).values(id=uuid7(), order_id=order, **held))
                    reserved = tables.products.c.reserved_quantity + quantity
                    its = tables.products.c.id == product
                    await connection.execute(update(tables.products).where(its).values(reserved_quantity=reserved))
        return Bought(order, items)

    async def refund(self, order: UUID, item: UUID, seller: UUID, amount: int) -> UUID:
        """A refund of a part of an item."""
        its = tables.order_payments.c.order_id == order
        payment = (await self.rows(select(tables.order_payments.c.id).where(its)))[0][0]
        key, whose = uuid7(), {"order_id": order, "payment_id": payment, "seller_id": seller}
        row = {"id": key, "amount": amount, "currency": "JPY", "reason": "goodwill"} | whose
        part = {"id": uuid7(), "refund_id": key, "order_item_id": item, "amount": amount, "tax_percent": 10}
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(tables.refunds).values(row))
            await connection.execute(insert(tables.refund_parts).values(part))
        return key

    async def order_address(self, order_id: UUID, **values: Any) -> None:
        defaults = {
            "order_id": order_id,
            "recipient_name": "山田花子",
            "postal_code": "100-0001",
            "prefecture": "東京都",
            "city": "千代田区",
            "address_line1": "千代田1-1",
            "email": "hanako@example.com",
        }
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(insert(tables.order_addresses).values(defaults | values))


@asynccontextmanager
async def open_factory(worker_url: str) -> AsyncIterator[Factory]:
    database = Database(worker_url, pool_size=2, timeout_ms=30_000)  # a busy test machine takes its time
    try:
        yield Factory(database)
    finally:
        await database.close()
