"""Streams over HTTP: signs of life, and clients that leave or do not read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from engine.exchange import Answer, Request
from engine.execution import Executor
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.streaming.streams import Stream, StreamLimits, Streams
from engine.transport.accepting import Carrier
from engine.transport.http import GraphQLHTTP
from engine.transport.http_streams import Carried, Carrying, CarryLimits
from engine.transport.socket_watch import SocketWatch
from infra.draining import Draining
from infra.serve import DrainingServer
from tests.engine.test_subscriptions import Counting

Client = Callable[..., Any]


class NoTokens:
    """A context of nobody."""


async def nobody(_asked: Any) -> NoTokens:
    return NoTokens()


async def nothing_new() -> NoTokens:
    return NoTokens()


@asynccontextmanager
async def serving(
    limits: CarryLimits | None = None, server: Counting | None = None, policy: Policy | None = None
) -> AsyncIterator[tuple[Counting, str]]:
    server = server or Counting()
    executor = Executor(server.schema(), lambda *_: None, policy or Policy(30))
    watch = SocketWatch(server.still_allowed)
    carrying = Carrying(Streams(executor), lambda context: context, watch, limits)

    endpoint = GraphQLHTTP(executor, nobody, Limits(), carrying)
    config = uvicorn.Config(
        Starlette(routes=[Route("/graphql", endpoint)]), port=0, lifespan="off", log_level="critical"
    )
    draining = Draining()
    draining.when_stopping.append(watch.end_all)
    running = DrainingServer(config, draining, 0)
    tasks = [asyncio.create_task(watch.watch()), asyncio.create_task(running.serve())]
    await server.until(lambda: running.started)

    def stop() -> None:
        running.should_exit = True

    server.stop = stop
    try:
        yield server, f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}/graphql"
    finally:
        running.should_exit = True
        await tasks[1]
        tasks[0].cancel()


@asynccontextmanager
async def asking(address: str, query: str, accept: str = "text/event-stream") -> AsyncIterator[AsyncIterator[str]]:
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("POST", address, json={"query": query}, headers={"accept": accept}) as response,
    ):
        yield response.aiter_text()


async def test_who_leaves_leaves_no_work_behind() -> None:
    async with serving() as (server, address):
        async with asking(address, "subscription { count }") as text:
            assert await anext(text) == ":\n\n"
            await server.until(lambda: server.open["count"] == 1)
        await server.until(lambda: server.open["count"] == 0)


async def test_a_server_that_stops_ends_its_streams_and_says_so() -> None:
    async with serving() as (server, address), asyncio.timeout(60):
        told: list[str] = []

        async def listen() -> None:
            async with asking(address, "subscription { count }") as text:
                async for piece in text:
                    told.append(piece)

        listening = asyncio.create_task(listen())
        await server.until(lambda: server.open["count"] == 1)
        server.stop()
        await listening  # to its end: the connection was not cut
    assert "connect again" in "".join(told)
    assert '"retryable":true' in "".join(told)
    assert "".join(told).endswith("event: complete\ndata:\n\n")
    assert server.open["count"] == 0


class Remembering(Streams):
    """Keeps what it gave: that a place is free again must not hang on what the garbage collector finds."""

    def __init__(self, executor: Executor, limits: StreamLimits) -> None:
        super().__init__(executor, limits)
        self.given: list[Answer | Stream] = []

    async def start(self, *arguments: Any, **options: Any) -> Answer | Stream:
        outcome = await super().start(*arguments, **options)
        self.given.append(outcome)
        return outcome


async def test_who_leaves_before_anything_is_sent_leaves_no_work_behind() -> None:
    server = Counting()
    sent: list[Any] = []
    executor = Executor(server.schema(), lambda *_: None, Policy(30))
    streams = Remembering(executor, StreamLimits(most=1))
    carrying = Carrying(streams, lambda context: context, SocketWatch(server.still_allowed))
    endpoint = GraphQLHTTP(executor, nobody, Limits(), carrying)
    body = b'{"query": "subscription { count }"}'
    headers = [(b"accept", b"text/event-stream"), (b"content-type", b"application/json")]
    for _ in range(3):
        messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]

        async def receive(messages: list[dict[str, Any]] = messages) -> dict[str, Any]:
            return messages.pop(0) if len(messages) > 1 else messages[0]

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers, "query_string": b""}
        await endpoint(scope, receive, send)
    assert [each["status"] for each in sent if "status" in each] == [200, 200, 200]
    assert all(isinstance(each, Stream) for each in streams.given)


async def test_who_does_not_even_read_signs_of_life_is_dropped_with_its_work() -> None:
    server = Counting()
    begun: list[Any] = []
    streams = Streams(Executor(server.schema(), lambda *_: None, Policy(30)))
    outcome = await streams.start(Request("subscription { count }"), NoTokens(), nothing_new)
    assert isinstance(outcome, Stream)
    limits = CarryLimits(alive_every_s=0.01, send_s=0.05)
    carrying = Carrying(streams, lambda context: context, SocketWatch(server.still_allowed), limits)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        begun.append(message)
        if len(begun) > 2:  # the head and the first comment went out
            await asyncio.Event().wait()

    await carrying.reply(Carried(Carrier.EVENTS, outcome, NoTokens()), receive).write(send)
    assert server.open["count"] == 0
    assert len(begun) == 3


async def test_a_silent_stream_gives_signs_of_life() -> None:
    async with serving(CarryLimits(alive_every_s=0.05)) as (_, address):
        async with asking(address, "subscription { count }") as text:
            assert [await anext(text) for _ in range(3)] == [":\n\n"] * 3
        apollos = "multipart/mixed;subscriptionSpec=1.0"
        async with asking(address, "subscription { count }", apollos) as text:
            assert await anext(text) == "---"
            assert (await anext(text)).endswith("\r\n\r\n{}\r\n---")


async def test_a_stream_ends_when_its_source_does() -> None:
    async with serving() as (server, address), asking(address, "subscription { count }") as text:
        await server.counts.put(1)
        await server.counts.put(None)
        whole = "".join([each async for each in text])
        assert whole.startswith(':\n\nevent: next\ndata: {"data":{"count":1},')
        assert whole.endswith("\n\nevent: complete\ndata:\n\n")


async def test_who_does_not_read_is_dropped_with_its_work() -> None:
    async with serving(CarryLimits(send_s=0.3)) as (server, address):
        host, port = address.removeprefix("http://").removesuffix("/graphql").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        body = b'{"query": "subscription { text(kib: 256) }"}'
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-length: {len(body)}\r\n"
        writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
        await writer.drain()
        await server.until(lambda: server.open["text"] == 1)
        await server.until(lambda: server.open["text"] == 0)
        assert server.told < 200  # what fits into the buffers of two sockets
        writer.close()
        del reader
