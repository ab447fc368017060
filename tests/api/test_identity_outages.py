"""What tells who somebody is goes away: the pool's key set, and the database that knows how users stand."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web
from websockets.asyncio.client import connect

from adapters.cognito.issuer import jwks_url_of
from composition.wiring import open_marketplace
from domain.accounts.service import OUTAGE_S
from domain.shared.clock import SystemClock
from domain.shared.ids import SellerId
from domain.shared.refusals import Unavailable
from gateway import create_app
from settings import Settings
from tests.api.client import Client
from tests.api.sockets import PROTOCOL, closed, serving
from tests.api.test_sessions import code_of, gateway, sign_in
from tests.factories import Factory
from tests.hostile_tokens import OUR_KEY, resign
from tests.relay import relayed
from tests.watch import Watch

WHO = "{ viewer { email } }"
OUR_KID = "ours"


class KeyServer:
    """The pool's key set, until it redirects to a set of ours, or is away. Counts who comes to ours."""

    def __init__(self, published: bytes) -> None:
        self._published = published
        self.status = 200
        self.followed = 0

    async def published(self, _request: web.Request) -> web.Response:
        if self.status == 302:
            raise web.HTTPFound("/ours")
        return web.Response(body=self._published, status=self.status)

    async def ours(self, _request: web.Request) -> web.Response:
        self.followed += 1
        key = OUR_KEY.public_key().to_dict()
        return web.json_response({"keys": [key | {"kid": OUR_KID, "alg": "RS256", "use": "sig"}]})


@asynccontextmanager
async def key_server(settings: Settings) -> AsyncIterator[tuple[KeyServer, Settings]]:
    """The server, and settings that lead to it."""
    url = jwks_url_of(settings.aws_region, settings.cognito_user_pool_id, settings.aws_endpoint_url)
    async with httpx.AsyncClient() as client:
        keys = KeyServer((await client.get(url)).content)
    app = web.Application()
    app.add_routes([web.get("/keys", keys.published), web.get("/ours", keys.ours)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield keys, settings.model_copy(update={"cognito_jwks_url": f"http://127.0.0.1:{port}/keys"})
    await runner.cleanup()


@pytest.fixture(scope="module")
async def token(prepared: Settings) -> str:
    return (await sign_in(prepared, "keys@example.com"))["AccessToken"]


@pytest.mark.parametrize("status", [302, 500], ids=["redirect", "down"])
async def test_without_any_key_nobody_is_let_in_and_guests_do_not_notice(
    prepared: Settings, token: str, status: int
) -> None:
    async with key_server(prepared) as (keys, settings):
        keys.status = status
        app = create_app(settings)
        async with app.router.lifespan_context(app), serving(app, settings) as host:
            async with httpx.AsyncClient(base_url=f"http://{host}") as http:
                for each in (token, resign(token, OUR_KEY, {"kid": OUR_KID})):
                    response = await Client(http, token=each).post(WHO)
                    assert (response.status_code, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
                assert await Client(http).data(WHO) == {"viewer": None}
            async with connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL]) as socket:  # type: ignore[list-item]
                await socket.send(f'{{"type": "connection_init", "payload": {{"Authorization": "Bearer {token}"}}}}')
                assert (await closed(socket))[0] == 1013  # try again later
        assert keys.followed == 0


@pytest.mark.parametrize("status", [302, 500], ids=["redirect", "down"])
async def test_known_keys_go_on_serving_and_an_unknown_one_is_401(prepared: Settings, token: str, status: int) -> None:
    clock = Watch(datetime.now(UTC))
    async with key_server(prepared) as (keys, settings), gateway(settings, clock) as http:
        good, bad = Client(http, token=token), Client(http, token=resign(token, OUR_KEY, {"kid": OUR_KID}))
        await good.data(WHO)
        keys.status = status
        for _ in range(2):
            clock.wind(timedelta(seconds=61))  # an unknown key is looked for once a minute
            response = await bad.post(WHO)
            assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
            assert await good.data(WHO) == {"viewer": {"email": "keys@example.com"}}
        assert keys.followed == 0


async def test_without_the_database_a_user_goes_on_for_five_minutes_but_acts_for_no_seller(
    prepared: Settings, make: Factory
) -> None:
    email = "db-outage@example.com"
    tokens, stranger = await sign_in(prepared, email), await sign_in(prepared, "db-stranger@example.com")
    async with relayed(prepared.database_url.get_secret_value()) as (relay, url):
        slow = {"database_url": type(prepared.database_url)(url), "database_timeout_ms": 1_500}
        settings = prepared.model_copy(update=slow)
        async with open_marketplace(settings, SystemClock()) as marketplace:
            accounts = marketplace.services.accounts
            user_id = (await accounts.viewer(tokens["AccessToken"], None)).user_id
            assert user_id
            seller_id = SellerId(await make.seller())
            await make.member(seller_id, user_id)
            while (await accounts.viewer(tokens["AccessToken"], None)).seller_ids != (seller_id,):
                pass  # what was looked up half a second ago
            relay.flowing.clear()
            accounts._standings._clock = lambda: time.monotonic() + OUTAGE_S / 2
            known = await accounts.viewer(tokens["AccessToken"], None)
            assert (known.user_id, known.seller_ids) == (user_id, ())
            assert await accounts.why_not_any_more(known) is None
            with pytest.raises(Unavailable):
                await accounts.viewer(stranger["AccessToken"], None)
            accounts._standings._clock = lambda: time.monotonic() + OUTAGE_S
            with pytest.raises(Unavailable):
                await accounts.viewer(tokens["AccessToken"], None)
            relay.flowing.set()


async def test_without_the_database_what_does_not_need_it_is_answered_to_whoever_was_here(prepared: Settings) -> None:
    tokens, stranger = [await sign_in(prepared, f"db-wire-{each}@example.com") for each in (1, 2)]
    async with relayed(prepared.database_url.get_secret_value()) as (relay, url):
        slow = {"database_url": type(prepared.database_url)(url), "database_timeout_ms": 1_500}
        async with gateway(prepared.model_copy(update=slow)) as http:
            await Client(http, token=tokens["AccessToken"]).data(WHO)
            relay.flowing.clear()
            client = Client(http, token=tokens["AccessToken"])
            assert await client.data("{ cart { totalQuantity } }") == {"cart": {"totalQuantity": 0}}
            answer = await client.answer(WHO)
            assert [each["extensions"]["code"] for each in answer["errors"]] == ["SERVICE_UNAVAILABLE"]
            response = await Client(http, token=stranger["AccessToken"]).post(WHO)
            assert (response.status_code, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
            relay.flowing.set()
