"""Pages of other origins, and requests for other hosts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway import create_app
from settings import Settings

SHOP = "https://shop.example"
OK = {"query": "{ __typename }"}


@pytest.fixture(scope="module")
async def port(prepared: Settings) -> AsyncIterator[int]:
    allowed = {"allowed_origins": f"{SHOP}, https://admin.example", "allowed_hosts": "127.0.0.1,*.shop.example"}
    app = create_app(prepared.model_copy(update=allowed))
    async with app.router.lifespan_context(app):
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="websockets-sansio"))
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


@pytest.fixture
async def web(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


def preflight(origin: str, method: str = "POST", headers: str = "content-type,authorization,x-guest-token") -> Any:
    asked = {"access-control-request-method": method, "access-control-request-headers": headers}
    return {"origin": origin} | asked


async def test_the_shop_may_send_mutations_with_its_cookies(web: httpx.AsyncClient) -> None:
    allowed = await web.options("/graphql", headers=preflight(SHOP))
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, SHOP)
    assert allowed.headers["access-control-allow-credentials"] == "true"
    answer = await web.post("/graphql", json=OK, headers={"origin": SHOP})
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "x-guest-token" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://shop.example", f"{SHOP}.evil.example", f"{SHOP}:8443", "*"]
)
async def test_no_other_page_may(web: httpx.AsyncClient, origin: str) -> None:
    refused = await web.options("/graphql", headers=preflight(origin))
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    answer = await web.post("/graphql", json=OK, headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_shop_may_not_do_what_the_gateway_does_not(web: httpx.AsyncClient) -> None:
    assert (await web.options("/graphql", headers=preflight(SHOP, method="PATCH"))).status_code == 400
    assert (await web.options("/graphql", headers=preflight(SHOP, headers="x-anything"))).status_code == 400


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_what_a_form_can_send_without_asking_changes_nothing(web: httpx.AsyncClient, media: str | None) -> None:
    sent = '{"query": "mutation { cartItemRemove(input: {lineId: \\"\\"}) { cart { version } } }"}'
    headers = {"origin": "https://evil.example"} | ({"content-type": media} if media else {})
    assert (await web.post("/graphql", content=sent, headers=headers)).status_code == 415


@pytest.mark.parametrize(
    ("origin", "lets_in"),
    [(SHOP, True), (None, True), ("own", True), ("https://evil.example", False), ("null", False)],
)
async def test_a_socket_is_for_pages_of_known_origins(port: int, origin: str | None, lets_in: bool) -> None:
    headers = {"origin": f"http://127.0.0.1:{port}" if origin == "own" else origin} if origin else {}
    opening = connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=["graphql-transport-ws"],
        additional_headers=headers,  # type: ignore[list-item]
    )
    if lets_in:
        async with opening as socket:
            assert socket.subprotocol == "graphql-transport-ws"
    else:
        with pytest.raises(InvalidStatus) as refused:
            await opening
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("www.shop.example", 200),
        ("127.0.0.1", 200),
        ("evil.example", 400),
        ("shop.example.evil.example", 400),
        ("", 400),
    ],
)
async def test_only_known_hosts_are_answered(web: httpx.AsyncClient, host: str, status: int) -> None:
    assert (await web.post("/graphql", json=OK, headers={"host": host})).status_code == status
    for path in ("/health", "/api/health"):
        assert (await web.get(path, headers={"host": host})).status_code == 200


@pytest.mark.parametrize("origins", ["*", "https://*.shop.example", "shop.example", "https://shop.example/", "ftp://x"])
def test_an_origin_that_is_none_is_a_wrong_setting(origins: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Settings(allowed_origins=origins)
