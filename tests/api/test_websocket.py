"""graphql-transport-ws, and no other protocol."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError

from adapters.postgres import tables
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.api.sockets import PROTOCOL, begin, closed, exchange
from tests.factories import Factory


async def test_an_operation_runs_after_the_connection_is_initialised(address: str) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        query = {"query": "{ cart { totalQuantity } viewer { email } }"}
        answer = await exchange(socket, {"type": "subscribe", "id": "1", "payload": query})
        assert (answer["type"], answer["id"]) == ("next", "1")
        assert answer["payload"]["data"] == {"cart": {"totalQuantity": 0}, "viewer": None}
        assert answer["payload"]["extensions"]["cost"] == {"requested": 3, "actual": 3}
        assert answer["payload"]["extensions"]["cache"]["scope"] == "PRIVATE"
        assert json.loads(await socket.recv()) == {"type": "complete", "id": "1"}


async def test_a_token_in_the_payload_signs_the_connection_in(address: str, token_of: Any) -> None:
    token = await token_of("socket@example.com", "buyer")
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        answer = await exchange(socket, {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { email } }"}})
        assert answer["payload"]["data"] == {"viewer": {"email": "socket@example.com"}}


async def test_sockets_of_an_ended_session_close_in_every_process_and_no_other(
    address: str, prepared: Settings, token_of: Any
) -> None:
    lost, kept = [await token_of("sockets@example.com", "buyer") for _ in range(2)]
    elsewhere = create_app(prepared)
    async with (
        elsewhere.router.lifespan_context(elsewhere),
        client_of(elsewhere) as http,
        connect(address, subprotocols=[PROTOCOL]) as of_lost,
        connect(address, subprotocols=[PROTOCOL]) as of_kept,
    ):
        await begin(of_lost, Authorization=f"Bearer {lost}")
        await begin(of_kept, Authorization=f"Bearer {kept}")
        owner = Client(http, token=kept)
        sessions = (await owner.data("{ viewer { sessions { id current } } }"))["viewer"]["sessions"]
        [other] = [each["id"] for each in sessions if not each["current"]]
        revoke = "mutation ($id: ID!) { sessionRevoke(input: { sessionId: $id }) { userErrors { code } } }"
        assert await owner.data(revoke, id=other) == {"sessionRevoke": {"userErrors": []}}
        assert await closed(of_lost) == (4403, "the session was ended")
        query = {"query": "{ viewer { email } }"}
        answer = await exchange(of_kept, {"type": "subscribe", "id": "1", "payload": query})
        assert answer["payload"]["data"] == {"viewer": {"email": "sockets@example.com"}}


@pytest.mark.parametrize("change", ["suspended", "hired"])
async def test_a_socket_closes_when_its_users_standing_changes(
    address: str, make: Factory, token_of: Any, change: str
) -> None:
    token = await token_of(f"{change}@example.com", "buyer")
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket, Authorization=f"Bearer {token}")
        user_id = await make.user_id(f"{change}@example.com")
        if change == "suspended":
            await make.change(tables.users, user_id, status="suspended")
            assert await closed(socket) == (4403, "the account is suspended")
        else:
            await make.member(await make.seller(), user_id)
            assert await closed(socket) == (4403, "what the account may do has changed")


async def test_refusals_have_the_shape_that_http_gives_them(address: str) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        query = {"query": "{ products(first: 1000) { nodes { id } } }"}
        answer = await exchange(socket, {"type": "subscribe", "id": "1", "payload": query})
        [error] = answer["payload"]["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["first"]}


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}, 4403),
        ({"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}, 4401),
    ],
)
async def test_nothing_runs_for_who_is_not_let_in(address: str, first: dict[str, Any], code: int) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await socket.send(json.dumps(first))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_the_legacy_protocol_is_off(address: str) -> None:
    async def converse() -> None:
        async with connect(address, subprotocols=["graphql-ws"]) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            await asyncio.wait_for(socket.recv(), 60)

    with pytest.raises((ConnectionClosed, InvalidStatus, NegotiationError)):
        await converse()


@pytest.mark.parametrize("offered", [["graphql-ws"], ["graphql-ws", PROTOCOL], [PROTOCOL]])
@pytest.mark.parametrize("kind", ["start", "subscribe"])
async def test_nothing_runs_before_the_init_whatever_protocol_is_offered(
    address: str, offered: list[Any], kind: str
) -> None:
    """CVE-2026-35523: `start` of the legacy protocol ran without `connection_init`, and so without asking who it was."""
    said: list[str | bytes] = []

    async def converse() -> None:
        async with connect(address, subprotocols=offered) as socket:
            assert socket.subprotocol != "graphql-ws"
            await socket.send(json.dumps({"type": kind, "id": "1", "payload": {"query": "{ __typename }"}}))
            while True:
                said.append(await asyncio.wait_for(socket.recv(), 60))

    with pytest.raises((ConnectionClosed, InvalidStatus, NegotiationError)):
        await converse()
    assert not said


async def test_a_guest_without_an_identity_is_told_to_bring_one(address: str, make: Factory) -> None:
    add = f"""mutation {{ cartItemAdd(input: {{ productId: "{encode("Product", await make.product())}" }}) {{
        cart {{ version }} userErrors {{ code }} }} }}"""
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        answer = await exchange(socket, {"type": "subscribe", "id": "1", "payload": {"query": add}})
        assert answer["payload"]["data"]["cartItemAdd"] == {"cart": None, "userErrors": [{"code": "NO_CART_OWNER"}]}


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        '"x"',
        "5",
        "{",
        "[" * 50_000,
        '{"type": 5}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": {"x": NaN}}}',
    ],
)
async def test_what_is_no_message_closes_the_socket_and_says_so(address: str, frame: str) -> None:
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400
