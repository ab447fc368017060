"""graphql-sse in single connection mode: one stream of events for many operations, each sent by a request of its own.

A client reserves a channel (PUT), opens its stream with the token it was given (GET), sends operations (POST, 202) and ends them
(DELETE). Channels are this process's: whoever balances load sends the requests of one token to one process.

Source: enisdenjo/graphql-sse, PROTOCOL.md, "Single connection mode".
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive

from engine.exchange import Answer, Request
from engine.fairness.allowance import Admission
from engine.fragments.rendered import written
from engine.streaming.streams import Places, Stream, StreamLimits, Streams
from engine.transport.accepting import EVENT_STREAM, NotAcceptable
from engine.transport.asked import Asked
from engine.transport.contexts import ContextRefused
from engine.transport.http_reply import Reply, Whole, headers_of
from engine.transport.http_request import BadRequest
from engine.transport.http_streams import CarryLimits, Streamed, until
from engine.transport.socket_messages import MAX_ID, Closing
from engine.transport.socket_watch import SocketWatch

TOKEN = b"x-graphql-event-stream-token"
MAX_QUERY = 1024
TEXT = "text/plain"
UNKNOWN = (
    "There is no such channel here: reserve one by PUT, and send all requests of its token to the gateway that gave it."
)


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """What channels may be, and each of them may do."""

    places: StreamLimits = field(default_factory=lambda: StreamLimits(1_000, 20))
    open_within_s: float = 60
    """How long a reservation waits for its stream."""
    max_operations: int = 100
    max_waiting: int = 100
    """Events that were not written yet; operations wait while there are so many."""
    max_waiting_bytes: int = 1024 * 1024
    """Of events that were not written yet; while there are more no operation begins."""


@dataclass(slots=True, eq=False)
class Channel:
    """A reservation, and the operations whose answers go out by the stream that fulfils it."""

    context: Any
    held: ExitStack
    events: asyncio.Queue[bytes]
    reserved_at: float
    is_open: bool = False
    waiting_bytes: int = 0
    """Of all that was not written yet, what waits for a place in the queue too."""
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def user_id(self) -> Any:
        return getattr(self.context, "user_id", None)

    async def put(self, event: bytes) -> None:
        self.waiting_bytes += len(event)
        await self.events.put(event)

    async def taken(self) -> AsyncGenerator[bytes, None]:
        """The events in order, as they come."""
        while True:
            event = await self.events.get()
            self.waiting_bytes -= len(event)
            yield event

    def close(self) -> None:
        """End all of its work. A second time does nothing."""
        for task in self.operations.values():
            task.cancel()
        self.operations.clear()
        self.held.close()


def token_of(asked: Asked) -> str | None:
    """The token of a channel: in a header, or, of a browser's EventSource, in the address."""
    sent = asked.header(TOKEN)
    query: bytes = asked.scope["query_string"]
    if sent is None and asked.method == "GET" and b"token=" in query and len(query) <= MAX_QUERY:
        sent = _parameter(query, "token")
    return sent


def is_of_channel(asked: Asked, token: str | None) -> bool:
    """Whether a request is about a channel. What should have no body, and has one, is not read as such."""
    if token is None and asked.method != "PUT":
        return False
    has_body = (asked.header(b"content-length") or "0") != "0" or asked.header(b"transfer-encoding") is not None
    return asked.method == "POST" or not has_body


def _parameter(query: bytes, name: str) -> str | None:
    return parse_qs(query[:MAX_QUERY].decode("latin-1"), max_num_fields=20).get(name, [None])[0]


