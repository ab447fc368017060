"""Runs one operation against the schema."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from graphql import ExecutionResult, GraphQLError, GraphQLField, GraphQLSchema, OperationDefinitionNode, execute

from engine.directives import direct
from engine.documents import Documents, is_mutation, is_subscription
from engine.errors import GRAPHQL_INVALID, TIMEOUT, ExplainTo, formatted
from engine.trace import name_operation


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, whichever transport brought it."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `ran` tells whether execution began, on which the HTTP status depends."""

    body: dict[str, Any]
    ran: bool
    headers: dict[str, str] = field(default_factory=dict)


class NotAllowedByGet(Exception):
    """A mutation came by GET, which must change nothing."""


class Executor:
    """Documents in, answers out. Never raises for what a client sends, but NotAllowedByGet."""

    def __init__(
        self, schema: GraphQLSchema, explain: ExplainTo, timeout_s: float, *, introspection: bool = True
    ) -> None:
        self._schema = schema
        self._explain = explain
        self._timeout_s = timeout_s
        self._documents = Documents(schema, introspection=introspection)

    def deadline(self) -> float:
        """When an operation that comes now has to be done, by the event loop's clock."""
        return asyncio.get_running_loop().time() + self._timeout_s

    def ignores_bearer(self, request: Request) -> bool:
        """Whether every field at the operation's root brings credentials of its own, as `engine.fields.mutation` declares.

        Such an operation does the same with no bearer token at all, so a refused one must not keep it from running. With a
        single other field in it, it is not one of these: a bad token is never taken for none.
        """
        document = self._documents.get(request.query)
        root = self._schema.mutation_type
        if document.node is None or document.errors or root is None:
            return False
        try:
            operation = document.operation(request.operation_name)
        except GraphQLError:
            return False
        fields = [root.fields.get(name) for name in document.root_fields(operation) if name != "__typename"]
        return (
            is_mutation(operation)
            and bool(fields)
            and all(field is not None and _ignores_bearer(field) for field in fields)
        )

    async def run(
        self, request: Request, context: Any, *, deadline: float | None = None, read_only: bool = False
    ) -> Answer:
        """Parse, validate and execute within the deadline. `read_only` refuses mutations (NotAllowedByGet)."""
        document = self._documents.get(request.query)
        if document.node is None or document.errors:
            return self._refused(context, *document.errors)
        try:
            operation = document.operation(request.operation_name)
        except GraphQLError as error:
            return self._refused(context, error)
        name_operation(operation.name.value if operation.name else None)
        if read_only and is_mutation(operation):
            raise NotAllowedByGet
        if is_subscription(operation):
            return self._refused(context, GraphQLError("Subscriptions need a WebSocket (graphql-transport-ws)."))
        try:
            async with asyncio.timeout_at(deadline or self.deadline()):
                direct(context, self._schema, operation, request.variables)
                result = await self._execute(request, document.node, operation, context)
        except TimeoutError:
            return Answer({"errors": [_timed_out(self._timeout_s)], "data": None}, ran=True)
        if result.errors and result.data is None and not _has_path(result):
            return self._refused(context, *result.errors)  # the variables did not fit: nothing has run
        explain = partial(self._explain, context)
        body: dict[str, Any] = {"errors": formatted(result.errors, explain)} if result.errors else {}
        return Answer(body | {"data": result.data}, ran=True)

    async def _execute(
        self, request: Request, document: Any, operation: OperationDefinitionNode, context: Any
    ) -> ExecutionResult:
        result = execute(
            self._schema,
            document,
            context_value=context,
            variable_values=request.variables,
            operation_name=operation.name.value if operation.name else None,
        )
        if asyncio.iscoroutine(result) or asyncio.isfuture(result):
            return await cast("Awaitable[ExecutionResult]", result)
        return cast("ExecutionResult", result)

    def _refused(self, context: Any, *errors: GraphQLError) -> Answer:
        return Answer({"errors": formatted(errors, partial(self._explain, context))}, ran=False)


def _ignores_bearer(field: GraphQLField) -> bool:
    definition: Any = field.extensions.get("strawberry-definition")
    return bool(definition and definition.metadata.get("ignores_bearer"))


def _has_path(result: ExecutionResult) -> bool:
    return any(error.path for error in result.errors or ())


def _timed_out(timeout_s: float) -> dict[str, Any]:
    return {"message": f"The operation took longer than {timeout_s:g} s.", "extensions": {"code": TIMEOUT}}


def invalid(message: str) -> Answer:
    """An answer to a request that is not GraphQL over HTTP."""
    return Answer({"errors": [{"message": message, "extensions": {"code": GRAPHQL_INVALID}}]}, ran=False)
