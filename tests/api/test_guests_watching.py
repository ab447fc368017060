"""Guests watch their order: with the token of the browser they bought in, and with the link of a mail elsewhere."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from adapters.guests import GuestTokens
from adapters.order_links import OrderLinks
from adapters.postgres.database import Database
from domain.shared.clock import SystemClock
from domain.shared.ids import OrderId
from engine.execution import Executor
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of
from tests.api.sockets import PROTOCOL, begin
from tests.api.test_event_streams import EVENTS, Watching
from tests.api.watching import Outlet, message, order_event, refused, telling, told, types, watch, watch_order
from tests.factories import Factory

BY_LINK = """subscription ($id: ID!, $token: String, $after: String) {
  orderStatusChanged(orderId: $id, token: $token, after: $after) {
    cursor type order { status items { name } payment { status } }
  }
}"""
PLAIN = "subscription ($id: ID!) { orderStatusChanged(orderId: $id) { cursor type orderStatus } }"
WITH_ORDER = "subscription ($id: ID!) { orderStatusChanged(orderId: $id) { type order { status } } }"


@pytest.fixture
async def browser(address: str) -> AsyncIterator[httpx.AsyncClient]:
    base = address.replace("ws:", "http:").removesuffix("/graphql")
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
async def outlet(prepared: Settings) -> AsyncIterator[Outlet]:
    database = Database(prepared.database_worker_url.get_secret_value(), pool_size=2, timeout_ms=30_000)
    async with telling(prepared):
        yield Outlet(database)
    await database.close()


class Guest:
    """An order of somebody without an account, their browser's token, and a link to it."""

    def __init__(self, order: UUID, token: str, link: str) -> None:
        self.order, self.token = order, token
        self.asked = {"id": encode("Order", order), "token": link}


@pytest.fixture
async def guest(prepared: Settings, make: Factory) -> Guest:
    secret, clock = prepared.secret_key.get_secret_value(), SystemClock()
    guest_id, token = GuestTokens(secret, clock).mint()
    seller = await make.seller()
    line = (await make.product(seller_id=seller), seller, 1000)
    order = await make.order(None, line, status="pending", guest_id=guest_id)
    return Guest(order, token, OrderLinks(secret, clock).seal(OrderId(order)))


async def test_by_the_browsers_own_token(address: str, outlet: Outlet, guest: Guest) -> None:
    headers = {"x-guest-token": guest.token}  # a browser sends its cookie
    async with connect(address, subprotocols=[PROTOCOL], additional_headers=headers) as socket:
        await begin(socket)
        await watch_order(socket, guest.order)
        assert (await told(socket))["order"] == {"status": "PENDING"}
        await outlet.put(order_event(guest.order))
        assert (await told(socket))["type"] == "ORDER_PAID"


async def test_by_a_token_that_the_payload_carries(address: str, outlet: Outlet, guest: Guest) -> None:
    """Browsers let scripts set no headers of a socket's request; a token there is the opening request's only for want of it."""
    headers = {"x-guest-token": "another's"}
    async with connect(address, subprotocols=[PROTOCOL], additional_headers=headers) as socket:
        await begin(socket, **{"X-Guest-Token": guest.token})
        await watch_order(socket, guest.order)
        assert (await told(socket))["order"] == {"status": "PENDING"}


@pytest.mark.parametrize("sent", ["forged", "", 7, None, {"a": 1}])
async def test_what_is_no_token_in_the_payload_opens_nothing(address: str, guest: Guest, sent: Any) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, **{"x-guest-token": sent})
        await watch_order(socket, guest.order)
        assert await refused(socket) == "NOT_FOUND"


