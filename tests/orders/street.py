"""Shoppers and a shop: carts, checkouts and payments by their use cases, on a real database, DynamoDB and a Stripe sandbox.

What a worker does for everybody's orders is done here for those of this street alone, when it is told to.
"""

from collections.abc import Sequence

import httpx

from adapters.aws.clients import Aws
from adapters.breaker import Breaker
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.tables import ensure_tables
from adapters.postgres.accounts_addresses import PostgresAddresses
from adapters.postgres.accounts_profiles import PostgresProfiles
from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.orders_checkout import PostgresOrderBook
from adapters.postgres.sellers import PostgresSellers
from adapters.stripe.connection import StripeConnection
from adapters.stripe.payments import StripePayments
from domain.accounts.addresses import Addresses, AddressFields
from domain.accounts.profiles import Profiles
from domain.carts.model import Cart, LineRef
from domain.carts.pricing import Pricing
from domain.carts.quotes import PricedCart
from domain.carts.service import CartDesk, settle
from domain.catalog.service import Catalog
from domain.orders.buying import Destination, HoldLimits
from domain.orders.checkout import Checkout, CheckoutRequest
from domain.payments.finaliser import Finaliser
from domain.payments.model import IntentId
from domain.payments.reconciliation import Reconciliation
from domain.payments.refunds import RefundDesk
from domain.sellers.service import Sellers
from domain.shared.ids import OrderId, ProductId, SellerId, UserId, uuid7
from domain.shared.languages import Language
from domain.shared.viewer import Role, Viewer
from settings import Settings
from tests.orders.life import Life
from tests.orders.street_ports import OwnPayments, OwnRefunds, Settling, Sold
from tests.payments.scene import MovingClock
from tests.postgres.shop import Shop
from tests.sandbox.running import KEY

PATIENCE_MS = 30_000
WHERE = AddressFields("山田花子", "100-0001", "東京都", "千代田区", "千代田1-1", None, "03-1234-5678")
UNITS = 200


