"""Directives of an operation itself, such as `query @inContext(language: JA)`, handed to its context."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_directive_values
from graphql.execution.values import get_variable_values

Directives = Mapping[str, Mapping[str, Any]]
"""Arguments by the directive's name."""


@runtime_checkable
class Directed(Protocol):
    """A context that wants to know the directives of its operation, before anything runs."""

    def directed(self, directives: Directives) -> None: ...


@runtime_checkable
class GoingOn(Protocol):
    """The context of a subscription's event, that takes over what the subscription was granted when it began."""

    def goes_on(self, before: Any) -> None: ...


def direct(
    context: Any, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: dict[str, Any] | None
) -> None:
    """Tell the context. Variables that do not fit are left for the execution to refuse."""
    if not operation.directives or not isinstance(context, Directed):
        return
    coerced = get_variable_values(schema, operation.variable_definitions or (), variables or {}, max_errors=1)
    if isinstance(coerced, list):  # errors
        return
    given: dict[str, Mapping[str, Any]] = {}
    for node in operation.directives:
        definition = schema.get_directive(node.name.value)
        if definition is not None:  # validation has let no other through
            try:
                given[definition.name] = get_directive_values(definition, operation, coerced) or {}
            except GraphQLError:  # a variable that is null, or missing, where it may not be
                continue
    context.directed(given)
