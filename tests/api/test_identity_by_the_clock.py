"""What time does to who somebody is: on the wire, with a clock that the test winds."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
from websockets.asyncio.client import connect

from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.sockets import PROTOCOL, begin, closed, serving
from tests.api.test_new_passwords import a_second_later
from tests.api.test_sessions import code_of, gateway, sign_in
from tests.factories import Factory
from tests.watch import Watch

WHO = "{ viewer { email } }"
EVERYWHERE = "mutation { sessionEnd(input: { everywhere: true }) { ended userErrors { code } } }"
SESSIONS = "{ viewer { sessions { id current active } } }"
REVOKE = "mutation ($id: ID!) { sessionRevoke(input: { sessionId: $id }) { userErrors { code } } }"


async def test_an_open_socket_closes_when_its_token_expires_and_no_guests(prepared: Settings) -> None:
    token = (await sign_in(prepared, "expires@example.com"))["AccessToken"]
    clock = Watch(datetime.now(UTC))
    app = create_app(prepared, clock=clock)
    async with app.router.lifespan_context(app), serving(app, prepared) as host:
        url = f"ws://{host}/graphql"
        async with (
            connect(url, subprotocols=[PROTOCOL]) as socket,  # type: ignore[list-item]
            connect(url, subprotocols=[PROTOCOL]) as guest,  # type: ignore[list-item]
        ):
            await begin(socket, Authorization=f"Bearer {token}")
            await begin(guest)
            clock.wind(timedelta(minutes=59))
            await socket.send('{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { email } }"}}')
            assert "expires@example.com" in str(await asyncio.wait_for(socket.recv(), 20))
            assert '"complete"' in str(await asyncio.wait_for(socket.recv(), 20)).replace(" ", "")
            clock.wind(timedelta(minutes=1, seconds=1))
            assert await closed(socket) == (4403, "the access token expired")
            await guest.send('{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}')
            assert "Query" in str(await asyncio.wait_for(guest.recv(), 20))


async def test_a_guest_who_comes_back_is_handed_a_token_that_lives_longer(prepared: Settings, make: Factory) -> None:
    clock = Watch(datetime.now(UTC))
    add = f"""mutation {{ cartItemAdd(input: {{ productId: "{encode("Product", await make.product())}" }}) {{
        userErrors {{ code }} }} }}"""
    cart = "{ cart { totalQuantity } }"
    full = {"data": {"cart": {"totalQuantity": 1}}}
    async with gateway(prepared, clock) as http:
        first = (await Client(http).post(add)).headers["x-guest-token"]
        http.cookies.clear()
        clock.wind(timedelta(days=14))
        young = await Client(http, guest=first).post(cart)
        assert young.json()["data"] == full["data"]
        assert "x-guest-token" not in young.headers
        clock.wind(timedelta(days=2))
        renewed = await Client(http, guest=first).post(cart)
        second = renewed.headers["x-guest-token"]
        assert second != first
        cookie = renewed.headers["set-cookie"]
        assert cookie.startswith(f"torii_guest={second}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax")
        http.cookies.clear()
        http.cookies.set("torii_guest", first)  # a browser sends the cookie instead
        assert (await Client(http).post(cart)).headers["x-guest-token"]
        http.cookies.clear()
        clock.wind(timedelta(days=13))
        again = await Client(http, guest=second).post(cart)
        assert again.json()["data"] == full["data"]
        clock.wind(timedelta(days=2))  # the first has had its 30 days
        assert (await Client(http, guest=first).post(cart)).json()["data"] == {"cart": {"totalQuantity": 0}}


async def test_an_idle_session_is_listed_and_ended_by_itself(prepared: Settings) -> None:
    clock = Watch(datetime.now(UTC))
    async with gateway(prepared, clock) as http:
        lost, kept = [
            Client(http, token=(await sign_in(prepared, "idle@example.com"))["AccessToken"]) for _ in range(2)
        ]
        await lost.data(WHO)
        clock.wind(timedelta(minutes=31))
        sessions = (await kept.data(SESSIONS))["viewer"]["sessions"]
        assert [(each["current"], each["active"]) for each in sessions] == [(True, True), (False, False)]
        assert (await kept.data(REVOKE, id=sessions[1]["id"]))["sessionRevoke"] == {"userErrors": []}
        response = await lost.post(WHO)
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        assert len((await kept.data(SESSIONS))["viewer"]["sessions"]) == 1


async def test_signing_out_everywhere_ends_what_was_never_used_here_and_nothing_that_comes_after(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    used, unused = [(await sign_in(prepared, "out-everywhere@example.com"))["AccessToken"] for _ in range(2)]
    await Client(http, token=used).data(WHO)
    assert (await Client(http, token=used).data(EVERYWHERE))["sessionEnd"] == {"ended": True, "userErrors": []}
    async with gateway(prepared) as elsewhere:
        for each in (http, elsewhere):
            response = await Client(each, token=unused).post(WHO)
            assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        await a_second_later()  # past the gateway, which would see to it
        after = (await sign_in(prepared, "out-everywhere@example.com"))["AccessToken"]
        assert await Client(elsewhere, token=after).data(WHO) == {"viewer": {"email": "out-everywhere@example.com"}}
