"""What a connection may do, and for how long: tried with clients that do more, less, or nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from graphql import GraphQLArgument, GraphQLField, GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.execution import Executor
from engine.policy import Policy
from engine.streaming.streams import Streams
from engine.transport.contexts import ContextRefused
from engine.transport.socket_watch import SocketWatch, Verdict
from engine.transport.websocket import GraphQLWebSocket, SocketLimits

PROTOCOL = "graphql-transport-ws"
HOUR = 3_600.0


class Server:
    """A gateway of one type: `hello`, `big(kib)`, and `wait`, which ends when the test says so."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.waiting = 0
        self.ran: list[str] = []
        self.port = 0
        self.refuse: ContextRefused | None = None
        self.verdict: Verdict = None
        self.looked = 0

    async def context(self, _websocket: WebSocket, _payload: dict[str, Any]) -> str:
        if self.refuse:
            raise self.refuse
        return "somebody"

    async def still_allowed(self, contexts: Sequence[str]) -> Sequence[Verdict]:
        self.looked += 1
        return [self.verdict for _ in contexts]

    def schema(self) -> GraphQLSchema:
        async def wait(_root: Any, _info: Any) -> str:
            self.waiting += 1
            try:
                await self.go_on.wait()
            finally:
                self.waiting -= 1
            return "done"

        def hello(_root: Any, _info: Any) -> str:
            self.ran.append("hello")
            return "world"

        fields = {
            "hello": GraphQLField(GraphQLString, resolve=hello),
            "wait": GraphQLField(GraphQLString, resolve=wait),
            "big": GraphQLField(
                GraphQLString, args={"kib": GraphQLArgument(GraphQLInt)}, resolve=lambda _r, _i, kib: "x" * 1024 * kib
            ),
        }
        return GraphQLSchema(GraphQLObjectType("Query", fields))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    server: Server | None = None, streams: Streams | None = None, **limits: float
) -> AsyncIterator[Server]:
    server = server or Server()
    quiet: dict[str, Any] = {"ping_every_s": HOUR, "idle_s": HOUR} | limits
    streams = streams or Streams(Executor(server.schema(), lambda *_: None, Policy(30)))
    watch = SocketWatch(server.still_allowed)
    endpoint = GraphQLWebSocket(streams, server.context, lambda context: context, SocketLimits(**quiet), watch)
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/graphql", endpoint)]),
        port=0,
        lifespan="off",
        log_level="error",
        ws="websockets-sansio",
        ws_ping_interval=None,
    )
    running = uvicorn.Server(config)
    watching = asyncio.create_task(watch.watch())
    task = asyncio.create_task(running.serve())
    await server.until(lambda: running.started)
    server.port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.go_on.set()
        running.should_exit = True
        await task
        watching.cancel()


