"""Sessions on the wire: seen, ended, and what remains of them when back ends are away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from adapters.cognito.pool import DEMO_PASSWORD, ensure_user
from adapters.postgres import tables
from composition.cloud import open_aws, user_pool
from domain.shared.clock import Clock
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.api.statements import counted
from tests.factories import Factory
from tests.relay import relayed

SESSIONS = "{ viewer { sessions { id current active createdAt lastSeenAt ipAddress userAgent } } }"
REVOKE = """mutation ($id: ID!) { sessionRevoke(input: { sessionId: $id }) {
    session { id current } userErrors { code field } } }"""


@asynccontextmanager
async def gateway(settings: Settings, clock: Clock | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Another process of the gateway, as good as: nothing of what it remembers is ours."""
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app), client_of(app) as http:
        yield http


async def sign_in(settings: Settings, email: str) -> dict[str, str]:
    """What the pool gives a buyer: AccessToken, RefreshToken."""
    async with open_aws(settings, 10_000) as aws:
        pool = await user_pool(settings, aws)
        await ensure_user(aws, pool, email, DEMO_PASSWORD, "buyer")
        answer = await aws.cognito.initiate_auth(
            ClientId=pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": DEMO_PASSWORD},
        )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result


async def refreshed(settings: Settings, refresh_token: str) -> str:
    async with open_aws(settings, 10_000) as aws:
        answer = await aws.cognito.initiate_auth(
            ClientId=(await user_pool(settings, aws)).client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        )
    return str(answer["AuthenticationResult"]["AccessToken"])


async def refused(client: Client) -> httpx.Response:
    """The answer that refuses, once it does."""
    async with asyncio.timeout(60):
        while (response := await client.post("{ viewer { email } }")).status_code == 200:
            pass
    return response


