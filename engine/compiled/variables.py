"""Values of variables where they are plain, as most are: found out once, and looked at alone from then on.

Whatever else there is, and whatever does not fit, is graphql-core's to coerce, and to find the words for.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    get_variable_values,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

from engine.compiled.expressions import MAX_INT, MIN_INT

PLAIN: Mapping[GraphQLInputType, type] = {
    GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int,
}  # fmt: skip


class Variables:
    """Coerces the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._nodes = operation.variable_definitions or ()
        self._plain: list[tuple[str, Any, type, bool]] | None = []
        """Name, signature, class and whether it may be null; None where there are others."""
        for node in self._nodes:
            signature = get_variable_signature(schema, node)
            if isinstance(signature, GraphQLError):
                self._plain = None
                return
            required = is_non_null_type(signature.type)
            class_ = PLAIN.get(signature.type.of_type if is_non_null_type(signature.type) else signature.type)
            if class_ is None:
                self._plain = None
                return
            self._plain.append((signature.name, signature, class_, not required))

    def of(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """Their values, or what is wrong with them."""
        values = self._quickly(given)
        return get_variable_values(self._schema, self._nodes, dict(given), 1) if values is None else values

    def _quickly(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values where each is there, and as its type says."""
        if self._plain is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, class_, may_be_null in self._plain:
            value = given.get(name, Undefined)
            if type(value) is not class_ and not (value is None and may_be_null):
                return None
            if type(value) is int and not MIN_INT <= value <= MAX_INT:
                return None
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = value
        return VariableValues(sources, coerced)
