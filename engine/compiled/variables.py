"""Values of variables and arguments where they are plain, as most are: found out once, and looked at alone from then on.

Whatever else there is, and whatever does not fit, is graphql-core's to coerce, and to find the words for.
"""

from collections.abc import Mapping
from enum import Enum
from types import NoneType
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
    VariableNode,
    get_variable_values,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_argument_values

from engine.compiled.expressions import MAX_INT, MIN_INT
from engine.compiled.reasons import Deviation, Reason
from engine.compiled.selection import Field

PLAIN: Mapping[GraphQLInputType, type] = {
    GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int,
}  # fmt: skip
CONSTANT = (str, int, float, Enum, NoneType)


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


class Given:
    """The arguments that a field was given."""

    def __init__(self, field: Field) -> None:
        assert field.definition is not None
        self._definition = field.definition
        self._node = field.nodes[0]
        self._name = field.name
        nodes = {each.name.value: each.value for each in self._node.arguments or ()}
        self._variables = {
            argument.out_name or name: node.name.value
            for name, argument in self._definition.args.items()
            if isinstance(node := nodes.get(name), VariableNode)
        }
        self._may_be_null = {
            argument.out_name or name
            for name, argument in self._definition.args.items()
            if not is_non_null_type(argument.type)
        }
        self._same: dict[str, Any] | None = None
        """What they were, of a run in which all were there; where all that are no variables are constant."""

    def of(self, variables: VariableValues) -> dict[str, Any]:
        """Coerced. Raises Deviation."""
        if not self._definition.args:
            return {}
        coerced = variables.coerced
        if self._same is not None:
            values = dict(self._same)
            for name, variable in self._variables.items():
                value = coerced.get(variable, Undefined)
                if value is Undefined or (value is None and name not in self._may_be_null):
                    return self._coerced(variables)
                values[name] = value
            return values
        values = self._coerced(variables)
        if all(variable in coerced for variable in self._variables.values()) and all(
            isinstance(value, CONSTANT) for name, value in values.items() if name not in self._variables
        ):
            self._same = dict.fromkeys(values) | {
                name: value for name, value in values.items() if name not in self._variables
            }
        return values

    def _coerced(self, variables: VariableValues) -> dict[str, Any]:
        try:
            return get_argument_values(self._definition, self._node, variables)
        except GraphQLError as error:
            raise Deviation(Reason.ARGUMENTS, self._name) from error
