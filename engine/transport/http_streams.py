"""Answers that come one after another over HTTP: as server-sent events or as parts of a multipart body.

Sources: enisdenjo/graphql-sse, PROTOCOL.md (distinct connections mode); graphql/graphql-over-http, rfcs/IncrementalDelivery.md; Apollo's
"Multipart HTTP protocol for GraphQL Subscriptions".
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import orjson
from starlette.types import Receive, Send

from engine.exchange import Answer, Request
from engine.fairness.allowance import Admission
from engine.fragments.rendered import written
from engine.streaming.incremental import FormOf2022
from engine.streaming.streams import Stream, Streams, Takes
from engine.transport.accepting import Accepted, Carrier
from engine.transport.http_reply import RawHeaders, headers_of
from engine.transport.socket_messages import Closing
from engine.transport.socket_watch import SocketWatch

T = TypeVar("T")
log = logging.getLogger("torii.streams")


@dataclass(frozen=True, slots=True)
class CarryLimits:
    """Times in seconds."""

    alive_every_s: float = 12
    """A sign of life where nothing else was sent: proxies cut what is silent for long."""
    send_s: float = 10
    """How long a chunk may wait for a client that does not read."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What is to go out by a carrier."""

    carrier: Carrier
    outcome: Answer | Stream
    context: Any


class Carrying:
    """Begins operations whose answers may come one after another, and writes them out."""

    def __init__(
        self,
        streams: Streams,
        renew: Callable[[Any], Any],
        watch: SocketWatch[Any],
        limits: CarryLimits | None = None,
    ) -> None:
        self._streams = streams
        self._renew = renew
        self._watch = watch
        self._limits = limits or CarryLimits()

    async def start(
        self,
        request: Request,
        context: Any,
        takes: Accepted,
        *,
        deadline: float | None = None,
        read_only: bool = False,
        admission: Admission | None = None,
    ) -> Answer | Carried:
        """As `Executor.run`. An answer that has a status of its own is never carried: only HTTP can say it."""

        async def following() -> Any:
            await self._watch.check(context)
            return self._renew(context)

        outcome = await self._streams.start(
            request,
            context,
            following,
            takes=Takes(subscriptions=takes.events is not None, parts=takes.parts is not None),
            deadline=deadline,
            read_only=read_only,
            admission=admission,
        )
        if isinstance(outcome, Stream):
            carrier = takes.carrier(is_subscription=outcome.is_subscription)
        else:
            carrier = None if takes.whole or outcome.status else takes.parts or takes.events
        return Carried(carrier, outcome, context) if carrier else cast("Answer", outcome)

    def reply(self, carried: Carried, receive: Receive) -> "Streamed":
        headers = headers_of(carried.carrier.media, 200, {"x-accel-buffering": "no"})
        return Streamed(headers, body_of(carried, self._watch), receive, sign_of_life(carried.carrier), self._limits)


@asynccontextmanager
async def body_of(carried: Carried, watch: SocketWatch[Any]) -> AsyncIterator[AsyncIterator[bytes]]:
    """What goes out. All that it holds is let go of with the block, also where a client has left before anything was sent."""
    async with AsyncExitStack() as held:
        outcome = carried.outcome
        answers = outcome if isinstance(outcome, Answer) else await held.enter_async_context(outcome)
        yield await held.enter_async_context(aclosing(chunks(carried.carrier, answers, watch, carried.context)))


async def chunks(
    carrier: Carrier, answers: Answer | AsyncIterator[Answer], watch: SocketWatch[Any], context: Any
) -> AsyncGenerator[bytes, None]:
    """Answer by answer, until the last one or until the context is no longer good."""
    in_form: Callable[[Answer], Answer] = _as_it_is
    if carrier is Carrier.PARTS_OF_2022:
        form = FormOf2022()
        in_form = lambda answer: replace(answer, body=form.of(answer.body))  # noqa: E731
    yield opening(carrier)
    if isinstance(answers, Answer):
        yield chunk(carrier, answers)
    else:
        try:
            with watch.over(context) as ending:
                async for answer in until(ending, answers):
                    yield chunk(carrier, in_form(answer))
        except Closing as closing:
            yield chunk(carrier, Answer({"errors": [closing.error]}, ran=False))
    yield closing_of(carrier)


