"""`stockChanged`, from a change in PostgreSQL to the client, over the gateway's own sockets."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from adapters.postgres import tables
from engine.execution import Executor
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of
from tests.api.sockets import PROTOCOL, begin, closed, serving
from tests.factories import Factory, open_factory

STOCK = "subscription ($id: ID!) { stockChanged(productId: $id) { id stockQuantity availability } }"
CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'torii changes'")


async def watch(socket: ClientConnection, product: UUID, query: str = STOCK, id: str = "1") -> None:
    payload = {"query": query, "variables": {"id": encode("Product", product)}}
    await socket.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))


async def told(socket: ClientConnection) -> Any:
    """What the next event shows, pings aside."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if message["type"] == "next":
            return message["payload"]["data"]["stockChanged"]
        assert message["type"] == "ping", message


async def stock(socket: ClientConnection) -> int:
    quantity: int = (await told(socket))["stockQuantity"]
    return quantity


async def test_the_present_stock_is_told_at_once_and_then_each_change(address: str, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, product)
        id = encode("Product", product)
        assert await told(socket) == {"id": id, "stockQuantity": 9, "availability": "IN_STOCK"}
        await make.change(tables.products, product, stock_quantity=3)
        assert await told(socket) == {"id": id, "stockQuantity": 3, "availability": "LOW_STOCK"}
        await make.change(tables.products, product, name="another name")  # is none of its business
        await make.change(tables.products, product, stock_quantity=0)
        assert await told(socket) == {"id": id, "stockQuantity": 0, "availability": "OUT_OF_STOCK"}
        await make.change(tables.products, product, status="discontinued")
        assert await told(socket) is None
        await make.change(tables.products, product, status="active", stock_quantity=7)
        assert await told(socket) == {"id": id, "stockQuantity": 7, "availability": "IN_STOCK"}


async def test_what_an_order_sets_aside_is_told_as_sold(address: str, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, product)
        assert await stock(socket) == 9
        await make.change(tables.products, product, reserved_quantity=7)
        assert await stock(socket) == 2
        await make.change(tables.products, product, reserved_quantity=0)
        assert await stock(socket) == 9


async def test_every_process_tells_its_own_clients(address: str, prepared: Settings, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    elsewhere = create_app(prepared)
    async with (
        elsewhere.router.lifespan_context(elsewhere),
        serving(elsewhere, prepared) as host,
        connect(address, subprotocols=[PROTOCOL]) as one,
        connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL]) as other,
    ):
        for socket in (one, other):
            await begin(socket)
            await watch(socket, product)
            assert await stock(socket) == 9
        await make.change(tables.products, product, stock_quantity=8)
        assert [await stock(one), await stock(other)] == [8, 8]


async def test_what_changed_while_the_channel_was_cut_is_told_when_it_is_back(
    address: str, prepared: Settings, make: Factory
) -> None:
    product = await make.product(stock_quantity=9)
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, product)
        assert await stock(socket) == 9
        # the superuser is the machine's; a role may end its own connections
        async with open_factory(prepared.database_url.get_secret_value()) as same_role:
            await same_role.rows(CUT)
        await make.change(tables.products, product, stock_quantity=5)
        assert await stock(socket) == 5


async def test_whoever_comes_later_gets_the_present_value_too(address: str, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, product, id="1")
        assert await stock(socket) == 9
        await make.change(tables.products, product, stock_quantity=4)
        assert await stock(socket) == 4
        await watch(socket, product, id="2")
        assert await stock(socket) == 4


@pytest.mark.parametrize("id", [encode("Product", UUID(int=5)), encode("Seller", UUID(int=5)), "nonsense"])
async def test_what_is_not_on_show_cannot_be_watched(address: str, id: str) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        message = {"type": "subscribe", "id": "1", "payload": {"query": STOCK, "variables": {"id": id}}}
        await socket.send(json.dumps(message))
        answer = json.loads(await socket.recv())
        [error] = answer["payload"]["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["stockChanged"], "NOT_FOUND")
        assert json.loads(await socket.recv()) == {"type": "complete", "id": "1"}


async def test_a_draft_is_watched_by_nobody_and_a_withdrawn_product_shows_nothing(address: str, make: Factory) -> None:
    product = await make.product(status="draft")
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, product)
        answer = json.loads(await socket.recv())
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_session_that_is_revoked_ends_its_subscriptions_with_the_reason(
    address: str, app: Starlette, make: Factory, token_of: Tokens
) -> None:
    product = await make.product(stock_quantity=9)
    lost, kept = [await token_of("watcher@example.com", "buyer") for _ in range(2)]
    async with client_of(app) as http, connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {lost}")
        await watch(socket, product)
        assert await stock(socket) == 9
        owner = Client(http, token=kept)
        sessions = (await owner.data("{ viewer { sessions { id current } } }"))["viewer"]["sessions"]
        [other] = [each["id"] for each in sessions if not each["current"]]
        revoke = "mutation ($id: ID!) { sessionRevoke(input: { sessionId: $id }) { userErrors { code } } }"
        assert await owner.data(revoke, id=other) == {"sessionRevoke": {"userErrors": []}}
        assert await closed(socket) == (4403, "the session was ended")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many events were executed."""
    count = 0
    event = Executor.event

    async def counted(self: Executor, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return await event(self, *arguments)

    monkeypatch.setattr(Executor, "event", counted)
    return lambda: count


@pytest.mark.parametrize("is_the_same_for_all", [True, False])
async def test_two_hundred_watch_and_what_is_the_same_for_all_is_written_once(
    address: str, make: Factory, executed: Callable[[], int], is_the_same_for_all: bool
) -> None:
    product = await make.product(stock_quantity=200)
    query = STOCK if is_the_same_for_all else STOCK.replace("availability", "seller { name }")
    sockets: list[ClientConnection] = []
    async with asyncio.timeout(60):
        for _ in range(4):
            socket = await connect(address, subprotocols=[PROTOCOL])
            sockets.append(socket)
            await begin(socket)
            for number in range(50):
                await watch(socket, product, query, str(number))
            assert [await stock(socket) for _ in range(50)] == [200] * 50
        await make.change(tables.products, product, stock_quantity=150)
        for socket in sockets:
            assert [await stock(socket) for _ in range(50)] == [150] * 50
            await socket.close()
    assert executed() == (2 if is_the_same_for_all else 400)
