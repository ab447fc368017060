"""Subscriptions over a socket: what is told, to whom, and what ends them."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.execution import Executor
from engine.fairness.allowance import Bucket, Demand, NotAdmitted
from engine.fairness.shares import WHO
from engine.policy import Policy
from engine.streaming.streams import StreamLimits, Streams
from engine.transport.contexts import ContextRefused
from tests.engine.test_websocket import PROTOCOL, Server, ask, client, closed, heard, say, serving

NUMBERS = "subscription { count }"


class Purse:
    """Allows so many points, to one client."""

    def __init__(self, points: int) -> None:
        self.left = points
        self.running = 0

    def client(self, _context: Any) -> Hashable:
        return "somebody"

    def begin(self, _context: Any) -> Hashable:
        self.running += 1
        return "somebody"

    def end(self, _client: Hashable) -> None:
        self.running -= 1

    async def take(self, _context: Any, demand: Demand) -> Bucket | None:
        if demand.cost > self.left:
            raise NotAdmitted(429, {"message": "Too much.", "extensions": {"code": "RATE_LIMITED"}}, {})
        self.left -= demand.cost
        return None

    def settle(self, _context: Any, bucket: Bucket | None, _unused: int) -> Bucket | None:
        return bucket


class Counting(Server):
    """Has subscriptions too: `count`, which a test counts up; `text(kib)` without end; `broken`, and `never`."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: asyncio.Queue[int | None] = asyncio.Queue()
        self.open: Counter[str] = Counter()
        self.told = 0
        self.payers: list[Hashable] = []
        self.stop: Callable[[], None] = lambda: None
        """Asks the server that runs it to stop."""

    def schema(self) -> GraphQLSchema:
        async def counting(_root: Any, _info: Any) -> AsyncIterator[int]:
            self.open["count"] += 1
            try:
                while (number := await self.counts.get()) is not None:
                    yield number
            finally:
                self.open["count"] -= 1

        async def texts(_root: Any, _info: Any, kib: int) -> AsyncIterator[str]:
            self.open["text"] += 1
            try:
                while True:
                    self.told += 1
                    yield "".join(secrets.token_hex(512) for _ in range(kib))
            finally:
                self.open["text"] -= 1

        async def broken(_root: Any, _info: Any) -> AsyncIterator[int]:
            yield 1
            raise OSError("the source is gone")

        async def never(_root: Any, _info: Any) -> AsyncIterator[int]:
            raise OSError("there is no source")

        def shown(event: Any, _info: Any, **_arguments: Any) -> Any:
            self.payers.append(WHO.get())
            if event == 13:
                raise OSError("not this one")
            return event

        number = GraphQLNonNull(GraphQLInt)
        return GraphQLSchema(
            super().schema().query_type,
            subscription=GraphQLObjectType(
                "Subscription",
                {
                    "count": GraphQLField(number, subscribe=counting, resolve=shown),
                    "broken": GraphQLField(number, subscribe=broken, resolve=shown),
                    "never": GraphQLField(number, subscribe=never, resolve=shown),
                    "text": GraphQLField(
                        GraphQLString, {"kib": GraphQLArgument(number)}, subscribe=texts, resolve=shown
                    ),
                },
            ),
        )


@asynccontextmanager
async def counting(
    limits: StreamLimits | None = None, purse: Purse | None = None, **socket_limits: float
) -> AsyncIterator[Counting]:
    server = Counting()
    streams = Streams(Executor(server.schema(), lambda *_: None, Policy(30), purse), limits)
    async with serving(server, streams, **socket_limits):
        yield server


async def numbers(socket: Any) -> Any:
    return (await heard(socket))["payload"].get("data")


async def test_each_event_is_answered_until_the_source_ends() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        for number in (1, 2, 3):
            await server.counts.put(number)
            assert await heard(socket) == {"type": "next", "id": "1", "payload": {"data": {"count": number}}}
        await server.counts.put(None)
        assert await heard(socket) == {"type": "complete", "id": "1"}
        await ask(socket, "1", NUMBERS)  # the id is free
        await server.until(lambda: server.open["count"] == 1)


async def test_complete_closes_the_source_and_says_no_more() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        await server.until(lambda: server.open["count"] == 1)
        await say(socket, type="complete", id="1")
        await server.until(lambda: server.open["count"] == 0)
        await ask(socket, "2", "{ hello }")
        assert (await heard(socket))["id"] == "2"


async def test_a_socket_that_closes_closes_its_sources() -> None:
    async with counting() as server:
        async with client(server) as socket:
            await ask(socket, "1", NUMBERS)
            await server.until(lambda: server.open["count"] == 1)
        await server.until(lambda: server.open["count"] == 0)