class EventChannels:
    """The channels of a process."""

    def __init__(
        self,
        streams: Streams,
        renew: Callable[[Any], Any],
        watch: SocketWatch[Any],
        limits: ChannelLimits | None = None,
        carry: CarryLimits | None = None,
    ) -> None:
        self._streams = streams
        self._renew = renew
        self._watch = watch
        self._limits = limits or ChannelLimits()
        self._carry = carry or CarryLimits()
        self._places = Places(self._limits.places)
        self._channels: dict[str, Channel] = {}

    async def reserve(self, context: Any, admission: Admission) -> Whole:
        """A token for a channel of whoever asks. Raises NotAdmitted."""
        await admission.read(0)
        self._sweep()
        held = ExitStack()
        held.enter_context(self._places.taken(admission.client))
        token = secrets.token_urlsafe(32)
        waiting: asyncio.Queue[bytes] = asyncio.Queue(self._limits.max_waiting)
        self._channels[token] = Channel(context, held, waiting, time.monotonic())
        return Whole(201, headers_of(TEXT, 201, {}), token.encode())

    def open(self, token: str, asked: Asked, receive: Receive) -> Reply:
        """The stream of a channel. Raises BadRequest, NotAcceptable."""
        channel = self._found(token)
        if EVENT_STREAM not in (asked.listed(b"accept") or ""):
            raise NotAcceptable
        if channel.is_open:
            raise BadRequest(409, "The stream of this reservation is open already.")
        channel.is_open = True
        headers = headers_of(f"{EVENT_STREAM}; charset=utf-8", 200, {"x-accel-buffering": "no"})
        return Streamed(headers, self._body(token, channel), receive, b":\n\n", self._carry)

    async def operate(self, token: str, request: Request, context: Any, admission: Admission) -> Answer | None:
        """Begin an operation, whose answers go out by the channel; or what there is to answer at once. Raises BadRequest."""
        channel, id = self._found(token), request.operation_id
        if channel.user_id != getattr(context, "user_id", None):
            raise _unknown()
        if not id or len(id) > MAX_ID:
            raise BadRequest(400, f"extensions.operationId is a string of 1 to {MAX_ID} characters.")
        if id in channel.operations:
            raise BadRequest(409, f"An operation {id} is running.")
        if len(channel.operations) >= self._limits.max_operations:
            raise BadRequest(400, f"At most {self._limits.max_operations} operations may run on a channel.")
        if channel.waiting_bytes > self._limits.max_waiting_bytes:
            raise BadRequest(400, f"{channel.waiting_bytes:,} bytes wait on this channel: read its stream first.")

        async def following() -> Any:
            await self._watch.check(context)
            return self._renew(context)

        place = channel.operations[id] = asyncio.create_task(_nothing())  # while it begins
        try:
            outcome = await self._streams.start(request, context, following, admission=admission)
        finally:
            is_wanted = channel.operations.get(id) is place
            if is_wanted:
                del channel.operations[id]
        if isinstance(outcome, Answer) and not outcome.ran:
            return outcome
        if not is_wanted:  # it was stopped meanwhile, or the channel was closed
            if isinstance(outcome, Stream):
                async with outcome:
                    pass
            return None
        channel.operations[id] = asyncio.create_task(self._tell(channel, id, outcome))
        return None

    def stop(self, token: str, asked: Asked) -> Reply:
        """End an operation. One that is over already is no mistake. Raises BadRequest."""
        id = _parameter(asked.scope["query_string"], "operationId")
        if not id:
            raise BadRequest(400, "Say which operation: operationId=….")
        task = self._found(token).operations.pop(id, None)
        if task is not None:
            task.cancel()
        return Whole(200, headers_of(TEXT, 200, {}), b"")

    async def _tell(self, channel: Channel, id: str, outcome: Answer | Stream) -> None:
        try:
            if isinstance(outcome, Answer):
                await channel.put(_next(id, outcome.json))
            else:
                async with outcome as answers:
                    async for answer in answers:
                        await channel.put(_next(id, answer.json))
            await channel.put(_complete(id))
        except (Closing, ContextRefused) as closing:
            await channel.put(_next(id, {"errors": [closing.error]}) + _complete(id))
        finally:
            if channel.operations.get(id) is asyncio.current_task():
                del channel.operations[id]

    @asynccontextmanager
    async def _body(self, token: str, channel: Channel) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            async with aclosing(self._events(channel)) as events:
                yield events
        finally:
            self._channels.pop(token, None)
            channel.close()

    async def _events(self, channel: Channel) -> AsyncGenerator[bytes, None]:
        try:
            yield b":\n\n"
            with self._watch.over(channel.context) as ending:
                async for event in until(ending, channel.taken()):
                    yield event
        except Closing as closing:
            for id in list(channel.operations):
                yield _next(id, {"errors": [closing.error]}) + _complete(id)

    def _found(self, token: str) -> Channel:
        self._sweep()
        channel = self._channels.get(token)
        if channel is None:
            raise _unknown()
        return channel

    async def watch(self) -> None:
        """Let go of what nobody came for, also while nobody asks for anything. Has to run beside the endpoint."""
        while True:
            await asyncio.sleep(self._limits.open_within_s)
            self._sweep()

    def _sweep(self) -> None:
        """Let go of reservations that nobody came for: the oldest are first."""
        too_old = time.monotonic() - self._limits.open_within_s
        for token, channel in list(self._channels.items()):
            if channel.reserved_at > too_old:
                return
            if not channel.is_open:
                del self._channels[token]
                channel.close()


async def _nothing() -> None:
    """Stands for an operation that begins."""


def _next(id: str, payload: Any) -> bytes:
    return b"event: next\ndata: " + orjson.dumps({"id": id, "payload": payload}, default=written) + b"\n\n"


def _complete(id: str) -> bytes:
    return b"event: complete\ndata: " + orjson.dumps({"id": id}) + b"\n\n"


def _unknown() -> BadRequest:
    return BadRequest(404, UNKNOWN)
