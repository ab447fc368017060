"""`orderStatusChanged` and `sellerOrderItems`, from an event in PostgreSQL to the client: each once, in order, for those it is for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, text
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from adapters.postgres import tables
from adapters.postgres.database import Database
from domain.events.streams import cursor_of
from domain.shared.viewer import ANONYMOUS
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of
from tests.api.sockets import PROTOCOL, begin, closed, serving
from tests.api.watching import (
    SELLER,
    Outlet,
    message,
    order_event,
    refused,
    seller_event,
    telling,
    told,
    types,
    watch,
    watch_order,
)
from tests.factories import Factory

BUYER = "live-buyer@example.com"
KINDS = ("OrderPlaced", "OrderPaid", "OrderItemShipped", "OrderItemDelivered")


@pytest.fixture(scope="module")
async def database(prepared: Settings) -> AsyncIterator[Database]:
    database = Database(prepared.database_worker_url.get_secret_value(), pool_size=4, timeout_ms=30_000)
    yield database
    await database.close()


@pytest.fixture(scope="module")
def outlet(database: Database) -> Outlet:
    return Outlet(database)


@pytest.fixture(scope="module")
async def worker(prepared: Settings) -> AsyncIterator[None]:
    async with telling(prepared):
        yield


@pytest.fixture(scope="module")
async def token(token_of: Tokens) -> str:
    return await token_of(BUYER, "buyer")


@pytest.fixture
async def order(app: Starlette, token: str, make: Factory) -> UUID:
    """One that the buyer placed."""
    seller = await make.seller()
    product = await make.product(seller_id=seller)
    return await make.order(await buyer_of(make, token, app), (product, seller, 1000), status="pending")


async def buyer_of(make: Factory, token: str, app: Starlette) -> UUID:
    from tests.api.client import Client
    from tests.api.conftest import client_of

    async with client_of(app) as http:  # seen for the first time
        await Client(http, token=token).data("{ viewer { __typename } }")
    return await make.user_id(BUYER)


async def test_where_it_stands_is_told_first_and_then_each_event(
    address: str, worker: None, outlet: Outlet, order: UUID, token: str, make: Factory
) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order)
        first = await told(socket)
        assert (first["type"], first["orderStatus"], first["order"]) == ("CURRENT", None, {"status": "PENDING"})
        await outlet.put(order_event(order))
        second = await told(socket)
        assert second["cursor"] != first["cursor"]
        del second["cursor"]
        shown = {
            "type": "ORDER_PAID",
            "orderStatus": "PROCESSING",
            "itemStatus": None,
            "order": {"status": "PENDING"},
        }
        assert second == shown
        await outlet.put(order_event(order, "OrderItemShipped", "processing", itemStatus="shipped"))
        assert (await told(socket))["itemStatus"] == "SHIPPED"
        await outlet.put(order_event(order, "SomethingNew"))
        assert (await told(socket))["type"] == "CHANGED"


async def test_whoever_comes_again_gets_what_it_missed_once_and_in_order(
    address: str, worker: None, outlet: Outlet, order: UUID, token: str
) -> None:
    for kind in KINDS:
        await outlet.put(order_event(order, kind))
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order)
        cursor = (await told(socket))["cursor"]
    for kind in KINDS:
        await outlet.put(order_event(order, kind))
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order, cursor)
        assert await types(socket, 2) == ["ORDER_PLACED", "ORDER_PAID"]
        third = await told(socket)
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order, third["cursor"])
        await outlet.put(order_event(order, "RefundSucceeded"))
        assert await types(socket, 2) == ["ORDER_ITEM_DELIVERED", "REFUND_SUCCEEDED"]


async def test_more_than_a_page_that_was_missed_comes_whole_while_more_happens(
    address: str, worker: None, outlet: Outlet, order: UUID, token: str
) -> None:
    await outlet.put(order_event(order, "OrderPlaced"))
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order)
        cursor = (await told(socket))["cursor"]
        statuses = ["shipped", "delivered"] * 120
        await outlet.put(*(order_event(order, "OrderItemShipped", itemStatus=each) for each in statuses[:120]))
        await watch_order(socket, order, cursor, id="2")
        await outlet.put(*(order_event(order, "OrderItemShipped", itemStatus=each) for each in statuses[120:]))
        seen: dict[str, list[Any]] = {"1": [], "2": []}
        while min(map(len, seen.values())) < len(statuses):
            found = await message(socket)
            seen[found["id"]].append(found["payload"]["data"]["orderStatusChanged"])
        for events in seen.values():
            assert [each["itemStatus"].lower() for each in events] == statuses
            assert len({each["cursor"] for each in events}) == len(statuses)


async def test_every_process_tells_its_own_clients(
    address: str, prepared: Settings, worker: None, outlet: Outlet, order: UUID, token: str
) -> None:
    elsewhere = create_app(prepared)
    async with (
        elsewhere.router.lifespan_context(elsewhere),
        serving(elsewhere, prepared) as host,
        connect(address, subprotocols=[PROTOCOL]) as one,
        connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL]) as other,
    ):
        for socket in (one, other):
            await begin(socket, Authorization=f"Bearer {token}")
            await watch_order(socket, order)
            await told(socket)
        await outlet.put(order_event(order))
        await outlet.put(order_event(order, "OrderItemShipped"))
        assert [await types(one, 2), await types(other, 2)] == [["ORDER_PAID", "ORDER_ITEM_SHIPPED"]] * 2


async def test_what_commits_late_is_told_before_what_came_after_it(
    address: str, worker: None, outlet: Outlet, order: UUID, token: str
) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        await watch_order(socket, order)
        await told(socket)
        async with outlet.late(order_event(order, "OrderPaid")):
            after = asyncio.create_task(outlet.put(order_event(order, "OrderItemShipped")))
            other = uuid4()
            await outlet.put(order_event(other))  # another stream waits for nothing
            assert not after.done()
        await after
        assert await types(socket, 2) == ["ORDER_PAID", "ORDER_ITEM_SHIPPED"]


@pytest.mark.parametrize("who", ["nobody", "another"])
async def test_it_is_not_there_for_others(address: str, order: UUID, token_of: Tokens, who: str) -> None:
    payload = {} if who == "nobody" else {"Authorization": f"Bearer {await token_of('else@example.com', 'buyer')}"}
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, **payload)
        await watch_order(socket, order)
        assert await refused(socket) == "NOT_FOUND"
        await watch_order(socket, uuid4(), id="2")
        await message(socket)
        assert await refused(socket) == "NOT_FOUND"


async def test_admins_may_watch_any_order(
    address: str, worker: None, outlet: Outlet, order: UUID, token_of: Tokens
) -> None:
    admin = await token_of("live-admin@example.com", "admin")
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {admin}")
        await watch_order(socket, order)
        await told(socket)
        await outlet.put(order_event(order))
        assert (await told(socket))["type"] == "ORDER_PAID"


async def test_a_cursor_of_nowhere_or_of_long_ago_is_refused(
    address: str, outlet: Outlet, database: Database, order: UUID, token: str
) -> None:
    for kind in KINDS:
        await outlet.put(order_event(order, kind))
    name = f"order/{order}"
    async with database.transaction(ANONYMOUS) as connection:
        numbers = [
            row[0]
            for row in await connection.execute(
                text("SELECT sequence FROM events.outbox WHERE stream = :s ORDER BY 1"), {"s": name}
            )
        ]
        await connection.execute(delete(tables.outbox).where(tables.outbox.c.sequence == numbers[1]))
    cases = {
        "nonsense": "INVALID_CURSOR",
        cursor_of(f"order/{uuid4()}", numbers[2]): "INVALID_CURSOR",
        cursor_of(name, numbers[-1] + 1): "INVALID_CURSOR",
        cursor_of(name, numbers[0]): "CURSOR_EXPIRED",
        cursor_of(name, numbers[0] - 5): "CURSOR_EXPIRED",
    }
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        for id, (cursor, code) in enumerate(cases.items()):
            await watch_order(socket, order, cursor, id=str(id))
            found = await message(socket)
            assert found["payload"]["errors"][0]["extensions"]["code"] == code, cursor
            assert (await message(socket))["type"] == "complete"
        await watch_order(socket, order, cursor_of(name, numbers[1]), id="good")
        assert await types(socket, 2) == ["ORDER_ITEM_SHIPPED", "ORDER_ITEM_DELIVERED"]


class TestSellers:
    @pytest.fixture
    async def seller(self, make: Factory) -> UUID:
        return await make.seller()

    @pytest.fixture
    async def member(self, app: Starlette, token_of: Tokens, make: Factory, seller: UUID) -> str:
        """The token of somebody who works for the seller."""
        email = f"{uuid4().hex}@example.com"
        token = await token_of(email, "seller")
        async with client_of(app) as http:
            client = Client(http, token=token)
            await client.data("{ viewer { __typename } }")
            await make.member(seller, await make.user_id(email))
            await client.works_for(seller)
        return token

    async def test_it_is_told_of_its_part_of_orders_and_of_its_stock(
        self, address: str, worker: None, outlet: Outlet, make: Factory, seller: UUID, member: str
    ) -> None:
        other = await make.seller()
        mine, others = await make.product(seller_id=seller), await make.product(seller_id=other)
        order = await make.order(None, (mine, seller, 1000), (others, other, 500))
        async with connect(address, subprotocols=[PROTOCOL]) as socket:
            await begin(socket, Authorization=f"Bearer {member}")
            await watch(socket, SELLER, {})
            assert (await told(socket))["type"] == "CURRENT"
            await outlet.put(
                order_event(order), seller_event(seller, orderId=str(order), itemStatus="shipped"), seller_event(other)
            )
            event = await told(socket)
            del event["cursor"]
            assert event == {
                "type": "ORDER_ITEM_SHIPPED",
                "orderId": encode("Order", order),
                "itemStatus": "SHIPPED",
                "items": [{"name": "煎茶"}],
                "product": None,
            }
            await outlet.put(seller_event(seller, "StockLow", productId=str(mine)))
            event = await told(socket)
            assert (event["type"], event["items"], bool(event["product"]["name"])) == ("STOCK_LOW", None, True)

    async def test_nobody_else_is_told(
        self, address: str, token: str, make: Factory, seller: UUID, member: str
    ) -> None:
        id = encode("Seller", seller)
        for who, code in ((None, "UNAUTHENTICATED"), (token, "FORBIDDEN")):
            async with connect(address, subprotocols=[PROTOCOL]) as socket:
                await begin(socket, **({"Authorization": f"Bearer {who}"} if who else {}))
                await watch(socket, SELLER, {"id": id})
                assert await refused(socket) == code
        async with connect(address, subprotocols=[PROTOCOL]) as socket:
            await begin(socket, Authorization=f"Bearer {member}")
            await watch(socket, SELLER, {"id": encode("Seller", await make.seller())})
            assert await refused(socket) == "FORBIDDEN"

    async def test_who_works_there_no_more_is_sent_away(
        self, address: str, database: Database, seller: UUID, member: str
    ) -> None:
        async with connect(address, subprotocols=[PROTOCOL]) as socket:
            await begin(socket, Authorization=f"Bearer {member}")
            await watch(socket, SELLER, {"id": encode("Seller", seller)})
            await told(socket)
            async with database.transaction(ANONYMOUS) as connection:
                await connection.execute(delete(tables.members).where(tables.members.c.seller_id == seller))
            assert await closed(socket) == (4403, "what the account may do has changed")