def code_of(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


async def test_a_user_sees_where_they_are_signed_in(http: httpx.AsyncClient, prepared: Settings) -> None:
    phone = Client(http, token=(await sign_in(prepared, "devices@example.com"))["AccessToken"])
    phone.headers["user-agent"] = "Phone/1.0 " * 100
    laptop = Client(http, token=(await sign_in(prepared, "devices@example.com"))["AccessToken"])
    await phone.data("{ viewer { email } }")
    sessions = (await laptop.data(SESSIONS))["viewer"]["sessions"]
    assert [(each["current"], each["active"]) for each in sessions] == [(True, True), (False, True)]
    assert [len(each["userAgent"]) for each in sessions] == [len(http.headers["user-agent"]), 256]
    assert {each["ipAddress"] for each in sessions} == {"127.0.0.1"}
    assert all(each["createdAt"] <= each["lastSeenAt"] for each in sessions)
    assert (await Client(http).data(SESSIONS))["viewer"] is None


async def test_an_ended_session_stops_in_every_process_with_all_its_tokens(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    lost, kept = [await sign_in(prepared, "lost@example.com") for _ in range(2)]
    thief, owner = Client(http, token=lost["AccessToken"]), Client(http, token=kept["AccessToken"])
    async with gateway(prepared) as elsewhere:
        thief_elsewhere = Client(elsewhere, token=lost["AccessToken"])
        for each in (thief, thief_elsewhere, owner):
            await each.data("{ viewer { email } }")
        [session] = [each for each in (await owner.data(SESSIONS))["viewer"]["sessions"] if not each["current"]]
        payload = (await owner.data(REVOKE, id=session["id"]))["sessionRevoke"]
        assert payload == {"session": {"id": session["id"], "current": False}, "userErrors": []}
        response = await thief.post("{ viewer { email } }")
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        assert code_of(await refused(thief_elsewhere)) == "UNAUTHENTICATED"
        renewed = await refreshed(prepared, lost["RefreshToken"])  # the pool still gives it
        assert code_of(await refused(Client(elsewhere, token=renewed))) == "UNAUTHENTICATED"
        assert len((await owner.data(SESSIONS))["viewer"]["sessions"]) == 1
        again = (await owner.data(REVOKE, id=session["id"]))["sessionRevoke"]
        assert again["userErrors"] == []


async def test_ones_own_session_is_signed_out(http: httpx.AsyncClient, prepared: Settings) -> None:
    client = Client(http, token=(await sign_in(prepared, "out@example.com"))["AccessToken"])
    [session] = (await client.data(SESSIONS))["viewer"]["sessions"]
    assert (await client.data(REVOKE, id=session["id"]))["sessionRevoke"]["session"]["current"]
    assert (await client.post("{ viewer { email } }")).status_code == 401


async def test_another_users_session_is_not_there(http: httpx.AsyncClient, prepared: Settings) -> None:
    mine = Client(http, token=(await sign_in(prepared, "mine@example.com"))["AccessToken"])
    other = Client(http, token=(await sign_in(prepared, "other@example.com"))["AccessToken"])
    [session] = (await mine.data(SESSIONS))["viewer"]["sessions"]
    not_found = {"session": None, "userErrors": [{"code": "NOT_FOUND", "field": ["sessionId"]}]}
    unknown = encode("Session", uuid4())
    for client, session_id in ((other, session["id"]), (other, unknown), (other, "x")):
        assert (await client.data(REVOKE, id=session_id))["sessionRevoke"] == not_found
    assert await Client(http).codes(REVOKE, id=session["id"]) == ["UNAUTHENTICATED"]
    assert len((await mine.data(SESSIONS))["viewer"]["sessions"]) == 1


async def test_a_suspended_user_is_shut_out_and_let_in_again(
    http: httpx.AsyncClient, prepared: Settings, make: Factory
) -> None:
    client = Client(http, token=(await sign_in(prepared, "rude@example.com"))["AccessToken"])
    await client.data("{ viewer { email } }")
    user_id = await make.user_id("rude@example.com")
    await make.change(tables.users, user_id, status="suspended")
    response = await refused(client)
    assert (response.status_code, code_of(response)) == (403, "ACCOUNT_SUSPENDED")
    await make.change(tables.users, user_id, status="active")
    async with asyncio.timeout(60):
        while (await client.post("{ viewer { email } }")).status_code != 200:
            pass


async def test_who_is_signed_in_is_one_statement_and_none_for_the_next_request(
    prepared: Settings, http: httpx.AsyncClient
) -> None:
    token = (await sign_in(prepared, "thrifty@example.com"))["AccessToken"]
    await Client(http, token=token).data("{ __typename }")  # makes the user's row
    async with gateway(prepared) as elsewhere:
        client = Client(elsewhere, token=token)
        with counted(standings=True) as first:
            await asyncio.gather(*(client.data("{ __typename }") for _ in range(10)))
        async with asyncio.timeout(60):
            while True:  # until two requests meet within half a second, whatever else this machine does
                await client.data("{ __typename }")
                with counted(standings=True) as second:
                    await client.data("{ __typename }")
                if not second:
                    break
    assert len([each for each in first if "standings" in each]) == len(first)
    assert len(first) == 1


async def test_a_guest_is_another_one_after_signing_in(
    http: httpx.AsyncClient, prepared: Settings, make: Factory
) -> None:
    await sign_in(prepared, "was-guest@example.com")
    http.cookies.clear()
    add = f'''mutation {{ cartItemAdd(input: {{ productId: "{encode("Product", await make.product())}" }}) {{
        userErrors {{ code }} }} }}'''
    before = (await Client(http).post(add)).headers["x-guest-token"]
    create = """mutation ($email: String!, $password: String!) {
        sessionCreate(input: { email: $email, password: $password }) { accessToken } }"""
    http.cookies.clear()
    guest = Client(http, guest=before)
    wrong = await guest.post(create, email="was-guest@example.com", password="Wr0ng-password")
    assert "x-guest-token" not in wrong.headers
    answer = await guest.post(create, email="was-guest@example.com", password=DEMO_PASSWORD)
    http.cookies.clear()
    after = answer.headers["x-guest-token"]
    assert after != before
    assert await Client(http, guest=after).data("{ cart { totalQuantity } }") == {"cart": {"totalQuantity": 0}}


class TestOutages:
    """Signed in before, then a back end freezes."""

    @pytest.fixture
    async def token(self, prepared: Settings, http: httpx.AsyncClient) -> str:
        token = (await sign_in(prepared, "outage@example.com"))["AccessToken"]
        await Client(http, token=token).data("{ viewer { email } }")
        return token

    async def test_without_redis_signed_in_requests_go_on(self, prepared: Settings, token: str) -> None:
        async with relayed(prepared.redis_url.get_secret_value()) as (relay, url):
            slow = {"redis_url": type(prepared.redis_url)(url), "redis_timeout_ms": 100}
            async with gateway(prepared.model_copy(update=slow)) as http:
                relay.flowing.clear()
                data = await Client(http, token=token).data("{ viewer { email sessions { current } } }")
                assert data["viewer"] == {"email": "outage@example.com", "sessions": [{"current": True}]}
                relay.flowing.set()

    async def test_without_dynamodb_known_sessions_go_on_and_new_ones_wait(
        self, prepared: Settings, token: str
    ) -> None:
        new = (await sign_in(prepared, "outage@example.com"))["AccessToken"]
        async with without_dynamodb(prepared) as http:
            answer = await Client(http, token=token).answer("{ viewer { email sessions { current } } }")
            assert answer["data"]["viewer"] == {"email": "outage@example.com", "sessions": None}
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["SERVICE_UNAVAILABLE"]
            response = await Client(http, token=new).post("{ viewer { email } }")
            assert (response.status_code, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
            assert await Client(http).data("{ viewer { email } }") == {"viewer": None}

    async def test_without_both_nobody_signed_in_is_let_in_on_a_guess(self, prepared: Settings, token: str) -> None:
        async with relayed(prepared.redis_url.get_secret_value()) as (relay, url):
            slow = {"redis_url": type(prepared.redis_url)(url), "redis_timeout_ms": 100}
            async with without_dynamodb(prepared.model_copy(update=slow)) as http:
                relay.flowing.clear()
                response = await Client(http, token=token).post("{ viewer { email } }")
                assert (response.status_code, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
                assert await Client(http).data("{ __typename }") == {"__typename": "Query"}
                relay.flowing.set()


@asynccontextmanager
async def without_dynamodb(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway whose AWS freezes once it has started. It has the pool's keys by then."""
    async with relayed(settings.aws_endpoint_url + "/") as (relay, url):
        changed = {"aws_endpoint_url": url.rstrip("/"), "dynamodb_timeout_ms": 2_000}
        async with gateway(settings.model_copy(update=changed)) as http:
            warm = (await sign_in(settings, "warm@example.com"))[
                "AccessToken"
            ]  # the keys of the pool come from there too
            await Client(http, token=warm).data("{ viewer { email } }")
            relay.flowing.clear()
            yield http
            relay.flowing.set()