def _as_it_is(answer: Answer) -> Answer:
    return answer


def opening(carrier: Carrier) -> bytes:
    return b":\n\n" if carrier is Carrier.EVENTS else b"---"


def chunk(carrier: Carrier, answer: Answer) -> bytes:
    """An answer as its carrier has it. JSON as orjson writes it has no line breaks."""
    if carrier is Carrier.SUBSCRIPTION_PARTS:
        return part({"payload": answer.json})
    if carrier is Carrier.EVENTS:
        return b"event: next\ndata: " + orjson.dumps(answer.json, default=written) + b"\n\n"
    return part(answer.json)


def part(payload: Any) -> bytes:
    """With the boundary behind it, so that a client knows at once that it is whole."""
    content = orjson.dumps(payload, default=written)
    return b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n" + content + b"\r\n---"


def closing_of(carrier: Carrier) -> bytes:
    return b"event: complete\ndata:\n\n" if carrier is Carrier.EVENTS else b"--\r\n"


def sign_of_life(carrier: Carrier) -> bytes | None:
    """None where the form has none: incremental delivery ends within a deadline anyway."""
    if carrier is Carrier.EVENTS:
        return b":\n\n"
    return part({}) if carrier is Carrier.SUBSCRIPTION_PARTS else None


async def until(ending: asyncio.Future[Closing], values: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The values, as long as nothing ends them. Raises Closing."""
    while True:
        coming = asyncio.ensure_future(_next(values))
        try:
            await _first_of(coming, ending)
            if ending.done():
                raise ending.result()
            value = coming.result()
        finally:
            await _given_up(coming)
        if value is None:
            return
        yield value


class Streamed:
    """A reply whose body goes on. The work behind it ends when the client leaves, or does not read."""

    def __init__(
        self,
        headers: RawHeaders,
        body: AbstractAsyncContextManager[AsyncIterator[bytes]],
        receive: Receive,
        alive: bytes | None,
        limits: CarryLimits,
    ) -> None:
        self.status = 200
        self.headers = headers
        self._body = body
        self._receive = receive
        self._alive = alive
        self._limits = limits

    async def write(self, send: Send) -> None:
        leaving = asyncio.ensure_future(self._left())
        try:
            async with self._body as body, aclosing(self._with_signs_of_life(body, leaving)) as sending:
                await self._write(send, {"type": "http.response.start", "status": self.status, "headers": self.headers})
                async for sent in sending:
                    await self._write(send, {"type": "http.response.body", "body": sent, "more_body": True})
            if not leaving.done():
                await self._write(send, {"type": "http.response.body", "body": b""})
        except TimeoutError:
            log.info("a client did not read its stream, and was dropped")  # the server ends a reply that is not whole
        finally:
            await _given_up(leaving)

    async def _with_signs_of_life(
        self, body: AsyncIterator[bytes], leaving: asyncio.Future[None]
    ) -> AsyncGenerator[bytes, None]:
        while True:
            coming = asyncio.ensure_future(_next(body))
            try:
                while not coming.done():
                    await _first_of(coming, leaving, within_s=self._limits.alive_every_s)
                    if leaving.done():
                        return
                    if not coming.done() and self._alive:
                        yield self._alive
                value = coming.result()
            finally:
                await _given_up(coming)
            if value is None:
                return
            yield value

    async def _write(self, send: Callable[[Any], Awaitable[None]], message: dict[str, Any]) -> None:
        async with asyncio.timeout(self._limits.send_s):
            await send(message)

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _next(values: AsyncIterator[T]) -> T | None:
    """None where there is no other: a task cannot end with StopAsyncIteration."""
    return await anext(values, None)


async def _first_of(*tasks: asyncio.Future[Any], within_s: float | None = None) -> None:
    await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)


async def _given_up(task: asyncio.Future[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
