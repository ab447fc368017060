"""GraphQL over HTTP: one ASGI endpoint, from request to bytes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from starlette.types import Receive, Scope, Send

from engine.errors import UNAVAILABLE
from engine.exchange import Answer, NotAllowedByGet, invalid
from engine.exchange import Request as Operation
from engine.execution import Executor
from engine.fairness.allowance import Admission, NotAdmitted
from engine.fairness.resuming import in_time
from engine.fragments.rendered import written
from engine.reading.bounds import Limits
from engine.transport.accepting import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, MIXED, Accepted, NotAcceptable, accepted
from engine.transport.asked import Asked
from engine.transport.batches import Batches, status_of
from engine.transport.contexts import ContextRefused
from engine.transport.event_channels import EventChannels, is_of_channel, token_of
from engine.transport.http_reply import Reply, Whole, headers_of
from engine.transport.http_request import CODES, ONE, UNREAD, BadRequest, let_by, read, read_any
from engine.transport.http_streams import Carried, Carrying, Streamed
from engine.transport.kept_token import HandedOut
from engine.watching.trace import traced

NO_TYPE = f"This endpoint answers with {GRAPHQL_RESPONSE}, {JSON}, {EVENT_STREAM} or {MIXED}."
MakeContext = Callable[[Asked], Awaitable[Any]]
"""The context of an operation. May raise ContextRefused."""


class GraphQLHTTP:
    """Answers GET and POST. A context may hand out tokens through its attribute `handed_out`.

    `carrying`: how answers go out that come one after another; without it there are none. `channels`: one stream for many.
    `batches`: several operations in one request.
    """

    def __init__(
        self,
        executor: Executor,
        make_context: MakeContext,
        limits: Limits,
        carrying: Carrying | None = None,
        channels: EventChannels | None = None,
        batches: Batches | None = None,
    ) -> None:
        self._batches = batches
        self._channels = channels
        self._executor = executor
        self._limits = limits
        self._make_context = make_context
        self._carrying = carrying

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Asked(scope)
        with traced(asked.header(b"traceparent")):
            reply = await self._reply(asked, receive)
            await reply.write(send)

    async def _reply(self, asked: Asked, receive: Receive) -> Reply:
        media = GRAPHQL_RESPONSE
        try:
            takes = accepted(asked.listed(b"accept"))
            media = takes.whole or JSON
            if self._channels is not None:
                token = token_of(asked)
                if is_of_channel(asked, token):
                    return await self._by_channel(self._channels, token or "", asked, receive)
            operation = await read_any(asked, receive, self._limits)
            if not isinstance(operation, Operation):
                return await self._batched(operation, asked, takes)
            deadline = self._executor.deadline()
            context, admission = await in_time(self._context(asked, operation), deadline)
            reads = asked.method == "GET"
            if self._carrying is None or not takes.several:
                answer = await self._executor.run(
                    operation, context, deadline=deadline, read_only=reads, admission=admission
                )
            else:
                outcome = await self._carrying.start(
                    operation, context, takes, deadline=deadline, read_only=reads, admission=admission
                )
                if isinstance(outcome, Carried):
                    return _with_tokens(self._carrying.reply(outcome, receive), context)
                answer = outcome
        except NotAdmitted as refused:
            return _whole(Answer({"errors": [refused.error]}, ran=False), refused.status, media, refused.headers)
        except NotAcceptable:
            return _whole(invalid(NO_TYPE, CODES[406]), 406, media)
        except BadRequest as error:
            if error.status in UNREAD:
                await let_by(asked, receive)
            # The rest of a body that nobody reads would come and come: the connection ends with this answer.
            headers = error.headers | ({"connection": "close"} if error.status != HTTPStatus.BAD_REQUEST else {})
            return _whole(invalid(error.message, CODES[error.status]), error.status, media, headers)
        except ContextRefused as error:
            return _whole(Answer({"errors": [error.error]}, ran=False), error.status, media)
        except TimeoutError:
            late = invalid("Who you are could not be settled in time: try again.", UNAVAILABLE)
            return _whole(late, 503, media)
        except NotAllowedByGet:
            return _whole(invalid("Send mutations by POST.", CODES[405]), 405, media, {"allow": "POST"})
        # Clients that take application/json expect 200 for whatever was well-formed HTTP and JSON.
        status = answer.status or (200 if answer.ran or media != GRAPHQL_RESPONSE else 400)
        return _with_tokens(_whole(answer, status, media, answer.headers), context)

    async def _batched(self, sent: list[Any], asked: Asked, takes: Accepted) -> Reply:
        """Raises BadRequest, NotAcceptable, ContextRefused, TimeoutError."""
        if self._batches is None:
            raise BadRequest(400, ONE)
        if takes.whole is None:
            raise NotAcceptable
        operations = self._batches.operations(sent)
        async with asyncio.timeout_at(self._executor.deadline()):
            context = await self._make_context(asked)
        answers, contexts = await self._batches.run(operations, context)
        status, headers = status_of(answers)
        body = orjson.dumps([answer.json for answer in answers], default=written)
        reply = Whole(status, headers_of(takes.whole, status, headers), body)
        for each in contexts:
            _with_tokens(reply, each)
        return reply

    async def _by_channel(self, channels: EventChannels, token: str, asked: Asked, receive: Receive) -> Reply:
        """Raises what the handling of any request raises, and NotAdmitted."""
        if asked.method == "GET":
            return channels.open(token, asked, receive)
        if asked.method == "DELETE":
            return channels.stop(token, asked)
        if asked.method == "PUT":
            async with asyncio.timeout_at(self._executor.deadline()):
                context = await self._make_context(asked)
                return _with_tokens(await channels.reserve(context, self._executor.admission(context)), context)
        operation = await read(asked, receive, self._limits)
        async with asyncio.timeout_at(self._executor.deadline()):
            context, admission = await self._context(asked, operation)
        answer = await channels.operate(token, operation, context, admission)
        if answer is None:
            return _with_tokens(Whole(202, headers_of(JSON, 202, {}), b""), context)
        return _whole(answer, answer.status or 400, JSON, answer.headers)

    async def _context(self, asked: Asked, operation: Operation) -> tuple[Any, Admission]:
        try:
            context = await self._make_context(asked)
        except ContextRefused as refused:
            if refused.as_nobody is None:
                raise
            admission = self._executor.admission(refused.as_nobody)
            if not await self._executor.entry.ignores_bearer(operation, admission):
                raise
            return refused.as_nobody, admission
        return context, self._executor.admission(context)


R = TypeVar("R", Whole, Streamed)


def _with_tokens(reply: R, context: Any) -> R:
    handed_out: HandedOut = getattr(context, "handed_out", {})
    for kept, token in handed_out.items():
        reply.headers.extend(kept.headers(token))
    return reply


def _whole(answer: Answer, status: int, media: str, own: Mapping[str, str] | None = None) -> Whole:
    return Whole(status, headers_of(media, status, own or {}), orjson.dumps(answer.body, default=written))
