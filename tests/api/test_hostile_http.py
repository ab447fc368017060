"""Requests that are hostile before they are GraphQL, to a real server on a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from gateway import create_app
from infra.http_protocol import BoundedHTTP
from settings import STRIPE_WEBHOOKS, Settings

BODY_MS = 300
OK = b'{"query":"{ __typename }"}'
Server = tuple[str, int]


@pytest.fixture(scope="module")
async def server(prepared: Settings) -> AsyncIterator[Server]:
    app = create_app(prepared.model_copy(update={"body_timeout_ms": BODY_MS}))
    async with app.router.lifespan_context(app):
        config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", http=BoundedHTTP, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[:2]
        server.should_exit = True
        await serving


def head(*headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} /graphql HTTP/1.1", "host: 127.0.0.1", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


JSON = "content-type: application/json"


async def answer(server: Server, sent: bytes) -> bytes:
    """All that comes until the server closes the connection. Raises TimeoutError when it does not."""
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()


async def serves(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(f"http://{server[0]}:{server[1]}/graphql", json={"query": "{ __typename }"})
        assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        # announced, and never read
        (head(JSON, "content-length: 3000000"), 413, "REQUEST_SIZE_LIMIT_EXCEEDED"),
        (head(JSON, f"content-length: {2**63 - 1}"), 413, "REQUEST_SIZE_LIMIT_EXCEEDED"),
        # all of it comes, as clients send it that read the answer afterwards
        (head(JSON, "content-length: 3000000") + b"x" * 3_000_000, 413, "REQUEST_SIZE_LIMIT_EXCEEDED"),
        (head("content-type: image/png", "content-length: 3000000") + b"x" * 3_000_000, 415, "UNSUPPORTED_MEDIA_TYPE"),
        # comes piece by piece, without an end
        (head(JSON, "transfer-encoding: chunked") + b"10000\r\n" + b"x" * 65_536 + b"\r\n", 408, "REQUEST_TIMEOUT"),
        (head(JSON, "transfer-encoding: chunked") + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 33, 413,
         "REQUEST_SIZE_LIMIT_EXCEEDED"),
        # shorter than announced
        (head(JSON, "content-length: 100") + OK, 408, "REQUEST_TIMEOUT"),
        # of a kind that nobody reads
        (head("content-type: text/plain", "content-length: 1000000"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (head("content-type: multipart/form-data; boundary=x", "content-length: 1000000"), 415,
         "UNSUPPORTED_MEDIA_TYPE"),
        (head("content-type: application/x-www-form-urlencoded", "content-length: 9"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (head("content-type: application/json; charset=utf-7", "content-length: 9"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (head(JSON, "content-length: 1000000", method="PUT"), 405, None),
        (head(JSON, "content-encoding: gzip", "content-length: 26") + OK, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_read_ends_the_connection(
    server: Server, sent: bytes, status: int, code: str | None
) -> None:
    began = time.perf_counter()
    answered = await answer(server, sent)
    assert time.perf_counter() - began < 5
    assert answered.startswith(b"HTTP/1.1 %d" % status)
    if code:
        assert code.encode() in answered
        assert b"connection: close" in answered.lower()
    await serves(server)


async def test_a_body_without_end_is_let_by_for_a_moment_only(server: Server) -> None:
    _, writer = await asyncio.open_connection(*server)
    writer.write(head(JSON, f"content-length: {2**40}"))

    async def sends_on() -> None:
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(sends_on(), 10)
    writer.close()
    await serves(server)


async def test_many_slow_bodies_hold_up_nobody(server: Server) -> None:
    slow = [asyncio.create_task(answer(server, head(JSON, "content-length: 100") + b"{")) for _ in range(100)]
    await serves(server)
    for answered in await asyncio.gather(*slow):
        assert answered.startswith(b"HTTP/1.1 408")


async def test_an_event_that_comes_too_slowly_ends_its_connection(server: Server) -> None:
    sent = head("content-length: 100").replace(b"/graphql", STRIPE_WEBHOOKS.encode()) + b"{"
    answered = await answer(server, sent)
    assert answered.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answered.lower()
    await serves(server)


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(server: Server) -> None:
    _, writer = await asyncio.open_connection(*server)
    writer.write(head(JSON, "content-length: 100") + b"{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await serves(server)


async def get(server: Server, query: str) -> bytes:
    return await answer(server, f"GET /graphql?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())


async def test_an_address_is_as_long_as_is_allowed_and_no_longer(server: Server) -> None:
    query = "query={__typename}&x="
    assert (await get(server, query + "a" * (32 * 1024 - len(query)))).startswith(b"HTTP/1.1 200")
    beyond = await get(server, query + "a" * (32 * 1024 - len(query) + 1))
    assert beyond.startswith(b"HTTP/1.1 414")
    assert b"URL_SIZE_LIMIT_EXCEEDED" in beyond


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ("[" * 25_000, b"REQUEST_SIZE_LIMIT_EXCEEDED"),
        ('{"a":[' + "[]," * 10_000 + "[]]}", b"REQUEST_SIZE_LIMIT_EXCEEDED"),
        ('{"a":' * 100 + "1" + "}" * 100, b"INPUT_DEPTH_LIMIT_EXCEEDED"),
    ],
)
async def test_variables_in_an_address_are_bounded_too(server: Server, variables: str, code: bytes) -> None:
    assert code in await get(server, "query={__typename}&variables=" + variables)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + OK,
        OK.decode().encode("utf-16"),
        OK.decode().encode("utf-32"),
        b'{"query":"{ __typename }\xff"}',
        b'{"query":"\\ud800"}',
        b'{"query":"{ __typename }","variables":{"x":NaN}}',
        b'{"query":"{ __typename }","variables":{"x":1e999}}',
    ],
)
async def test_what_is_not_utf8_json_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_no_more_is_looked_at_of_what_is_accepted_than_anybody_sends(http: httpx.AsyncClient) -> None:
    for offers, status in ((10, 200), (6_000, 406)):
        headers = {"content-type": "application/json", "accept": "a/b;q=0.1, " * offers + "application/json"}
        assert (await http.post("/graphql", content=OK, headers=headers)).status_code == status
