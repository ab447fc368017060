"""GraphQL over WebSocket: graphql-transport-ws, and no other protocol."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, Generic, TypeVar

import strawberry
from graphql import ExecutionResult, GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.extensions import SchemaExtension
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from engine.errors import Explain, formatted
from engine.http import ContextRefused

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
    """Answers `connection_init`, then runs operations, each in a context of its own."""

    def __init__(self, schema: strawberry.Schema, make_context: MakeContext[Any]) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self._make_context = make_context

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:  # noqa: ARG002
        assert isinstance(request, WebSocket)
        return Connection(request)

    async def on_ws_connect(self, context: Any) -> Any:
        try:
            context.context = await self._make_context(context.websocket, context.connection_params)
        except ContextRefused as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)


def own_context(renew: Callable[[Any], Any], explain: Explain) -> type[SchemaExtension]:
    """An extension that gives every operation of a connection a new context, and its errors the shape of ours."""

    class OwnContext(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            running = self.execution_context
            if isinstance(running.context, Connection):
                running.context = renew(running.context.context)
            yield
            result = running.result
            if isinstance(result, ExecutionResult) and result.errors:
                result.errors = [_Explained(error) for error in formatted(result.errors, explain)]

    return OwnContext


class _Explained(GraphQLError):
    """An error whose shape for the client is settled."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["message"], path=answer.get("path"), extensions=answer.get("extensions"))
        self._answer = answer

    @property
    def formatted(self) -> Any:
        return self._answer
