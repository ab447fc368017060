"""Rate limits as a client meets them: 429 with the time to wait, and passwords that nobody guesses."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from adapters.cognito.pool import DEMO_PASSWORD
from adapters.devices import DeviceTokens
from domain.shared.clock import SystemClock
from domain.shared.rates import parse_rates
from gateway import create_app
from schema.build import build_schema
from settings import DEFAULT_OPERATION_RATES, Settings
from tests.api.client import Client
from tests.api.conftest import Tokens

SIGN_IN = """mutation ($email: String!) {
  a: sessionCreate(input: { email: $email, password: "Wrong-pass-1" }) { userErrors { code } }
  b: sessionCreate(input: { email: $email, password: "Wrong-pass-2" }) { userErrors { code } }
  c: sessionCreate(input: { email: $email, password: "Wrong-pass-3" }) { userErrors { code } }
}"""


@asynccontextmanager
async def serving(settings: Settings, **changes: Any) -> AsyncIterator[Starlette]:
    app = create_app(settings.model_copy(update={"rate_limits": True} | changes))
    async with app.router.lifespan_context(app):
        yield app


def client(app: Starlette, address: str, **identity: Any) -> Client:
    transport = httpx.ASGITransport(app, client=(address, 1))
    return Client(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1"), **identity)


def somewhere() -> str:
    """An address that no other test comes from."""
    number = uuid4().int
    return f"10.{number % 250}.{(number >> 8) % 250}.{(number >> 16) % 250}"


async def test_who_asks_too_often_is_told_when_to_come_back(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.1, rate_requests_burst=3) as app:
        here = client(app, somewhere())
        answers = [await here.post("{ __typename }") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[3].headers["retry-after"]) in (9, 10)
        [error] = answers[3].json()["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["extensions"]["retryAfter"] == int(answers[3].headers["retry-after"])
        assert (await client(app, somewhere()).post("{ __typename }")).status_code == 200


async def test_two_gateways_count_together(prepared: Settings) -> None:
    slow = {"rate_requests_per_s": 0.01, "rate_requests_burst": 3}
    async with serving(prepared, **slow) as first, serving(prepared, **slow) as second:
        where = somewhere()
        codes = [
            (await client(app, where).post("{ __typename }")).status_code for app in (first, second, first, second)
        ]
        assert codes == [200, 200, 200, 429]


async def test_a_user_has_one_bucket_wherever_the_requests_come_from(prepared: Settings, token_of: Tokens) -> None:
    token = await token_of("eager@example.com", "buyer")
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        codes = [(await client(app, somewhere(), token=token).post("{ __typename }")).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_new_guest_identities_buy_nothing(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        where = somewhere()
        codes = [(await client(app, where, guest=f"g1.{uuid4()}").post("{ __typename }")).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_addresses_of_one_ipv6_network_share(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        network = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}"
        codes = [(await client(app, f"{network}::{host}").post("{ __typename }")).status_code for host in (1, 2, 3)]
        assert codes == [200, 200, 429]


async def test_the_budget_of_cost_is_shown_and_held(prepared: Settings) -> None:
    query = "{ products(first: 100) { nodes { id name } } }"
    async with serving(prepared, rate_cost_burst=100, rate_cost_per_minute=100) as app:
        here = client(app, somewhere())
        cost = (await here.answer(query))["extensions"]["cost"]
        assert cost["bucket"]["maximum"] == 100
        # What was asked for and not used is given back, but for the point that reading the document took.
        assert cost["bucket"]["available"] in (98 - cost["actual"], 99 - cost["actual"])
        for _ in range(100):
            answer = await here.post(query)
            if answer.status_code == 429:
                break
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_nobody_waits_behind_all_that_one_address_asks_at_once(prepared: Settings) -> None:
    slow = (
        "{ "
        + " ".join(f'a{n}: products(first: 50, filter: {{ text: "x{n}" }}) {{ nodes {{ id }} }}' for n in range(9))
        + " }"
    )
    async with serving(prepared, rate_at_once=4) as app:
        here = client(app, somewhere())
        asked = [asyncio.create_task(here.post(slow)) for _ in range(12)]
        codes = Counter(answer.status_code for answer in await asyncio.gather(*asked))
        assert codes[429] > 0
        assert codes[200] >= 4
        assert codes.total() == codes[200] + codes[429]
        assert (await here.post("{ __typename }")).status_code == 200  # what is over counts no more


async def test_documents_that_are_wrong_are_counted_too(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=3) as app:
        here = client(app, somewhere())
        codes = [(await here.post("{ nothing" + str(number))).status_code for number in range(4)]
        assert codes == [400, 400, 400, 429]


async def test_aliases_do_not_guess_passwords(prepared: Settings) -> None:
    rates = DEFAULT_OPERATION_RATES.replace("sign-in=20/60", "sign-in=4/6000")
    async with serving(prepared, rate_operations=rates) as app:
        here, email = client(app, somewhere()), f"{uuid4()}@example.com"
        assert [each["userErrors"][0]["code"] for each in (await here.data(SIGN_IN, email=email)).values()] == [
            "INVALID_CREDENTIALS"
        ] * 3
        assert (await here.post(SIGN_IN, email=email)).status_code == 429
        assert (await here.post("{ __typename }")).status_code == 200


async def test_signing_in_as_somebody_does_not_reset_what_an_address_may_try(
    prepared: Settings, token_of: Tokens
) -> None:
    rates = DEFAULT_OPERATION_RATES.replace("sign-in=20/60", "sign-in=4/6000")
    async with serving(prepared, rate_operations=rates) as app:
        where, email = somewhere(), f"{uuid4()}@example.com"
        assert (await client(app, where).post(SIGN_IN, email=email)).status_code == 200
        token = await token_of("other-guesser@example.com", "buyer")
        assert (await client(app, where, token=token).post(SIGN_IN, email=email)).status_code == 429


async def test_many_addresses_do_not_guess_the_password_of_one_account(prepared: Settings) -> None:
    async with serving(prepared) as app:
        email = f"{uuid4()}@example.com"
        said = []
        for _ in range(8):
            answers = await client(app, somewhere()).data(SIGN_IN, email=email.upper())
            said += [each["userErrors"][0]["code"] for each in answers.values()]
        assert said == ["INVALID_CREDENTIALS"] * 20 + ["RATE_LIMITED"] * 4


CREATE = """mutation ($email: String!, $password: String!) { s: sessionCreate(input: {
  email: $email, password: $password }) { accessToken userErrors { code } } }"""


async def signs_in(
    app: Starlette, email: str, password: str = DEMO_PASSWORD, **headers: str
) -> tuple[str, httpx.Response]:
    """From an address that nobody else comes from: what became of it, and the answer."""
    here = client(app, somewhere())
    here.headers.update(headers)
    response = await here.post(CREATE, email=email, password=password)
    answer = response.json()["data"]["s"]
    return ("in" if answer["accessToken"] else answer["userErrors"][0]["code"]), response


async def lock_out(app: Starlette, email: str) -> None:
    """What a stranger can do who knows no more than the address."""
    said = [(await signs_in(app, email, f"Wrong-pass-{number}"))[0] for number in range(24)]
    assert said[-1] == "RATE_LIMITED"


async def test_a_stranger_who_guesses_does_not_lock_the_owner_out_of_a_known_device(
    prepared: Settings, token_of: Tokens
) -> None:
    victim, other = f"victim-{uuid4()}@example.com", f"other-{uuid4()}@example.com"
    for email in (victim, other):
        await token_of(email, "buyer")
    async with serving(prepared) as app:
        before, response = await signs_in(app, victim)
        known = response.headers["x-device-token"]
        cookie = next(each for each in response.headers.get_list("set-cookie") if each.startswith("torii_device="))
        assert cookie == f"torii_device={known}; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax"
        _, response = await signs_in(app, other)
        anothers = response.headers["x-device-token"]
        await lock_out(app, victim)
        assert (before, (await signs_in(app, victim))[0]) == ("in", "RATE_LIMITED")
        # as a header, and as browsers do
        for headers in ({"x-device-token": known}, {"cookie": f"torii_device={known}"}):
            outcome, response = await signs_in(app, victim.upper(), **headers)
            assert outcome == "in"
            assert response.headers["x-device-token"] not in (known, "")
        # another account's, one of another secret, and one that was touched: all of them strangers
        forged = DeviceTokens("another secret, which is long enough", SystemClock()).remember(None, victim)
        for token in (anothers, forged, f"{known[:-1]}{'A' if known[-1] != 'A' else 'B'}", "d1.", "~" * 400):
            assert (await signs_in(app, victim, **{"x-device-token": token}))[0] == "RATE_LIMITED"
        wrong, response = await signs_in(app, victim, "Wrong-pass-1", **{"x-device-token": known})
        assert (wrong, "x-device-token" in response.headers) == ("INVALID_CREDENTIALS", False)


async def test_a_known_device_guesses_no_faster_than_a_stranger(prepared: Settings, token_of: Tokens) -> None:
    email = f"guessed-{uuid4()}@example.com"
    await token_of(email, "buyer")
    async with serving(prepared) as app:
        stolen = [(await signs_in(app, email))[1].headers["x-device-token"] for _ in range(3)]

        async def guessed(token: str) -> list[str]:
            headers = {"x-device-token": token}
            return [(await signs_in(app, email, f"Wrong-pass-{number}", **headers))[0] for number in range(21)]

        assert await guessed(stolen[0]) == ["INVALID_CREDENTIALS"] * 20 + ["RATE_LIMITED"]
        assert (await signs_in(app, email))[0] == "in"  # strangers have a bucket of their own
        assert await guessed(stolen[1]) == ["INVALID_CREDENTIALS"] * 20 + ["RATE_LIMITED"]
        assert set(await guessed(stolen[2])) == {"RATE_LIMITED"}  # so many devices share


async def test_who_can_have_a_code_mailed_is_let_in_from_a_new_device(prepared: Settings, token_of: Tokens) -> None:
    email = f"locked-{uuid4()}@example.com"
    await token_of(email, "buyer")
    async with serving(prepared) as app:
        await lock_out(app, email)
        here = client(app, somewhere())
        await here.data(
            "mutation ($email: String!) { passwordResetRequest(input: { email: $email }) { nextStep } }", email=email
        )
        reset = """mutation ($email: String!) { passwordResetConfirm(input: {
          email: $email, code: "123456", password: "tsundoku-no-8" }) { nextStep userErrors { code } } }"""
        known = (await here.post(reset, email=email)).headers["x-device-token"]
        assert (await signs_in(app, email, "tsundoku-no-8"))[0] == "RATE_LIMITED"
        assert (await signs_in(app, email, "tsundoku-no-8", **{"x-device-token": known}))[0] == "in"


async def test_without_redis_the_gateway_counts_alone_and_nobody_signs_in(prepared: Settings) -> None:
    away = {"redis_url": SecretStr("redis://127.0.0.1:1/0"), "redis_timeout_ms": 100}
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=3, **away) as app:
        here = client(app, somewhere())
        refused = await here.post(SIGN_IN, email="x@example.com")
        assert refused.status_code == 503
        assert refused.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        codes = [(await here.post("{ __typename }")).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_a_socket_counts_each_of_its_operations(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="websockets-sansio")
        async with running(uvicorn.Server(config)) as port:
            address = f"ws://127.0.0.1:{port}/graphql"
            async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:
                await socket.send('{"type":"connection_init"}')
                assert json.loads(await socket.recv())["type"] == "connection_ack"
                kinds = []
                for number in range(3):
                    message = {"type": "subscribe", "id": str(number), "payload": {"query": "{ __typename }"}}
                    await socket.send(json.dumps(message))
                    said = json.loads(await socket.recv())
                    kinds.append(said["type"])
                    if said["type"] == "next":
                        await socket.recv()
                assert kinds == ["next", "next", "error"]
                assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@asynccontextmanager
async def running(server: uvicorn.Server) -> AsyncIterator[int]:
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def test_every_limit_that_a_field_names_has_a_rate() -> None:
    root = build_schema()._schema.mutation_type
    assert root is not None
    named = {field.extensions["strawberry-definition"].metadata.get("limit") for field in root.fields.values()}
    assert named - {None} == parse_rates(DEFAULT_OPERATION_RATES).keys()


@pytest.mark.parametrize("text", ["sign-in", "sign-in=x/60", "sign-in=5", "=5/60", "sign-in=0/60", "sign-in=5/0"])
def test_a_rate_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form|allows nothing"):
        parse_rates(text)
