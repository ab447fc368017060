"""GraphQL over WebSocket: the endpoint, and what a connection may do.

Nothing runs before `connection_init` was answered. Each operation is a task of its own, in a context of its own; whatever is
wrong with one is answered to that one. A connection is closed for what breaks the protocol, for silence, for a flood, for
a client that does not read, and once its context is no longer good.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.exchange import Answer, Request, invalid
from engine.streaming.streams import Stream, Streams
from engine.transport.contexts import ContextRefused
from engine.transport.open_sockets import OpenSockets, TooManySockets
from engine.transport.socket_messages import PROTOCOL, Close, Closing, Message, answer_of, decode, encode
from engine.transport.socket_watch import SocketWatch, always_allowed
from engine.watching.trace import traced

C = TypeVar("C")
MakeContext = Callable[[WebSocket, dict[str, Any]], Awaitable[C]]
"""The context of a connection, from its `connection_init` payload. May raise ContextRefused."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one connection may do, and how long it may be silent. Times in seconds."""

    init_s: float = 3
    ping_every_s: float = 30
    idle_s: float = 600
    send_s: float = 10
    """How long a message may wait for a client that does not read."""
    max_operations: int = 100
    """Running at the same time."""
    max_messages_per_s: int = 100
    max_values: int = 20_000
    """In the JSON of one message."""


