"""Bad access tokens on the wire: each is refused, cheaply, in the shape of GraphQL, and none is written down."""

import io
import json
import logging
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect

from adapters.cognito.pool import DEMO_PASSWORD, ensure_pool, ensure_user
from composition.cloud import open_aws
from infra import logs
from settings import Settings
from tests.api.sockets import PROTOCOL, closed
from tests.api.test_sessions import code_of, sign_in
from tests.hostile_tokens import HOSTILE, parts_of

CPU_S = 0.05
"""What refusing one may cost at most, the client's part and the other work of the process included."""
TRIES = 5
QUERY = {"query": "{ viewer { email } }"}
NOT_SENT = {"line end"}
"""What cannot be sent: a header has no line end, and spaces around a token are no part of it."""

NOT_OVER_TCP = {"empty", "kanji", "lone surrogate", "enormous"}
"""What no HTTP client sends, and a head so large that the server closes the connection over it."""


@pytest.fixture(scope="module")
async def given(prepared: Settings) -> dict[str, str]:
    """What the pool gives somebody: AccessToken, IdToken, RefreshToken."""
    return await sign_in(prepared, "hostile@example.com")


@pytest.fixture(scope="module")
async def of_another_pool(prepared: Settings) -> str:
    """A good access token of another pool, signed with the same key by the same emulator."""
    async with open_aws(prepared, 10_000) as aws:
        pool = await ensure_pool(aws, f"{prepared.dynamodb_table_prefix}hostile")
        await ensure_user(aws, pool, "hostile@example.com", DEMO_PASSWORD, "admin")
        answer = await aws.cognito.initiate_auth(
            ClientId=pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "hostile@example.com", "PASSWORD": DEMO_PASSWORD},
        )
    return str(answer["AuthenticationResult"]["AccessToken"])


@pytest.fixture(scope="module")
def hostile(given: dict[str, str], of_another_pool: str) -> dict[str, str]:
    made = {name: made_from(given["AccessToken"]) for name, (_, made_from) in HOSTILE.items() if name not in NOT_SENT}
    return made | {
        "id token": given["IdToken"],
        "refresh token": given["RefreshToken"],
        "another pool": of_another_pool,
    }


NAMES = [*(name for name in HOSTILE if name not in NOT_SENT), "id token", "refresh token", "another pool"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process logs at DEBUG, as `torii serve` sets its logs up."""
    root, others = logging.getLogger(), logging.Logger.manager.loggerDict
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in list(others)}
    root.handlers.clear()
    servers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi")]
    before = [(each, each.handlers[:], each.propagate) for each in servers]
    for each in servers:  # a server of another test may have set them up as uvicorn does by itself
        each.handlers, each.propagate, each.disabled = [], True, False
        each.setLevel(logging.NOTSET)
    lines = io.StringIO()
    logs.configure("debug")
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(lines)
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in list(others):
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    for each, own, propagates in before:
        each.handlers, each.propagate = own, propagates


async def ask(http: httpx.AsyncClient, token: str) -> httpx.Response:
    authorization = f"Bearer {token}".encode("utf-8", "surrogatepass")
    headers = [(b"authorization", authorization), (b"accept", b"application/graphql-response+json")]
    return await http.post("/graphql", json=QUERY, headers=headers)


async def introduce(address: str, token: str) -> tuple[int, str]:
    async with connect(address, subprotocols=[PROTOCOL], max_size=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        return await closed(socket)


@pytest.mark.parametrize("name", NAMES)
async def test_a_bad_token_is_401_with_a_graphql_error_and_costs_next_to_nothing(
    http: httpx.AsyncClient, hostile: dict[str, str], name: str
) -> None:
    cpu_s = []
    for _ in range(TRIES):
        began = time.process_time()
        response = await ask(http, hostile[name])
        cpu_s.append(time.process_time() - began)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json().keys() == {"errors"}
        assert code_of(response) == "UNAUTHENTICATED"
        assert hostile[name][:20] not in response.text or not hostile[name]
        if cpu_s[-1] < CPU_S:
            return
    pytest.fail(f"{min(cpu_s):.3f} s of CPU at best")


@pytest.mark.parametrize("name", NAMES)
async def test_a_bad_token_lets_nobody_onto_a_socket(address: str, hostile: dict[str, str], name: str) -> None:
    if name == "enormous":  # more than a message may have: the frame is not even read
        assert (await introduce(address, hostile[name]))[0] == 1009
        return
    if name == "lone surrogate":  # not JSON
        assert (await introduce(address, hostile[name]))[0] == 4400
        return
    cpu_s = []
    for _ in range(TRIES):
        began = time.process_time()
        assert await introduce(address, hostile[name]) == (
            4403,
            "アクセストークンが無効です。もう一度サインインしてください。",
        )
        cpu_s.append(time.process_time() - began)
        if cpu_s[-1] < CPU_S:
            return
    pytest.fail(f"{min(cpu_s):.3f} s of CPU at best")


async def test_no_part_of_a_token_is_logged_at_any_level(
    http: httpx.AsyncClient, address: str, hostile: dict[str, str], given: dict[str, str], written: io.StringIO
) -> None:
    async with httpx.AsyncClient(base_url=address.replace("ws:", "http:").removesuffix("/graphql")) as over_tcp:
        good = await ask(over_tcp, given["AccessToken"])
        assert good.json()["data"] == {"viewer": {"email": "hostile@example.com"}}
        for name, token in hostile.items():
            await ask(http, token)
            if name not in NOT_OVER_TCP:
                await ask(over_tcp, token)
            await introduce(address, token)
    log = written.getvalue()
    assert logging.getLogger("torii").isEnabledFor(logging.DEBUG)
    assert "connection open" in log  # or nothing was looked at
    leaked = {
        line[:200]
        for part in parts_of(given["AccessToken"], *hostile.values())
        for line in log.splitlines()
        if part[:24] in line  # frames are logged shortened
    }
    assert leaked == set()
