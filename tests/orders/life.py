"""One order on a real database, lived through by its use cases, and the books that must balance after each step."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.orders_fulfilment import PostgresOrderFiles
from adapters.postgres.orders_payment import PostgresPaymentBook
from adapters.postgres.orders_receipts import PostgresReceipts
from adapters.postgres.orders_records import PostgresOrderRecords
from adapters.postgres.orders_refunding import PostgresRefundBook
from adapters.postgres.payments_ledger import PostgresLedger
from domain.orders.fulfilment import Fulfilment
from domain.orders.model import Order, OrderItem
from domain.orders.records import OrderRecords
from domain.orders.returns import Return
from domain.orders.service import OrderDesk
from domain.orders.states import derived_status
from domain.payments.model import IntentId, IntentStatus, PaymentIntent, Refund, RefundId, RefundStatus
from domain.payments.standing import decide
from domain.shared.clock import Clock, SystemClock
from domain.shared.ids import OrderId, SellerId, UserId, uuid7
from domain.shared.money import Money
from domain.shared.viewer import Role, Viewer
from tests.postgres.shop import Shop, connect

STOCK = 20


@dataclass(frozen=True, slots=True)
class Line:
    """`of`: which of the two sellers; `price` in minor units."""

    of: int
    quantity: int
    price: int


class Life:
    """Everything runs on the loop that it was begun on."""

    def __init__(self, url: str, worker_url: str) -> None:
        self._url, self._worker_url = url, worker_url

    async def begin(self, lines: list[Line], fees: list[int], currency: str) -> None:
        await self.open(SystemClock())
        await self._place(Shop(self.connection), lines, fees, currency)

    async def open(self, clock: Clock) -> None:
        self.database = Database(self._url, pool_size=2, timeout_ms=20_000)
        self.connection = await connect(self._worker_url)
        self.fulfilment = Fulfilment(PostgresOrderFiles(self.database, clock), clock)
        reads = PostgresOrderRecords(self.database), PostgresLedger(self.database), PostgresReceipts(self.database)
        self.records = OrderRecords(*reads, clock)
        self.desk = OrderDesk(PostgresOrders(self.database))
        self.payments = PostgresPaymentBook(self.database)
        self.refunds = PostgresRefundBook(self.database)

    async def end(self) -> None:
        await self.connection.close()
        await self.database.close()

    async def _place(self, shop: Shop, lines: list[Line], fees: list[int], currency: str) -> None:
        sellers = [await shop.seller(), await shop.seller()]
        category, buyer = await shop.category(), await shop.user()
        self.sellers, self.lines, self.currency = sellers, lines, currency
        self.products = [
            await shop.product(sellers[line.of], category, currency=currency, stock_quantity=STOCK) for line in lines
        ]
        goods = [sum(line.quantity * line.price for line in lines if line.of == of) for of in (0, 1)]
        self.fees = [fee if any(line.of == of for line in lines) else 0 for of, fee in enumerate(fees)]
        self.total, until = sum(goods) + sum(self.fees), datetime.now(UTC) + timedelta(minutes=30)
        amounts = {"subtotal": sum(goods), "shipping_fee": sum(self.fees), "total_amount": self.total}
        self.order = OrderId(await shop.order(buyer, currency=currency, expires_at=until, **amounts))
        for line, product in zip(lines, self.products, strict=True):
            prices = {"quantity": line.quantity, "unit_price": line.price, "total_price": line.quantity * line.price}
            await shop.item(self.order, product, sellers[line.of], currency=currency, tax_percent=10, **prices)
            await self._run(
                "INSERT INTO orders.reservations (order_id, product_id, quantity, expires_at) VALUES ($1, $2, $3, $4)",
                self.order, product, line.quantity, until,
            )  # fmt: skip
            await self._run("UPDATE catalog.products SET reserved_quantity = $2 WHERE id = $1", product, line.quantity)
        for of, seller in enumerate(sellers):
            if any(line.of == of for line in lines):
                await self._run(
                    "INSERT INTO orders.order_sellers (order_id, seller_id, seller_name, currency, subtotal, shipping_fee,"
                    " total, commission_rate_bp, commission) VALUES ($1, $2, 'x', $3, $4, $5, $6, 1300, $7)",
                    self.order, seller, currency, goods[of], self.fees[of], goods[of] + self.fees[of],
                    goods[of] * 13 // 100,
                )  # fmt: skip
        await shop.payment(self.order, amount=self.total, currency=currency)
        self.buyer = Viewer(Role.USER, UserId(buyer))
        self.admin = Viewer(Role.ADMIN, UserId(await shop.user()))
        self.clerks = [Viewer(Role.USER, UserId(await shop.user()), seller_ids=(SellerId(each),)) for each in sellers]
        for clerk, seller in zip(self.clerks, sellers, strict=True):
            await self._run("INSERT INTO sellers.members (seller_id, user_id) VALUES ($1, $2)", seller, clerk.user_id)

    async def _run(self, sql: str, *values: Any) -> None:
        await self.connection.execute(sql, *values)

    async def pay(self) -> None:
        """The provider says that it is paid, whatever became of the order meanwhile."""
        amount, now = Money(self.total, self.currency), datetime.now(UTC)
        intent = PaymentIntent(
            IntentId(f"pi_{self.order}"), self.order, amount, amount, IntentStatus.SUCCEEDED, now, "ch", None, "secret"
        )
        await self.payments.settle(self.order, intent, partial(decide, intent=intent, now=now, is_silent=False), now)

    async def settle_refund(self, *, succeeded: bool) -> None:
        pending = await self.connection.fetchval(
            "SELECT id FROM orders.refunds WHERE order_id = $1 AND status = 'pending' ORDER BY id LIMIT 1", self.order
        )
        if pending is not None:
            provider_id = f"re_{uuid7()}" if succeeded else None
            await self.refunds.settle(RefundId(pending), succeeded=succeeded, provider_id=provider_id, problem=None)

    async def told(self, whom: str) -> list[str]:
        """Types of what the order's stream was told, or those of its sellers."""
        streams = [f"order/{self.order}"] if whom == "order" else [f"seller/{each}" for each in self.sellers]
        rows = await self.connection.fetch(
            "SELECT type FROM events.outbox WHERE stream = ANY ($1) ORDER BY stream, sequence", streams
        )
        return [row["type"] for row in rows]

    async def refund_by_hand(self, amount: int) -> None:
        """People give so much back at the provider, which tells of it, and has no more than was paid."""
        left = await self.connection.fetchval(
            "SELECT p.amount - coalesce((SELECT sum(amount) FROM orders.refunds WHERE payment_id = p.id AND status = 'succeeded'), 0)"
            " - coalesce((SELECT sum(unbooked) FROM payments.refunds_made_there WHERE order_id = p.order_id), 0)"
            " FROM orders.order_payments p WHERE p.order_id = $1 AND p.status = 'succeeded'",
            self.order,
        )
        if left:
            await self._heard([self._made(f"re_{uuid7()}", min(amount, int(left)), RefundStatus.SUCCEEDED)])

    async def refund_comes_back(self) -> None:
        """The last that went, whoever made it."""
        row = await self.connection.fetchrow(
            "SELECT coalesce(provider_id, made_there) AS id, amount FROM orders.refunds"
            " WHERE order_id = $1 AND status = 'succeeded' ORDER BY settled_at DESC, id LIMIT 1",
            self.order,
        )
        if row is not None:
            await self._heard([self._made(row["id"], row["amount"], RefundStatus.FAILED)])

    def _made(self, key: str, amount: int, status: RefundStatus) -> Refund:
        return Refund(key, IntentId(f"pi_{self.order}"), Money(amount, self.currency), status)

    async def _heard(self, made: list[Refund]) -> None:
        await self.refunds.book_made_there(self.order, made)

    async def seen(self) -> tuple[Order, list[OrderItem], list[Return]]:
        """By the admin, who sees all of it."""
        [order] = await self.desk.by_ids(self.admin, [self.order])
        [items] = await self.desk.items_of(self.admin, [self.order])
        returns = await self.records.returns_of(self.admin, [item.id for item in items])
        assert order is not None
        in_order = sorted(items, key=lambda item: self.products.index(item.product_id))
        return order, in_order, [each for some in returns for each in some]

    async def check(self) -> None:
        """What must be true at any time."""
        await self.check_order()
        await self._check_stock(self.connection.fetch)

    async def check_order(self) -> None:
        """Its states, their histories and its money."""
        order, items, _ = await self.seen()
        assert order.status is derived_status(item.fulfillment_status for item in items)
        histories = await self.records.item_history_of(self.admin, [item.id for item in items])
        for item, history in zip(items, histories, strict=True):
            assert (history[-1].status if history else "pending") == item.fulfillment_status
        await self._check_money(self.connection.fetch)

    async def _check_money(self, read: Any) -> None:
        refunds = await read("SELECT * FROM orders.refunds WHERE order_id = $1", self.order)
        back = sum(row["amount"] for row in refunds if row["status"] != "failed")
        payment = (await read("SELECT * FROM orders.order_payments WHERE order_id = $1", self.order))[0]
        is_paid = payment["status"] in ("succeeded", "refunded")
        assert back <= (self.total if is_paid else 0)
        succeeded = sum(row["amount"] for row in refunds if row["status"] == "succeeded")
        assert (payment["status"] == "refunded") == (is_paid and succeeded == self.total)
        entries = await read(
            "SELECT t.id, t.kind, e.account, e.amount FROM payments.ledger_transactions t"
            " JOIN payments.ledger_entries e ON e.transaction_id = t.id WHERE t.order_id = $1",
            self.order,
        )
        assert sum(row["amount"] for row in entries) == 0
        accounts: dict[str, int] = {}
        for row in entries:
            accounts[row["account"]] = accounts.get(row["account"], 0) + row["amount"]
        # of sales: a late payment was never one
        decided = sum(row["amount"] for row in refunds if row["reason"] != "late_payment")
        is_sold = any(row["kind"] == "sale" for row in entries)
        owed = accounts.get("buyers:owed", 0)
        assert 0 <= owed <= sum(row["amount"] for row in refunds if row["status"] != "succeeded")
        assert accounts.get("buyer_receipts", 0) == (decided - owed - self.total if is_sold else 0)
        assert accounts.get("marketplace:commission", 0) >= 0
        if decided == self.total and not owed and all(row["borne_by"] == "seller" for row in refunds):
            assert {name: amount for name, amount in accounts.items() if amount} == {}

    async def _check_stock(self, read: Any) -> None:
        rows = await read(
            "SELECT p.stock_quantity, p.reserved_quantity, i.id, i.quantity, i.fulfillment_status AS status, coalesce(("
            "  SELECT sum(r.quantity) FROM orders.returns r WHERE r.order_item_id = i.id AND r.is_restocked), 0) AS back,"
            " EXISTS (SELECT FROM orders.order_item_status_histories h"
            "  WHERE h.order_item_id = i.id AND h.status = 'processing') AS was_paid"
            " FROM orders.order_items i JOIN catalog.products p ON p.id = i.product_id WHERE i.order_id = $1",
            self.order,
        )
        for row in rows:
            is_gone = row["was_paid"] and row["status"] != "cancelled"
            assert row["stock_quantity"] == STOCK - (row["quantity"] if is_gone else 0) + row["back"]
            assert row["reserved_quantity"] == (row["quantity"] if row["status"] == "pending" else 0)


def begun(runner: asyncio.Runner, urls: tuple[str, str], lines: list[Line], fees: list[int], currency: str) -> Life:
    life = Life(*urls)
    runner.run(life.begin(lines, fees, currency))
    return life