async def test_by_a_link_over_a_web_socket_with_what_was_missed(address: str, outlet: Outlet, guest: Guest) -> None:
    await outlet.put(order_event(guest.order, "OrderPlaced"))
    shown = {"status": "PENDING", "items": [{"name": "煎茶"}], "payment": {"status": "SUCCEEDED"}}
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, BY_LINK, guest.asked)
        first = await told(socket)
        assert (first["type"], first["order"]) == ("CURRENT", shown)
        await outlet.put(order_event(guest.order))
        second = await told(socket)
        assert (second["type"], second["order"]) == ("ORDER_PAID", shown)  # also of what comes later
        # the link opens nothing for what else is asked over this socket
        await watch(socket, BY_LINK, {**guest.asked, "token": None}, id="2")
        assert await refused(socket) == "NOT_FOUND"
    await outlet.put(order_event(guest.order, "OrderItemShipped"), order_event(guest.order, "OrderItemDelivered"))
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await watch(socket, BY_LINK, {**guest.asked, "after": second["cursor"]})
        assert await types(socket, 2) == ["ORDER_ITEM_SHIPPED", "ORDER_ITEM_DELIVERED"]


async def test_by_a_link_as_server_sent_events(browser: httpx.AsyncClient, outlet: Outlet, guest: Guest) -> None:
    body = {"query": BY_LINK, "variables": guest.asked}
    async with browser.stream("POST", "/graphql", json=body, headers=EVENTS) as response:
        events = Watching(response)
        kind, payload = await events.next()
        assert (kind, payload["data"]["orderStatusChanged"]["type"]) == ("next", "CURRENT")
        await outlet.put(order_event(guest.order))
        kind, payload = await events.next()
        told = payload["data"]["orderStatusChanged"]
        assert (kind, told["type"], told["order"]["status"]) == ("next", "ORDER_PAID", "PENDING")
    body = {"query": BY_LINK, "variables": {"id": guest.asked["id"]}}
    headers = EVENTS | {"x-guest-token": guest.token}
    async with browser.stream("POST", "/graphql", json=body, headers=headers) as response:
        assert (await Watching(response).next())[1]["data"]["orderStatusChanged"]["order"]["status"] == "PENDING"


async def test_a_link_of_another_order_or_none_at_all_opens_nothing(
    address: str, guest: Guest, prepared: Settings
) -> None:
    others = OrderLinks(prepared.secret_key.get_secret_value(), SystemClock()).seal(OrderId(uuid4()))
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        for number, token in enumerate((others, "o1.nonsense", "", guest.token, None)):
            await watch(socket, BY_LINK, {**guest.asked, "token": token}, id=str(number))
            assert await refused(socket) == "NOT_FOUND"
            assert (await message(socket))["type"] == "complete"


@pytest.mark.parametrize(("query", "is_shared"), [(PLAIN, True), (WITH_ORDER, False)])
async def test_an_event_is_worked_out_once_for_all_who_watch_it_alike(
    address: str, outlet: Outlet, token_of: Tokens, make: Factory, app: Starlette, query: str, is_shared: bool
) -> None:
    """A buyer in two tabs, and an admin: what is read off the event is written once; what is loaded is each viewer's own."""
    email = f"{uuid4().hex}@example.com"
    tokens = [await token_of(email, "buyer"), await token_of("live-admin@example.com", "admin")]
    async with client_of(app) as http:
        await Client(http, token=tokens[0]).data("{ viewer { __typename } }")
    seller = await make.seller()
    line = (await make.product(seller_id=seller), seller, 1000)
    order = await make.order(await make.user_id(email), line, status="pending")
    worked, event = 0, Executor.event

    async def counted(self: Executor, ready: Any, value: Any) -> Any:
        nonlocal worked
        worked += getattr(value, "order_id", None) == order
        return await event(self, ready, value)

    async with (
        connect(address, subprotocols=[PROTOCOL]) as one,
        connect(address, subprotocols=[PROTOCOL]) as other,
        connect(address, subprotocols=[PROTOCOL]) as admins,
    ):
        for socket, token in ((one, tokens[0]), (other, tokens[0]), (admins, tokens[1])):
            await begin(socket, Authorization=f"Bearer {token}")
            await watch(socket, query, {"id": encode("Order", order)})
            assert (await told(socket))["type"] == "CURRENT"
        with patch.object(Executor, "event", counted):
            for kind in ("OrderPaid", "OrderItemShipped"):
                await outlet.put(order_event(order, kind))
            events = [[await told(socket), await told(socket)] for socket in (one, other, admins)]
    assert events[0] == events[1] == events[2]
    assert [each["type"] for each in events[0]] == ["ORDER_PAID", "ORDER_ITEM_SHIPPED"]
    assert worked == (2 if is_shared else 6)
