"""What the database holds of orders by itself: moves, histories, derived states, refunds, the ledger."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.orders.states import ADVANCE, MACHINES, derived_status
from domain.shared.ids import uuid7
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop

ITEM = "UPDATE orders.order_items SET fulfillment_status = $2 WHERE id = $1"
STATE = "SELECT fulfillment_status FROM orders.order_items WHERE id = $1"
TABLES = {"payment": "orders.order_payments", "return": "orders.returns", "refund": "orders.refunds"}


class Placed:
    """An order of one seller, paid, with so many items of 1,000 yen."""

    def __init__(self, shop: Shop, seller: UUID, order: UUID, payment: UUID, items: list[UUID]) -> None:
        self.shop, self.seller, self.order, self.payment, self.items = shop, seller, order, payment, items
        self.connection = shop.connection

    async def tell(self, item: UUID, status: str, of_order: str | None = None) -> None:
        await self.shop.item_history(item, status=status)
        if of_order:
            await self.shop.history(self.order, status=of_order)
            await self.connection.execute("UPDATE orders.orders SET status = $2 WHERE id = $1", self.order, of_order)

    async def go(self, item: UUID, status: str, of_order: str | None = None) -> None:
        """In one transaction, and told."""
        async with self.connection.transaction():
            await self.connection.execute(ITEM, item, status)
            await self.tell(item, status, of_order)

    async def refund(self, item: UUID, amount: int) -> UUID:
        return (await self.shop.refund(self.order, self.payment, item, self.seller, amount))[0]


@pytest.fixture
async def placed(shelf: Shelf) -> Placed:
    return await place(shelf, "delivered", "delivered")


async def place(shelf: Shelf, *statuses: str) -> Placed:
    shop, product = shelf.shop, await shelf.product()
    total = 1000 * len(statuses)
    order = await shop.order(await shop.user(), subtotal=total, total_amount=total, status=statuses[0])
    items = [await shop.item(order, product, shelf.seller, fulfillment_status=status) for status in statuses]
    payment = await shop.payment(order, amount=total, status="succeeded")
    return Placed(shop, shelf.seller, order, payment, items)


@pytest.fixture
async def till(worker: Any) -> AsyncIterator[Any]:
    await worker.execute("SET ROLE torii_till")
    yield worker
    await worker.execute("RESET ROLE")


async def test_the_moves_are_those_of_the_domain(owner: Any) -> None:
    rows = {tuple(row) for row in await owner.fetch("SELECT machine, source, target FROM orders.moves")}
    assert rows == {(machine, *move) for machine, (_, moves) in MACHINES.items() for move in moves}


async def test_no_item_goes_where_no_move_leads(shelf: Shelf) -> None:
    states, moves = MACHINES["item"]
    for source in states:
        for target in states:
            placed = await place(shelf, source.value)
            if (source, target) in moves:
                await placed.go(placed.items[0], target.value, of_order=target.value)
            elif source is not target:
                with pytest.raises(asyncpg.CheckViolationError, match=f"no item goes from {source} to {target}"):
                    await placed.connection.execute(ITEM, placed.items[0], target.value)


@pytest.mark.parametrize("machine", TABLES)
async def test_nothing_else_goes_where_no_move_leads(shelf: Shelf, machine: str) -> None:
    states, moves = MACHINES[machine]
    for source in states:
        for target in states:
            placed = await place(shelf, "delivered")
            item = placed.items[0]
            if machine == "payment":
                order = await placed.shop.order(None)
                key = await placed.shop.payment(order, status=source.value)
            elif machine == "return":
                key = await placed.shop.return_(placed.order, item, placed.seller, status=source.value)
            else:
                key = await placed.refund(item, 1000)
                if source.value != "pending":
                    await placed.connection.execute(
                        "UPDATE orders.refunds SET status = $2 WHERE id = $1", key, source.value
                    )
            change = f"UPDATE {TABLES[machine]} SET status = $2 WHERE id = $1"
            if source is target or (source, target) in moves:
                await placed.connection.execute(change, key, target.value)
            else:
                with pytest.raises(asyncpg.CheckViolationError, match=f"no {machine} goes from {source} to {target}"):
                    await placed.connection.execute(change, key, target.value)


async def test_a_change_that_the_history_does_not_tell_is_undone(placed: Placed) -> None:
    first = placed.items[0]
    with pytest.raises(asyncpg.CheckViolationError, match="history"):
        await placed.connection.execute(ITEM, first, "refunded")
    await placed.shop.item_history(first, status="refunded")  # told at another time
    with pytest.raises(asyncpg.CheckViolationError, match="history"):
        await placed.connection.execute(ITEM, first, "refunded")


async def test_what_happened_elsewhere_long_ago_is_told_at_its_time(placed: Placed) -> None:
    first = placed.items[0]
    long_ago = datetime(2010, 1, 5, tzinfo=UTC)
    async with placed.connection.transaction():
        await placed.shop.item_history(first, status="refunded", created_at=long_ago)
        await placed.connection.execute(ITEM, first, "refunded")
    assert await placed.connection.fetchval(STATE, first) == "refunded"

    last = placed.items[1]
    await placed.shop.item_history(last, status="refunded", created_at=long_ago)
    with pytest.raises(asyncpg.CheckViolationError, match="history"):
        await placed.connection.execute(ITEM, last, "refunded")


async def test_an_order_that_is_not_where_its_items_are_is_undone(shelf: Shelf) -> None:
    placed = await place(shelf, "processing", "processing")
    first, last = placed.items
    await placed.go(first, "shipped")
    with pytest.raises(asyncpg.CheckViolationError, match="not where its items are"):
        await placed.go(last, "shipped")
    await placed.go(last, "shipped", of_order="shipped")
    with pytest.raises(asyncpg.CheckViolationError, match="not where its items are"):
        await placed.go(last, "delivered", of_order="delivered")


async def test_the_database_derives_as_the_domain_does(shelf: Shelf, owner: Any) -> None:
    states = [*ADVANCE, *(state for state in MACHINES["item"][0] if state not in ADVANCE)]
    for first in states:
        for second in states:
            placed = await place(shelf, first.value, second.value)
            found = await placed.connection.fetchval("SELECT orders.derived_status($1)", placed.order)
            assert found == derived_status([first, second]).value  # type: ignore[list-item]


async def test_the_shops_own_writer_begins_at_the_beginning(placed: Placed, till: Any) -> None:
    shop = Shop(till)
    product = await till.fetchval("SELECT product_id FROM orders.order_items WHERE id = $1", placed.items[0])
    with pytest.raises(asyncpg.CheckViolationError, match="middle of its way"):
        await shop.item(placed.order, product, placed.seller, fulfillment_status="shipped")
    order = await shop.order(None)
    with pytest.raises(asyncpg.CheckViolationError, match="middle of its way"):
        await shop.payment(order, status="succeeded")
    with pytest.raises(asyncpg.CheckViolationError, match="middle of its way"):
        await shop.return_(placed.order, placed.items[0], placed.seller, status="accepted")


class TestRefunds:
    async def test_no_more_goes_back_than_was_paid(self, placed: Placed) -> None:
        first, second = placed.items
        await placed.refund(first, 1000)
        failed = await placed.refund(second, 600)
        with pytest.raises(asyncpg.CheckViolationError, match="than was paid"):
            await placed.refund(second, 401)
        await placed.connection.execute("UPDATE orders.refunds SET status = 'failed' WHERE id = $1", failed)
        await placed.refund(second, 401)
        with pytest.raises(asyncpg.CheckViolationError, match="than was paid"):
            await placed.connection.execute("UPDATE orders.refunds SET status = 'pending' WHERE id = $1", failed)

    async def test_no_more_of_an_item_than_it_cost(self, placed: Placed) -> None:
        await placed.refund(placed.items[0], 900)
        with pytest.raises(asyncpg.CheckViolationError, match="of an item"):
            await placed.refund(placed.items[0], 101)

    async def test_only_of_what_was_paid_and_for_its_own_seller(self, placed: Placed, shelf: Shelf) -> None:
        shop, item = placed.shop, placed.items[0]
        unpaid = await shop.order(None)
        payment = await shop.payment(unpaid)
        with pytest.raises(asyncpg.CheckViolationError, match="what was paid"):
            await shop.refund(unpaid, payment, item, placed.seller, 100)
        with pytest.raises(asyncpg.CheckViolationError, match="what was paid"):
            await shop.refund(unpaid, placed.payment, item, placed.seller, 100)
        with pytest.raises(asyncpg.CheckViolationError, match="of an item"):
            await shop.refund(placed.order, placed.payment, item, await shop.seller(), 100)

    async def test_its_parts_add_up_and_it_stays_what_it_is(self, placed: Placed) -> None:
        row = {"order_id": placed.order, "payment_id": placed.payment, "seller_id": placed.seller}
        with pytest.raises(asyncpg.CheckViolationError, match="says what it is for"):
            await placed.shop.insert("orders.refunds", row | {"amount": 5, "currency": "JPY", "reason": "goodwill"})
        refund = await placed.refund(placed.items[0], 10)
        with pytest.raises(asyncpg.RestrictViolationError):
            await placed.connection.execute("UPDATE orders.refunds SET amount = 1 WHERE id = $1", refund)


class TestReturns:
    async def test_no_more_than_was_bought_and_only_what_was_delivered(self, placed: Placed, shelf: Shelf) -> None:
        first = placed.items[0]
        refused = await placed.shop.return_(placed.order, first, placed.seller)
        with pytest.raises(asyncpg.CheckViolationError, match="than was bought"):
            await placed.shop.return_(placed.order, first, placed.seller)
        await placed.connection.execute("UPDATE orders.returns SET status = 'refused' WHERE id = $1", refused)
        await placed.shop.return_(placed.order, first, placed.seller)
        sent = await place(shelf, "shipped")
        with pytest.raises(asyncpg.CheckViolationError, match="delivered"):
            await sent.shop.return_(sent.order, sent.items[0], sent.seller)


class TestLedger:
    async def test_a_transaction_sums_to_zero(self, placed: Placed) -> None:
        sale = await placed.shop.posting(placed.order, placed.seller)
        with pytest.raises(asyncpg.CheckViolationError, match="sum to zero"):
            await placed.connection.execute(
                "INSERT INTO payments.ledger_entries (transaction_id, account, amount) VALUES ($1, 'x', 1)", sale
            )
        with pytest.raises(asyncpg.CheckViolationError, match="sum to zero"):
            await placed.shop.insert(
                "payments.ledger_transactions",
                {"kind": "sale", "key": str(uuid7()), "order_id": placed.order, "seller_id": placed.seller,
                 "currency": "JPY"},
            )  # fmt: skip

    async def test_it_happens_once(self, placed: Placed) -> None:
        await placed.shop.posting(placed.order, placed.seller)
        with pytest.raises(asyncpg.UniqueViolationError):
            await placed.shop.posting(placed.order, placed.seller)

    async def test_nothing_is_changed_or_taken_away_by_anybody(self, placed: Placed, owner: Any) -> None:
        await placed.shop.posting(placed.order, placed.seller)
        for table in ("ledger_transactions", "ledger_entries"):
            for statement in (f"DELETE FROM payments.{table}", f"TRUNCATE payments.{table} CASCADE"):
                with pytest.raises(asyncpg.RestrictViolationError):
                    await owner.execute(statement)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await placed.connection.execute(f"DELETE FROM payments.{table}")
