"""The head of a request is bounded in size and time, and so is the line of requests on one connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from infra import http_protocol
from infra.http_protocol import MAX_HEAD_BYTES, MAX_PIPELINED, BoundedHTTP

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"


async def echo(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """How long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(protocol: type[BoundedHTTP] = BoundedHTTP, app: Any = echo) -> AsyncIterator[Streams]:
    config = uvicorn.Config(app, http=protocol, ws="websockets-sansio", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends."""
    async with asyncio.timeout(60):
        return await reader.read()


async def flood(writer: asyncio.StreamWriter, piece: bytes, size: int) -> None:
    """Send until so much is sent or nobody reads any more."""
    try:
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\na: ", CHUNKED + b"0\r\na: "])
async def test_a_head_without_end_is_refused_while_it_comes(begin: bytes) -> None:
    taken = 0

    class Measured(BoundedHTTP):
        def data_received(self, data: bytes) -> None:
            nonlocal taken
            taken += len(data)
            super().data_received(data)

    async with connected(Measured) as (_, writer), asyncio.timeout(60):
        writer.write(begin)
        await flood(writer, b"x" * 1024, 20 * 1024 * 1024)
    assert taken < MAX_HEAD_BYTES + 2 * 256 * 1024, "beyond the bound, no more than what one read brings"


async def test_many_small_headers_are_as_large_as_one() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6 + 1))
        assert (await answer(reader)).startswith(b"HTTP/1.1 431 ")


async def test_a_head_of_the_largest_size_and_a_large_body_are_taken() -> None:
    body = b"x" * 1_000_000
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\na: " % len(body)
    head += b"x" * (MAX_HEAD_BYTES - len(head) - 4) + b"\r\n\r\n"
    assert len(head) == MAX_HEAD_BYTES
    async with connected() as (reader, writer):
        writer.write(head + body)
        assert (await answer(reader)).endswith(b"\r\n\r\n1000000")


async def test_a_head_that_does_not_come_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.05)
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost:")
        assert (await answer(reader)).startswith(b"HTTP/1.1 408 ")
    async with connected() as (reader, _):
        assert await answer(reader) == b"", "whoever says nothing is told nothing"


async def test_the_second_head_of_a_connection_is_held_to_the_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.3)
    async with connected() as (reader, writer):
        writer.write(GET + b"GET /")
        said = await answer(reader)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


@pytest.mark.parametrize(
    "wrong", [b"content-length: 5\r\n\r\nabcde", b"a: b\r\n" * 200 + b"\r\n", b"a: " + b"b" * 9000 + b"\r\n\r\n"]
)
async def test_a_handshake_that_is_none_is_answered(wrong: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n" + wrong)
        assert (await answer(reader)).startswith(b"HTTP/1.1 400 ")


async def test_few_requests_in_line_are_answered_and_very_many_are_not() -> None:
    async with connected() as (reader, writer):
        writer.write(GET * (MAX_PIPELINED - 1) + GET.replace(b"host", b"connection: close\r\nhost"))
        assert (await answer(reader)).count(b"HTTP/1.1 200 ") == MAX_PIPELINED
    async with connected() as (reader, writer):
        writer.write(GET * (MAX_PIPELINED + 2))
        assert b"HTTP/1.1 400 " in await answer(reader)


@pytest.mark.parametrize("headers", [b"", b"host: a\r\nhost: b\r\n", b"host: a\r\nHost: a\r\n"])
async def test_a_request_names_one_host(headers: bytes) -> None:
    """Two of them are read as one by a proxy and as the other behind it (RFC 9112, 3.2)."""
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nconnection: close\r\n" + headers + b"\r\n")
        assert (await answer(reader)).startswith(b"HTTP/1.1 400 ")
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")


LARGE = 8 * 1024 * 1024


async def large(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    headers = [(b"content-length", str(LARGE).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * LARGE})


@pytest.mark.parametrize("headers", [b"host: a", b"host: a\r\nconnection: close"])
async def test_an_answer_that_is_not_read_is_not_kept(monkeypatch: pytest.MonkeyPatch, headers: bytes) -> None:
    monkeypatch.setattr(http_protocol, "STALL_S", 0.1)
    async with connected(Watched, large) as (reader, writer):
        cast("asyncio.Transport", writer.transport).pause_reading()
        writer.write(b"GET / HTTP/1.1\r\n" + headers + b"\r\n\r\n")
        async with asyncio.timeout(60):
            await Watched.lost.wait()
        cast("asyncio.Transport", writer.transport).resume_reading()
        with suppress(ConnectionError):
            assert len(await answer(reader)) < LARGE


async def test_an_answer_that_is_read_slowly_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "STALL_S", 1.0)  # what the kernel holds makes room in steps of a third of it
    monkeypatch.setattr(http_protocol, "LEAST_READ", 1)
    looks = 0
    look = BoundedHTTP._look

    def counted(protocol: BoundedHTTP) -> None:
        nonlocal looks
        looks += 1
        look(protocol)

    monkeypatch.setattr(BoundedHTTP, "_look", counted)
    async with connected(app=large) as (reader, writer):
        writer.write(GET.replace(b"host", b"connection: close\r\nhost"))
        size = 0
        while piece := await asyncio.wait_for(reader.read(64 * 1024), 60):
            size += len(piece)
            await asyncio.sleep(0.02)  # as a slow line does
        assert size > LARGE
    assert looks > 0


class Watched(BoundedHTTP):
    """Tells when its connection is gone."""

    lost = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        Watched.lost = asyncio.Event()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        Watched.lost.set()
        super().connection_lost(exc)