class GraphQLWebSocket(Generic[C]):
    """The ASGI endpoint. `renew` makes the context of an operation from that of the connection, as long as it is good."""

    def __init__(
        self,
        streams: Streams,
        make_context: MakeContext[C],
        renew: Callable[[C], C],
        limits: SocketLimits | None = None,
        watch: SocketWatch[C] | None = None,
        open_sockets: OpenSockets | None = None,
    ) -> None:
        self._open = open_sockets or OpenSockets(sys.maxsize)
        self._streams = streams
        self._make_context = make_context
        self._renew = renew
        self._limits = limits or SocketLimits()
        self._watch = watch or SocketWatch(always_allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        try:
            with self._open.one_more(websocket):
                await self._serve(websocket)
        except TooManySockets as refused:
            await websocket.send_denial_response(refused.response)

    async def _serve(self, websocket: WebSocket) -> None:
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(Close.PROTOCOL_NOT_ACCEPTED, f"speak {PROTOCOL}")
            return
        await websocket.accept(subprotocol=PROTOCOL)
        await Connection(websocket, self._streams, self._make_context, self._renew, self._limits, self._watch).run()


class Connection(Generic[C]):
    """One socket, from its acceptance to its close."""

    def __init__(
        self,
        websocket: WebSocket,
        streams: Streams,
        make_context: MakeContext[C],
        renew: Callable[[C], C],
        limits: SocketLimits,
        watch: SocketWatch[C],
    ) -> None:
        self._watch = watch
        self._websocket = websocket
        self._streams = streams
        self._make_context = make_context
        self._renew = renew
        self._limits = limits
        self._context: C | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._second, self._messages = 0, 0
        self._heard_at = self._busy_at = time.monotonic()

    async def run(self) -> None:
        """Serve until either side closes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_alive())
                context = self._context = await self._init()
                with self._watch.over(context) as ending:
                    tasks.create_task(_end(ending))
                    await self._send(encode({"type": "connection_ack"}))
                    while True:
                        self._obey(await self._next_message(), tasks)
        except* (WebSocketDisconnect, _Gone):
            pass
        except* Closing as group:
            [closing, *_] = group.exceptions
            assert isinstance(closing, Closing)
            await self._close(closing)

    async def _init(self) -> C:
        try:
            async with asyncio.timeout(self._limits.init_s):
                while (message := await self._next_message()).kind in ("ping", "pong"):
                    if message.kind == "ping":
                        await self._send(encode({"type": "pong"}))
                if message.kind == "subscribe":
                    raise Closing(Close.UNAUTHORIZED, "say connection_init first")
                if message.kind != "connection_init":
                    raise Closing(Close.INVALID, "say connection_init first")
                return await self._make_context(self._websocket, message.payload or {})
        except TimeoutError as error:
            raise Closing(Close.INIT_TIMEOUT, f"connection_init did not come in {self._limits.init_s:g} s") from error
        except ContextRefused as error:
            code = Close.TRY_AGAIN if error.status == HTTPStatus.SERVICE_UNAVAILABLE else Close.FORBIDDEN
            raise Closing(code, str(error)) from error

    async def _next_message(self) -> Message:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", Close.NORMAL))
        self._heard_at = time.monotonic()
        self._count()
        if received.get("text") is None:
            raise Closing(Close.INVALID, "send text frames")
        return decode(received["text"], self._limits.max_values)

    def _count(self) -> None:
        second = int(self._heard_at)
        self._messages = self._messages + 1 if second == self._second else 1
        self._second = second
        if self._messages > self._limits.max_messages_per_s:
            raise Closing(Close.POLICY, f"more than {self._limits.max_messages_per_s} messages a second")

    def _obey(self, message: Message, tasks: asyncio.TaskGroup) -> None:
        if message.kind == "pong":
            return
        self._busy_at = self._heard_at
        if message.kind == "ping":
            tasks.create_task(self._send(encode({"type": "pong"})))
        elif message.kind == "connection_init":
            raise Closing(Close.TOO_MANY_INITS, "connection_init was said before")
        elif message.kind == "complete":
            running = self._operations.pop(message.id, None)
            if running is not None:
                running.cancel()
        elif message.id in self._operations:
            raise Closing(Close.ID_TAKEN, f"an operation {message.id} is running")
        elif len(self._operations) >= self._limits.max_operations:
            refusal = invalid(f"at most {self._limits.max_operations} operations may run on a connection")
            tasks.create_task(self._send(answer_of(message.id, refusal)))
        else:
            assert message.request is not None
            self._operations[message.id] = tasks.create_task(self._operate(message.id, message.request))

    async def _operate(self, id: str, request: Request) -> None:
        try:
            assert self._context is not None
            with traced(None):
                outcome = await self._begin(request, self._context)
                if isinstance(outcome, Answer):
                    ended = await self._tell(id, outcome)
                else:
                    async with outcome as answers:
                        ended = await self._tell_all(id, answers)
            if not ended:
                await self._send(encode({"type": "complete", "id": id}))
        finally:
            self._busy_at = time.monotonic()
            if self._operations.get(id) is asyncio.current_task():
                del self._operations[id]

    async def _begin(self, request: Request, context: C) -> Answer | Stream:
        async def following() -> C:
            await self._watch.check(context)
            return self._renew(context)

        try:
            return await self._streams.start(request, await following(), following)
        except ContextRefused as error:
            return Answer({"errors": [error.error]}, ran=False)

    async def _tell(self, id: str, answer: Answer) -> bool:
        """Whether that ended the operation."""
        await self._send(answer_of(id, answer))
        return not answer.ran

    async def _tell_all(self, id: str, answers: AsyncIterator[Answer]) -> bool:
        async for answer in answers:
            if await self._tell(id, answer):
                return True
        return False

    async def _keep_alive(self) -> None:
        """Ping, and notice who is gone or has nothing more to ask."""
        while True:
            await asyncio.sleep(self._limits.ping_every_s)
            now = time.monotonic()
            if now - self._heard_at > 2 * self._limits.ping_every_s:
                raise _Gone
            if not self._operations and now - self._busy_at >= self._limits.idle_s:
                raise Closing(Close.NORMAL, f"nothing was asked for {self._limits.idle_s:g} s")
            await self._send(encode({"type": "ping"}))

    async def _send(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.send_s), self._sending:
                await self._websocket.send_text(message.decode())
        except TimeoutError as error:
            raise Closing(Close.TRY_AGAIN, f"a message was not read in {self._limits.send_s:g} s") from error

    async def _close(self, closing: Closing) -> None:
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):  # it was closed in the same moment
            async with asyncio.timeout(self._limits.send_s):
                await self._websocket.close(closing.code, closing.reason)


async def _end(ending: asyncio.Future[Closing]) -> None:
    raise await ending


class _Gone(Exception):
    """The client is not there any more."""