async def test_an_event_that_fails_is_told_and_the_next_one_comes() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        await server.counts.put(13)
        [error] = (await heard(socket))["payload"]["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["count"], "INTERNAL_SERVER_ERROR")
        await server.counts.put(14)
        assert await numbers(socket) == {"count": 14}


async def test_a_source_that_breaks_ends_its_subscription_alone() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", "subscription { broken }")
        assert await numbers(socket) == {"broken": 1}
        ended = await heard(socket)
        assert (ended["type"], ended["id"]) == ("error", "1")
        assert ended["payload"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        await ask(socket, "2", "{ hello }")
        assert await numbers(socket) == {"hello": "world"}


async def test_a_source_that_cannot_begin_is_told_as_a_field_that_fails() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", "subscription { never }")
        [error] = (await heard(socket))["payload"]["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["never"], "INTERNAL_SERVER_ERROR")
        assert await heard(socket) == {"type": "complete", "id": "1"}


async def test_who_asks_is_looked_at_before_each_event() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        await server.counts.put(1)
        assert await numbers(socket) == {"count": 1}
        server.verdict = "the session was ended"
        await server.counts.put(2)
        assert await closed(socket) == (4403, "the session was ended")


async def test_where_it_cannot_be_told_who_asks_a_subscription_ends_and_its_socket_does_not() -> None:
    async with counting() as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        await server.until(lambda: server.open["count"] == 1)
        server.verdict = ContextRefused(503, {"message": "not now"})
        await server.counts.put(1)
        assert await heard(socket) == {"type": "error", "id": "1", "payload": [{"message": "not now"}]}
        await server.until(lambda: server.open["count"] == 0)


async def test_a_reader_that_is_too_slow_is_dropped_and_nothing_is_kept_for_it() -> None:
    async with (
        counting(send_s=0.3) as server,
        connect(
            f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[PROTOCOL], ping_interval=None, max_queue=1
        ) as socket,
    ):
        await say(socket, type="connection_init")
        await ask(socket, "1", "subscription { text(kib: 256) }")  # compressed, half of it
        await server.until(lambda: server.open["text"] == 1)
        await server.until(lambda: server.open["text"] == 0)
        assert server.told < 400  # what fits into the buffers of two sockets
        with pytest.raises(ConnectionClosed) as end:
            await read_on(socket)
        assert end.value.rcvd is not None
        assert (end.value.rcvd.code, end.value.rcvd.reason) == (1013, "a message was not read in 0.3 s")


async def read_on(socket: ClientConnection) -> None:
    """Until it is told why there is no more."""
    while True:
        await asyncio.wait_for(socket.recv(), 60)


async def test_a_process_has_so_many_subscriptions_and_a_place_becomes_free_again() -> None:
    async with counting(StreamLimits(most=2)) as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        await ask(socket, "2", NUMBERS)
        await server.until(lambda: server.open["count"] == 2)
        await ask(socket, "3", NUMBERS)
        refused = await heard(socket)
        assert (refused["type"], refused["id"]) == ("error", "3")
        assert refused["payload"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE", "retryable": True}
        await say(socket, type="complete", id="1")
        await server.until(lambda: server.open["count"] == 1)
        await ask(socket, "3", NUMBERS)
        await server.until(lambda: server.open["count"] == 2)


async def test_a_client_has_so_many_subscriptions_on_all_of_its_sockets() -> None:
    async with (
        counting(StreamLimits(most_each=1), Purse(100)) as server,
        client(server) as one,
        client(server) as other,
    ):
        await ask(one, "1", NUMBERS)
        await server.until(lambda: server.open["count"] == 1)
        await ask(other, "1", NUMBERS)
        assert (await heard(other))["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_events_wait_in_the_turn_of_whoever_watches() -> None:
    async with counting(purse=Purse(1000)) as server, client(server) as socket:
        await ask(socket, "1", NUMBERS)
        for number in (1, 2):
            await server.counts.put(number)
            assert await numbers(socket) == {"count": number}
        assert server.payers == ["somebody"] * 2


async def test_each_event_is_paid_for_and_one_that_cannot_be_ends_the_subscription() -> None:
    query = "subscription { text(kib: 1) }"
    purse = Purse(3)  # for reading the document, the first event and one more
    async with counting(purse=purse) as server, client(server) as socket:
        await ask(socket, "1", query)
        kinds = [(await heard(socket))["type"] for _ in range(3)]
        assert kinds == ["next", "next", "error"]
        await server.until(lambda: server.open["text"] == 0)
        assert purse.running == 0  # a subscription that waits is no operation that runs