@asynccontextmanager
async def client(server: Server, *, begin: bool = True) -> AsyncIterator[ClientConnection]:
    address = f"ws://127.0.0.1:{server.port}/graphql"
    async with connect(address, subprotocols=[PROTOCOL], ping_interval=None) as socket:
        if begin:
            await say(socket, type="connection_init")
            assert await heard(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def ask(socket: ClientConnection, id: str, query: str) -> None:
    await say(socket, type="subscribe", id=id, payload={"query": query})


async def heard(socket: ClientConnection) -> Any:
    """The next message, without what it says of its cost."""
    message = json.loads(await asyncio.wait_for(socket.recv(), 60))
    if message["type"] == "next":
        assert message["payload"].pop("extensions").keys() == {"cost"}
    return message


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the server closes; what it says before is passed over."""
    end = await ended(socket)
    assert end.rcvd is not None
    return end.rcvd.code, end.rcvd.reason


async def ended(socket: ClientConnection, answer: str | None = None) -> ConnectionClosed:
    """How the connection ended. `answer` is sent for each message that comes before."""
    async with asyncio.timeout(60):
        while True:
            try:
                await socket.recv()
                if answer:
                    await socket.send(answer)
            except ConnectionClosed as end:
                return end


async def test_who_says_nothing_is_not_waited_for() -> None:
    async with serving(init_s=0.1) as server, client(server, begin=False) as socket:
        assert await closed(socket) == (4408, "connection_init did not come in 0.1 s")


async def test_nothing_runs_before_the_connection_is_acknowledged() -> None:
    async with serving() as server, client(server, begin=False) as socket:
        await ask(socket, "1", "{ hello }")
        await say(socket, type="connection_init")
        assert (await closed(socket))[0] == 4401
        assert server.ran == []


async def test_a_ping_may_come_before_the_init() -> None:
    async with serving() as server, client(server, begin=False) as socket:
        await say(socket, type="ping")
        assert await heard(socket) == {"type": "pong"}
        await say(socket, type="connection_init")
        assert await heard(socket) == {"type": "connection_ack"}


@pytest.mark.parametrize(("status", "code"), [(401, 4403), (403, 4403), (503, 1013)])
async def test_who_is_refused_is_told_why_and_whether_to_come_back(status: int, code: int) -> None:
    async with serving() as server, client(server, begin=False) as socket:
        server.refuse = ContextRefused(status, {"message": "not now"})
        await say(socket, type="connection_init")
        assert await closed(socket) == (code, "not now")


async def test_a_second_init_is_too_many() -> None:
    async with serving() as server, client(server) as socket:
        await say(socket, type="connection_init")
        assert (await closed(socket))[0] == 4429


@pytest.mark.parametrize("query", ["{ hello ", "{ nothing }", "query A { hello } query B { hello }"])
async def test_what_is_wrong_with_one_operation_is_answered_to_that_one(query: str) -> None:
    async with serving() as server, client(server) as socket:
        await ask(socket, "slow", "{ wait }")
        await server.until(lambda: server.waiting == 1)
        await ask(socket, "wrong", query)
        answer = await heard(socket)
        assert (answer["type"], answer["id"]) == ("error", "wrong")
        server.go_on.set()
        assert await heard(socket) == {"type": "next", "id": "slow", "payload": {"data": {"wait": "done"}}}
        assert await heard(socket) == {"type": "complete", "id": "slow"}


async def test_an_id_may_be_used_again_but_not_twice_at_once() -> None:
    async with serving() as server, client(server) as socket:
        for _ in range(2):
            await ask(socket, "1", "{ hello }")
            assert [(await heard(socket))["type"] for _ in range(2)] == ["next", "complete"]
        await ask(socket, "1", "{ wait }")
        await ask(socket, "1", "{ hello }")
        assert (await closed(socket))[0] == 4409


async def test_complete_of_what_never_ran_or_has_ended_is_no_mistake() -> None:
    async with serving() as server, client(server) as socket:
        await say(socket, type="complete", id="never")
        for _ in range(2):
            await ask(socket, "1", "{ hello }")
            assert [(await heard(socket))["type"] for _ in range(2)] == ["next", "complete"]
            await say(socket, type="complete", id="1")
            await say(socket, type="complete", id="1")
        await say(socket, type="ping")
        assert (await heard(socket))["type"] == "pong"


async def test_complete_ends_an_operation_and_its_work() -> None:
    async with serving() as server, client(server) as socket:
        await ask(socket, "1", "{ wait }")
        await server.until(lambda: server.waiting == 1)
        await say(socket, type="complete", id="1")
        await server.until(lambda: server.waiting == 0)
        await ask(socket, "1", "{ hello }")  # the id is free
        assert (await heard(socket))["payload"] == {"data": {"hello": "world"}}


async def test_a_socket_that_closes_leaves_no_work_behind() -> None:
    async with serving() as server:
        async with client(server) as socket:
            await ask(socket, "1", "{ wait }")
            await server.until(lambda: server.waiting == 1)
        await server.until(lambda: server.waiting == 0)


async def test_one_connection_has_so_many_operations_at_once() -> None:
    async with serving(max_operations=3) as server, client(server) as socket:
        for number in range(4):
            await ask(socket, str(number), "{ wait }")
        answer = await heard(socket)
        assert (answer["type"], answer["id"]) == ("error", "3")
        assert "at most 3 operations" in answer["payload"][0]["message"]
        assert server.waiting == 3


async def test_a_flood_of_messages_closes_the_socket() -> None:
    async with serving(max_messages_per_s=20) as server, client(server) as socket:
        for _ in range(100):
            await say(socket, type="pong")
        assert await closed(socket) == (1008, "more than 20 messages a second")


async def test_the_server_pings_and_drops_who_does_not_answer() -> None:
    async with serving(ping_every_s=0.1) as server, client(server) as socket:
        assert await heard(socket) == {"type": "ping"}
        await ended(socket)


async def test_who_answers_pings_and_asks_nothing_is_let_go_after_a_while() -> None:
    async with serving(ping_every_s=0.05, idle_s=0.3) as server, client(server) as socket:
        end = await ended(socket, answer='{"type":"pong"}')
        assert end.rcvd is not None
        assert (end.rcvd.code, end.rcvd.reason) == (1000, "nothing was asked for 0.3 s")


async def test_a_connection_with_an_operation_running_is_not_idle() -> None:
    async with serving(ping_every_s=0.05, idle_s=0.1) as server, client(server) as socket:
        await ask(socket, "1", "{ wait }")
        for _ in range(8):
            assert await heard(socket) == {"type": "ping"}
            await say(socket, type="pong")
        server.go_on.set()
        while (answer := await heard(socket)) == {"type": "ping"}:
            await say(socket, type="pong")
        assert answer["payload"] == {"data": {"wait": "done"}}


async def test_a_client_that_does_not_read_is_dropped() -> None:
    async with (
        serving(send_s=0.3, max_operations=100) as server,
        connect(
            f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[PROTOCOL], ping_interval=None, max_queue=1
        ) as socket,
    ):
        await say(socket, type="connection_init")
        await ask(socket, "running", "{ wait }")
        await server.until(lambda: server.waiting == 1)
        for number in range(64):  # 64 MiB that nobody takes
            await ask(socket, str(number), "{ big(kib: 1024) }")
        await server.until(lambda: server.waiting == 0)  # dropped, with all of its work


async def test_binary_frames_are_no_messages() -> None:
    async with serving() as server, client(server) as socket:
        await socket.send(b'{"type":"ping"}')
        assert await closed(socket) == (4400, "send text frames")


async def test_sockets_close_when_they_are_no_longer_good() -> None:
    async with serving() as server, client(server) as one, client(server) as other:
        await ask(one, "1", "{ wait }")
        await server.until(lambda: server.waiting == 1)
        server.verdict = "the session was ended"
        assert await closed(one) == (4403, "the session was ended")
        assert await closed(other) == (4403, "the session was ended")
        assert server.waiting == 0  # and what was running is given up


async def test_one_look_is_for_all_connections() -> None:
    async with serving() as server, client(server), client(server), client(server):
        before = server.looked
        await server.until(lambda: server.looked > before + 1)
        assert server.looked < before + 6


async def test_nothing_runs_under_a_context_that_is_no_longer_good() -> None:
    async with serving() as server, client(server) as socket:
        server.verdict = "the session was ended"
        await ask(socket, "1", "{ hello }")
        assert await closed(socket) == (4403, "the session was ended")
        assert server.ran == []


async def test_where_it_cannot_be_told_a_socket_stays_open_and_nothing_runs() -> None:
    async with serving() as server, client(server) as socket:
        server.verdict = ContextRefused(503, {"message": "not now", "extensions": {"code": "SERVICE_UNAVAILABLE"}})
        before = server.looked
        await server.until(lambda: server.looked > before + 1)
        await ask(socket, "1", "{ hello }")
        refusal = [{"message": "not now", "extensions": {"code": "SERVICE_UNAVAILABLE"}}]
        assert await heard(socket) == {"type": "error", "id": "1", "payload": refusal}
        server.verdict = None
        await ask(socket, "2", "{ hello }")
        assert (await heard(socket))["payload"] == {"data": {"hello": "world"}}