class Street(Life):
    """Two shoppers who sign in, the first of whom also shops as a guest, and what two sellers have on their shelves."""

    def __init__(self, settings: Settings, stripe_url: str, stocks: Sequence[int]) -> None:
        super().__init__(settings.database_url.get_secret_value(), settings.database_worker_url.get_secret_value())
        self.settings, self.stripe_url, self.stocks = settings, stripe_url, stocks
        self.orders: list[Sold] = []

    async def open_shop(self) -> None:
        self.clock = MovingClock()
        await self.open(self.clock)
        self.aws = Aws(self.settings.aws_region, self.settings.aws_endpoint_url, timeout_ms=PATIENCE_MS)
        await self.aws.__aenter__()
        prefix = self.settings.dynamodb_table_prefix
        await ensure_tables(self.aws, prefix)
        self.sandbox = httpx.Client(
            base_url=self.stripe_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60, trust_env=False
        )
        self.stripe = StripeConnection(KEY, api_base=self.stripe_url, timeout_ms=PATIENCE_MS, breaker=Breaker())
        self._services(DynamoCarts(self.aws, prefix, self.clock))
        await self._people(Shop(self.connection))

    def _services(self, kept: DynamoCarts) -> None:
        provider, read = StripePayments(self.stripe), self.database
        self.kept, self.book = kept, PostgresOrderBook(read)
        catalog = Catalog(PostgresProducts(read), PostgresBrands(read), PostgresCategories(read))
        self.carts = CartDesk(kept, catalog, self.clock, self.book)
        self.pricing = Pricing(catalog, Sellers(PostgresSellers(read)), self.book)
        self.finaliser = Finaliser(provider, self.payments, self.clock)
        self.settling = Settling(self.finaliser)
        self.refund_desk = RefundDesk(provider, OwnRefunds(self), self.clock)
        self.reconciliation = Reconciliation(self.finaliser, OwnPayments(self), self.clock)
        self.checkout = Checkout(
            self.carts, Addresses(PostgresAddresses(read)), Profiles(PostgresProfiles(read), self.clock), self.book,
            self.desk, self.settling, self.clock, HoldLimits(UNITS), "secret",
        )  # fmt: skip

    async def _people(self, shop: Shop) -> None:
        self.currency = "JPY"
        self.sellers = [await shop.seller(), await shop.seller()]
        category = await shop.category()
        self.products = [
            await shop.product(self.sellers[of % 2], category, stock_quantity=stock, base_price=300 + 700 * of)
            for of, stock in enumerate(self.stocks)
        ]
        self.counted = dict(zip(self.products, self.stocks, strict=True))
        users = [UserId(await shop.user()) for _ in range(2)]
        self.people = [
            Viewer(Role.USER, users[0]),
            Viewer(Role.USER, users[1]),
            Viewer(Role.ANONYMOUS, guest_id=uuid7()),
        ]
        self.admin = Viewer(Role.ADMIN, UserId(await shop.user()))
        self.clerks = [
            Viewer(Role.USER, UserId(await shop.user()), seller_ids=(SellerId(each),)) for each in self.sellers
        ]
        for clerk, seller in zip(self.clerks, self.sellers, strict=True):
            await self._run("INSERT INTO sellers.members (seller_id, user_id) VALUES ($1, $2)", seller, clerk.user_id)

    async def end(self) -> None:
        self.sandbox.close()
        await self.stripe.close()
        await self.aws.__aexit__(None, None, None)
        await super().end()

    def turn_to(self, sold: Sold) -> None:
        """What follows is about this order."""
        self.order, self.buyer = sold.id, self.people[sold.who]

    async def cart(self, who: int) -> Cart:
        return await self.carts.cart(self.people[who])

    async def priced(self, who: int) -> PricedCart:
        [found] = await self.pricing.of_carts([await self.cart(who)])
        return found

    def ref(self, product: int) -> LineRef:
        return LineRef(ProductId(self.products[product]), None)

    def request(self, who: int, key: str, quote_hash: str) -> CheckoutRequest:
        email = "guest@example.com" if self.people[who].user_id is None else None
        return CheckoutRequest(key, quote_hash, Destination(None, WHERE, email), Language.JA)

    async def free(self, who: int, product: int) -> tuple[int, int]:
        """Units that anybody may have, and with those that the shopper holds by an order that is not paid."""
        row = await self.connection.fetchrow(FREE, self.products[product])
        owner = (await self.cart(who)).owner
        held = {} if owner is None else await self.book.own_holds(owner)
        return row[0], row[0] + held.get(self.ref(product), 0)

    async def intent_of(self, order: OrderId) -> IntentId | None:
        found = await self.connection.fetchval(
            "SELECT stripe_payment_intent_id FROM orders.order_payments WHERE order_id = $1", order
        )
        return None if found is None else IntentId(found)

    async def confirm(self, order: OrderId, card: str) -> bool:
        """What the buyer does in the browser; whether it is paid now."""
        intent = await self.intent_of(order)
        if intent is None:
            return False
        answer = self.sandbox.post(f"/v1/payment_intents/{intent}/confirm", data={"payment_method": card})
        assert answer.status_code in (200, 400, 402), answer.text
        return answer.status_code == 200

    async def leave_cart(self, order: OrderId) -> None:
        """What the worker's consumer of the paid order does."""
        bought = await self.book.bought(order)
        assert bought is not None
        await settle(self.kept, bought)

    async def carry_out_refunds(self) -> None:
        await self.refund_desk.work()

    async def sweep(self, minutes: int) -> None:
        """So much later the jobs come by."""
        self.clock.move(minutes=minutes)
        for run in (self.reconciliation.check(), self.reconciliation.expire()):
            async for _ in run:
                pass

    async def change(self, column: str, product: int, value: int) -> None:
        await self._run(f"UPDATE catalog.products SET {column} = $2 WHERE id = $1", self.products[product], value)

    async def get_more_in(self, product: int, more: int) -> None:
        await self._run(
            "UPDATE catalog.products SET stock_quantity = stock_quantity + $2 WHERE id = $1",
            self.products[product],
            more,
        )

    async def was_paid(self, order: OrderId) -> bool:
        """Whether there is an event of it."""
        told = "SELECT count(*) FROM events.outbox WHERE stream = $1 AND type = 'OrderPaid'"
        return bool(await self.connection.fetchval(told, f"order/{order}"))

    async def status(self, order: OrderId) -> str:
        return str(await self.connection.fetchval("SELECT status FROM orders.orders WHERE id = $1", order))

    async def states(self) -> set[str]:
        """What orders, returns and refunds are, such as `return refused`."""
        return {str(row["state"]) for row in await self.connection.fetch(STATES, [each.id for each in self.orders])}

    async def check(self) -> None:
        chosen = getattr(self, "order", None), getattr(self, "buyer", None)
        for sold in self.orders:
            self.turn_to(sold)
            self.total = await self.connection.fetchval("SELECT total_amount FROM orders.orders WHERE id = $1", sold.id)
            await self.check_order()
            await self._check_provider(sold.id)
        await self._check_shelves()
        await self._check_carts()
        if chosen[0] is not None:
            self.order, self.buyer = chosen  # type: ignore[assignment]

    async def _check_provider(self, order: OrderId) -> None:
        """Never paid twice; what the books say was paid was, and what they say went back did."""
        received, back, times = await self.money_of(order)
        assert times <= 1
        row = await self.connection.fetchrow(BOOKED, order)
        if row["status"] in ("succeeded", "refunded"):
            assert received == row["amount"]
            assert back == row["back"]
        else:
            assert back == row["back"] == 0

    async def money_of(self, order: OrderId) -> tuple[int, int, int]:
        """What the provider received for an order, what of it went back, and how many payments that were."""
        query = f"metadata['order_id']:'{order}'"
        intents = self.sandbox.get("/v1/payment_intents/search", params={"query": query}).json()["data"]
        assert sum(each["status"] != "canceled" for each in intents) <= 1
        paid = [each for each in intents if each["amount_received"]]
        back = 0
        for each in paid:
            made = self.sandbox.get("/v1/refunds", params={"payment_intent": each["id"]}).json()["data"]
            back += sum(refund["amount"] for refund in made if refund["status"] == "succeeded")
        return sum(each["amount_received"] for each in paid), back, len(paid)

    async def _check_shelves(self) -> None:
        for row in await self.connection.fetch(SHELVES, self.products):
            where = row["id"], row["stock_quantity"], row["reserved_quantity"]
            assert row["stock_quantity"] == self.counted[row["id"]] - row["gone"] + row["back"], where
            assert row["reserved_quantity"] == row["pending"] == row["held"], where
            assert 0 <= row["reserved_quantity"] <= row["stock_quantity"], where

    async def _check_carts(self) -> None:
        """One living order of a version of a cart, and one unpaid order of a shopper."""
        rows = await self.connection.fetch(CARTS, [each.id for each in self.orders])
        versions = [(row["cart_owner"], row["cart_id"], row["cart_version"]) for row in rows]
        assert len(versions) == len(set(versions))
        unpaid = [row["cart_owner"] for row in rows if row["status"] == "pending"]
        assert len(unpaid) == len(set(unpaid))

    async def finish(self) -> None:
        """Everything that was begun comes to its end, and nothing is left over."""
        for sold in self.orders:
            await self.finaliser.settle(sold.id)
        await self.sweep(31)
        await self.carry_out_refunds()
        await self.check()
        for sold in self.orders:
            assert await self.status(sold.id) != "pending"
            received, back, _ = await self.money_of(sold.id)
            assert received - back == await self.connection.fetchval(RECEIPTS, sold.id)
        held = await self.connection.fetchval(
            "SELECT sum(reserved_quantity) FROM catalog.products WHERE id = ANY ($1)", self.products
        )
        assert held == 0


