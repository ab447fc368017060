"""Runs operations by graphql-core: those that no plan runs, those that one began, and the kinds that plans are not made for."""

from collections.abc import AsyncIterable, Sequence
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    ExperimentalIncrementalExecutionResults,
    GraphQLSchema,
    MiddlewareManager,
    OperationDefinitionNode,
    create_source_event_stream,
    experimental_execute_incrementally,
)
from graphql.pyutils import AwaitableOrValue

from engine.compiled.plan import replaying
from engine.compiled.steps import Entry
from engine.fairness.aside import Aside
from engine.fairness.paced import PacedExecutor
from engine.fairness.turns import walked

Variables = dict[str, Any] | None
Executed = ExecutionResult | ExperimentalIncrementalExecutionResults


class Core:
    """graphql-core on a schema. `hints`: whether it suggests names for those that are not known."""

    def __init__(self, schema: GraphQLSchema, *, hints: bool, aside: Aside) -> None:
        self._schema = schema
        self._hints = hints
        self._aside = aside

    async def complete(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Variables,
        context: Any,
        root: Any,
        journal: Sequence[Entry],
    ) -> ExecutionResult:
        """The result. What is in the journal of a plan that began it is not asked for again."""
        middleware = replaying(journal) if journal else None
        return cast("ExecutionResult", await self._paced(document, operation, variables, context, middleware, root))

    async def describe(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables
    ) -> ExecutionResult:
        """The result of an operation on the schema's description of itself alone, which loads nothing. Raises Busy.

        All of it takes tens of milliseconds without a break, so the event loop does not wait for it.
        """
        run = partial(self._begin, Executor, document, operation, variables)
        return cast("ExecutionResult", await self._aside.run(object(), run))

    async def incrementally(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables, context: Any
    ) -> Executed:
        """The result of a document with @defer or @stream. A result that is whole where nothing was put off."""
        return await self._paced(document, operation, variables, context)

    async def subscribe(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables, context: Any
    ) -> AsyncIterable[Any] | ExecutionResult:
        """The events of a subscription as its field gives them, each the root of an operation; or why there are none."""
        executor = Executor.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            hide_suggestions=not self._hints,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        events = create_source_event_stream(executor)
        return await events if isawaitable(events) else events

    async def _paced(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Variables,
        context: Any,
        middleware: MiddlewareManager | None = None,
        root: Any = None,
    ) -> Executed:
        """What it comes to, its long lists gone through in pieces."""
        with walked():
            result = self._begin(PacedExecutor, document, operation, variables, context, middleware, root)
            return await result if isawaitable(result) else result

    def _begin(
        self,
        executor: type[Executor[Any]],
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Variables,
        context: Any = None,
        middleware: MiddlewareManager | None = None,
        root: Any = None,
    ) -> AwaitableOrValue[Executed]:
        return experimental_execute_incrementally(  # `execute` refuses schemas that have @defer at all
            self._schema,
            document,
            root,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            middleware=middleware,
            executor_class=executor,
            hide_suggestions=not self._hints,
        )
