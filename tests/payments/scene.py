"""An order as checkout leaves it: written, its stock set aside, nothing asked of the provider yet."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.shared.ids import OrderId, uuid7
from domain.shared.money import Money
from tests.postgres.shop import Shop

IN_STOCK, BOUGHT = 10, 2
CANCEL = (
    "UPDATE orders.order_items SET fulfillment_status = 'cancelled' WHERE order_id = $1",
    "UPDATE orders.orders SET status = 'cancelled' WHERE id = $1",
    "INSERT INTO orders.order_status_histories (order_id, status, changed_as) VALUES ($1, 'cancelled', 'buyer')",
    "INSERT INTO orders.order_item_status_histories (order_item_id, status, changed_as)"
    " SELECT id, 'cancelled', 'buyer' FROM orders.order_items WHERE order_id = $1",
)
UNTIL_PAID = timedelta(minutes=30)


class MovingClock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of two units of one product."""

    id: OrderId
    product: UUID
    variation: UUID | None
    seller: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class Books:
    """All that is written of an order, to compare. `stock` and `reserved` are the product's."""

    order: str
    items: list[str]
    payment: str
    reservations: list[str]
    stock: int
    reserved: int
    history: list[str]
    events: list[str]


class Scene:
    """Places orders, and reads what became of them, as the worker role."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._shop = Shop(connection)

    async def place(
        self, currency: str = "JPY", *, at: datetime | None = None, of_variation: bool = False, **order: Any
    ) -> Placed:
        at = at or datetime.now(UTC)
        seller = await self._shop.seller()
        product = await self._shop.product(
            seller, await self._shop.category(), currency=currency, stock_quantity=IN_STOCK
        )
        variation = await self._shop.variation(product, stock_quantity=IN_STOCK) if of_variation else None
        amount = Money(1000 * BOUGHT, currency)
        columns = {"currency": currency, "subtotal": amount.minor, "total_amount": amount.minor}
        times = {"expires_at": at + UNTIL_PAID, "created_at": at}
        key = await self._shop.order(await self._shop.user(), at, **columns, **times | order)
        prices = {"quantity": BOUGHT, "unit_price": 1000, "total_price": amount.minor, "currency": currency}
        await self._shop.item(key, product, seller, product_variation_id=variation, **prices)
        await self._shop.payment(key, amount=amount.minor, currency=currency)
        await self._agree(key, seller, amount)
        await self._set_aside(key, product, variation, at + UNTIL_PAID)
        return Placed(OrderId(key), product, variation, seller, amount)

    async def _agree(self, order: UUID, seller: UUID, amount: Money) -> None:
        """A tenth is the marketplace's."""
        await self._connection.execute(
            "INSERT INTO orders.order_sellers (order_id, seller_id, seller_name, currency, subtotal, shipping_fee, total,"
            " commission_rate_bp, commission) VALUES ($1, $2, '山田商店', $3, $4::bigint, 0, $4::bigint, 1000, $4::bigint / 10)",
            order,
            seller,
            amount.currency,
            amount.minor,
        )

    async def _set_aside(self, order: UUID, product: UUID, variation: UUID | None, until: datetime) -> None:
        await self._connection.execute(
            "INSERT INTO orders.reservations (order_id, product_id, product_variation_id, quantity, expires_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            order,
            product,
            variation,
            BOUGHT,
            until,
        )
        where = ("catalog.product_variations", variation) if variation else ("catalog.products", product)
        await self._connection.execute(
            f"UPDATE {where[0]} SET reserved_quantity = reserved_quantity + $2 WHERE id = $1", where[1], BOUGHT
        )

    async def books(self, placed: Placed) -> Books:
        read, key = self._connection.fetch, placed.id
        product = (await read("SELECT * FROM catalog.products WHERE id = $1", placed.product))[0]
        return Books(
            order=(await read("SELECT status FROM orders.orders WHERE id = $1", key))[0][0],
            items=await self._column("fulfillment_status", "orders.order_items", key),
            payment=(await self._column("status", "orders.order_payments", key))[0],
            reservations=await self._column("state", "orders.reservations", key),
            stock=product["stock_quantity"],
            reserved=product["reserved_quantity"],
            history=await self._column("status", "orders.order_status_histories", key),
            events=[
                row[0]
                for row in await read(
                    "SELECT type FROM events.outbox WHERE stream = $1 ORDER BY sequence", f"order/{key}"
                )
            ],
        )

    async def _column(self, name: str, table: str, order: UUID) -> list[str]:
        rows = await self._connection.fetch(f"SELECT {name} FROM {table} WHERE order_id = $1 ORDER BY id", order)
        return [row[0] for row in rows]

    async def payment(self, placed: Placed) -> Any:
        return await self._connection.fetchrow("SELECT * FROM orders.order_payments WHERE order_id = $1", placed.id)

    async def refunds(self, placed: Placed) -> list[tuple[int, str, str, str]]:
        read = "SELECT amount, currency, reason, status FROM orders.refunds WHERE order_id = $1 ORDER BY id"
        return [tuple(row) for row in await self._connection.fetch(read, placed.id)]

    async def ledger(self, placed: Placed) -> dict[str, int]:
        """What stands in each account for this order."""
        rows = await self._connection.fetch(
            "SELECT account, sum(amount)::bigint AS amount FROM payments.ledger_entries e"
            " JOIN payments.ledger_transactions t ON t.id = e.transaction_id WHERE t.order_id = $1 GROUP BY 1",
            placed.id,
        )
        return {row["account"]: row["amount"] for row in rows}

    async def fetch(self, sql: str, *values: Any) -> Any:
        return await self._connection.fetch(sql, *values)

    def transaction(self) -> Any:
        return self._connection.transaction()

    async def cancel(self, placed: Placed) -> None:
        """As its buyer does, before it is paid: its payment is left to the finaliser."""
        async with self.transaction():
            for statement in CANCEL:
                await self._connection.execute(statement, placed.id)

    async def execute(self, sql: str, *values: Any) -> None:
        await self._connection.execute(sql, *values)


def someones_key() -> OrderId:
    """Of an order that is not there."""
    return OrderId(uuid7())
