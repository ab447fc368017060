"""Accounts that are deleted while something of theirs has still to arrive."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text, update

from adapters.postgres import tables
from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from domain.shared.clock import SystemClock
from domain.shared.ids import UserId, uuid7
from domain.shared.viewer import ANONYMOUS
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.factories import Bought, Factory

DELETE = 'mutation { accountDelete(input: {confirm: "DELETE"}) { isErased userErrors { code } } }'
STATE = "orderItem { version fulfillmentStatus } userErrors { code }"
SHIP = f"mutation ($input: OrderItemShipInput!) {{ move: orderItemShip(input: $input) {{ {STATE} }} }}"
DELIVER = f"mutation ($input: OrderItemDeliverInput!) {{ move: orderItemDeliver(input: $input) {{ {STATE} }} }}"
CANCEL = f"mutation ($input: OrderItemCancelInput!) {{ move: orderItemCancel(input: $input) {{ {STATE} }} }}"


class Leaver:
    """Somebody who has bought of a shop where a clerk works."""

    def __init__(self, make: Factory, client: Client, clerk: Client, user_id: UUID, sellers: list[UUID]) -> None:
        self.make, self.client, self.clerk, self.user_id, self.sellers = make, client, clerk, UserId(user_id), sellers

    async def bought(self, items: int = 1, **values: Any) -> Bought:
        product = await self.make.product(seller_id=self.sellers[0], stock_quantity=10)
        made = await self.make.bought(
            self.user_id, *[(product, self.sellers[0], 1, 1000) for _ in range(items)], **values
        )
        await self.make.order_address(made.order, email="leaver@example.com")
        return made

    async def leave(self) -> None:
        done = (await self.client.data(DELETE))["accountDelete"]
        assert done == {"isErased": True, "userErrors": []}

    async def move(self, mutation: str, item: UUID, version: int, **given: Any) -> None:
        sent = {"orderItemId": encode("OrderItem", item), "expectedVersion": version, **given}
        moved = (await self.clerk.data(mutation, input=sent))["move"]
        assert moved["userErrors"] == []

    async def address(self, order: UUID) -> Any:
        found = await self.make.rows(select(tables.order_addresses).where(tables.order_addresses.c.order_id == order))
        return found[0] if found else None


@pytest.fixture
async def leaver(http: httpx.AsyncClient, token_of: Tokens, make: Factory) -> Leaver:
    clients, users = [], []
    for who in ("leaves", "clerk"):
        email = f"{who}-{uuid7()}@example.com"
        clients.append(Client(http, token=await token_of(email, "buyer")))
        await clients[-1].data("{ viewer { email } }")
        users.append(await make.user_id(email))
    seller = await make.seller()
    await make.member(seller, users[1])
    await clients[1].works_for(seller)
    return Leaver(make, clients[0], clients[1], users[0], [seller])


async def test_what_has_to_arrive_keeps_its_address_until_it_has(leaver: Leaver) -> None:
    home = {"shipping_address": {"line1": "千代田1-1"}, "source": "shop"}
    under_way, arrived = await leaver.bought(2, metadata=home), await leaver.bought(status="delivered")
    await leaver.leave()
    assert await leaver.address(arrived.order) is None
    kept = await leaver.address(under_way.order)
    assert (kept.recipient_name, kept.address_line1) == ("山田花子", "千代田1-1")
    assert kept.email == f"deleted-{leaver.user_id}@deleted.invalid"  # no carrier needs that
    [payment] = await leaver.make.rows(
        select(tables.order_payments).where(tables.order_payments.c.order_id == under_way.order)
    )
    assert payment.payment_method_details == {}
    first, second = under_way.items
    await leaver.move(SHIP, first, 1, carrier="ヤマト運輸", trackingNumber="1")
    await leaver.move(DELIVER, first, 2)
    assert await leaver.address(under_way.order) is not None  # the other one has still to be sent
    await leaver.move(CANCEL, second, 1, idempotencyKey=str(uuid7()))
    assert await leaver.address(under_way.order) is None
    [order] = await leaver.make.rows(select(tables.orders).where(tables.orders.c.id == under_way.order))
    assert (order.status, order.metadata) == ("delivered", {"source": "shop"})


async def test_who_stays_keeps_the_address_of_what_arrived(leaver: Leaver) -> None:
    bought = await leaver.bought()
    await leaver.move(SHIP, bought.items[0], 1, carrier="ヤマト運輸", trackingNumber="1")
    await leaver.move(DELIVER, bought.items[0], 2)
    assert (await leaver.address(bought.order)).email == "leaver@example.com"


WAITED_FOR = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"


async def test_what_arrives_at_the_moment_of_leaving_is_erased_by_one_of_the_two(
    leaver: Leaver, prepared: Settings
) -> None:
    """The clerk's transaction does not see the account leave; the deletion waits for it, and sees how it ended."""
    bought = await leaver.bought()
    items, [item] = tables.order_items, bought.items
    await leaver.move(SHIP, item, 1, carrier="ヤマト運輸", trackingNumber="1")
    clerks = Database(prepared.database_url.get_secret_value())
    others = Database(prepared.database_url.get_secret_value())
    try:
        async with clerks.till(ANONYMOUS) as connection:
            await connection.execute(
                select(tables.orders.c.id).where(tables.orders.c.id == bought.order).with_for_update(key_share=True)
            )
            for table, key, column in (
                (tables.order_item_status_histories, "order_item_id", item),
                (tables.order_status_histories, "order_id", bought.order),
            ):
                told = {key: column, "status": "delivered", "created_at": SystemClock().now()}
                await connection.execute(table.insert().values(id=uuid7(), **told))
            arrived = {"fulfillment_status": "delivered"}
            await connection.execute(update(items).where(items.c.id == item).values(arrived))
            its = tables.orders.c.id == bought.order
            await connection.execute(update(tables.orders).where(its).values(status="delivered"))
            # the deferred checks look now, before anybody leaves; what commits afterwards is what they saw
            await connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            await leaver.make.change(tables.users, leaver.user_id, deletion_requested_at=SystemClock().now())
            forgetting = asyncio.create_task(PostgresOrders(others).forget_buyer(leaver.user_id))
            async with asyncio.timeout(30):
                while not await connection.scalar(text(WAITED_FOR)):
                    await asyncio.sleep(0)
        await forgetting
    finally:
        await clerks.close()
        await others.close()
    assert await leaver.address(bought.order) is None


async def test_what_is_paid_after_its_buyer_left_is_paid_with_nobodys_card(leaver: Leaver) -> None:
    bought = await leaver.bought(status="pending")
    await leaver.leave()
    its = tables.order_payments.c.order_id == bought.order
    async with leaver.make._database.till(ANONYMOUS) as connection:
        paid = {"status": "processing", "payment_method_details": {"type": "card", "last4": "4242"}}
        await connection.execute(update(tables.order_payments).where(its).values(paid))
    [payment] = await leaver.make.rows(select(tables.order_payments).where(its))
    assert payment.payment_method_details == {}
    assert await leaver.address(bought.order) is not None