FREE = "SELECT greatest(stock_quantity - reserved_quantity, 0) FROM catalog.products WHERE id = $1"
BOOKED = """
SELECT status, amount, coalesce((SELECT sum(r.amount) FROM orders.refunds r
    WHERE r.order_id = p.order_id AND r.status = 'succeeded'), 0) AS back
FROM orders.order_payments p WHERE order_id = $1
"""
RECEIPTS = """
SELECT coalesce(-sum(e.amount), 0)::bigint FROM payments.ledger_entries e
JOIN payments.ledger_transactions t ON t.id = e.transaction_id
WHERE t.order_id = $1 AND e.account = 'buyer_receipts'
"""
STATES = """
SELECT 'order ' || status AS state FROM orders.orders WHERE id = ANY ($1)
UNION SELECT 'return ' || status FROM orders.returns WHERE order_id = ANY ($1)
UNION SELECT 'refund ' || status FROM orders.refunds WHERE order_id = ANY ($1)
"""
CARTS = """
SELECT c.cart_owner, c.cart_id, c.cart_version, o.status FROM orders.checkouts c
JOIN orders.orders o ON o.id = c.order_id WHERE o.id = ANY ($1) AND o.status <> 'cancelled'
"""
SHELVES = """
SELECT p.id, p.stock_quantity, p.reserved_quantity,
    coalesce(sum(i.quantity) FILTER (WHERE i.fulfillment_status = 'pending'), 0) AS pending,
    coalesce(sum(i.quantity) FILTER (WHERE i.fulfillment_status NOT IN ('pending', 'cancelled')), 0) AS gone,
    (SELECT coalesce(sum(r.quantity), 0) FROM orders.reservations r
        WHERE r.product_id = p.id AND r.state = 'held') AS held,
    (SELECT coalesce(sum(r.quantity), 0) FROM orders.returns r
        JOIN orders.order_items ri ON ri.id = r.order_item_id
        WHERE ri.product_id = p.id AND r.is_restocked) AS back
FROM catalog.products p LEFT JOIN orders.order_items i ON i.product_id = p.id
WHERE p.id = ANY ($1) GROUP BY p.id
"""
