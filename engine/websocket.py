"""GraphQL over WebSocket: graphql-transport-ws, and no other protocol. Strawberry speaks it; our executor answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, PreExecutionError

from engine.execution import Executor
from engine.execution import Request as Operation
from engine.http import ContextRefused
from engine.http_request import BadRequest, checked
from engine.trace import traced

INIT_TIMEOUT = timedelta(seconds=3)
MAX_OPERATIONS = 100
"""Operations that one connection may have running."""

C = TypeVar("C")
MakeContext = Callable[[WebSocket, dict[str, Any]], Awaitable[C]]
"""The context of a connection, from its `connection_init` payload. May raise ContextRefused."""


class Connection(Generic[C]):
    """What the protocol's handler carries along for a connection: nothing runs before `context` is there."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.connection_params: dict[str, Any] = {}
        self.context: C | None = None


class GraphQLWebSocket(GraphQL[Any, None]):
    """Answers `connection_init`, then runs operations, each in a context of its own that `renew` makes."""

    def __init__(self, executor: Executor, make_context: MakeContext[C], renew: Callable[[C], C]) -> None:
        super().__init__(
            cast("strawberry.Schema", _Operations(executor, renew)),
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self._make_context = make_context

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:  # noqa: ARG002
        assert isinstance(request, WebSocket)
        return Connection(request)

    def decode_json(self, data: str | bytes) -> object:
        """A message of the protocol. Raises orjson.JSONDecodeError, which closes the socket with 4400."""
        message = orjson.loads(data)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _no_message("a message is an object with a type")
        if message["type"] == "subscribe":
            if not isinstance(message.get("id"), str):
                raise _no_message("an operation has an id, a string")
            try:
                checked(message.get("payload"))
            except BadRequest as error:
                raise _no_message(error.message) from error
        return message

    async def on_ws_connect(self, context: Any) -> Any:
        try:
            context.context = await self._make_context(context.websocket, context.connection_params)
        except ContextRefused as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)


def _no_message(problem: str) -> orjson.JSONDecodeError:
    return orjson.JSONDecodeError(problem, "", 0)


class _Operations(Generic[C]):
    """The part of a Strawberry schema that its protocol handler calls, on our executor."""

    def __init__(self, executor: Executor, renew: Callable[[C], C]) -> None:
        self._executor = executor
        self._renew = renew

    async def stream(
        self,
        query: str,
        variable_values: dict[str, Any] | None,
        context_value: Connection[C],
        operation_name: str | None,
        root_value: None = None,  # noqa: ARG002  (the handler passes it)
    ) -> AsyncIterator[ExecutionResult | PreExecutionError]:
        assert context_value.context is not None
        context = self._renew(context_value.context)
        return self._answers(Operation(query, variable_values, operation_name), context)

    async def _answers(self, operation: Operation, context: C) -> AsyncIterator[ExecutionResult | PreExecutionError]:
        with traced(None):
            answer = await self._executor.run(operation, context)
        errors: list[GraphQLError] | None = [_Explained(error) for error in answer.body.get("errors", ())] or None
        if answer.ran:
            yield ExecutionResult(answer.body["data"], errors)
        else:
            yield PreExecutionError(None, errors)


class _Explained(GraphQLError):
    """An error whose shape for the client is settled."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["message"])
        self._answer = answer

    @property
    def formatted(self) -> Any:
        return self._answer
