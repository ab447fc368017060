"""The arguments that a field was given, the plain of them found out once, and looked at alone from then on."""

from enum import Enum
from types import NoneType
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLField, Undefined, VariableNode, is_non_null_type
from graphql.execution.values import VariableValues, get_argument_values

from engine.compiled.reasons import Deviation, Reason

CONSTANT = (str, int, float, Enum, NoneType)


class Given:
    """The arguments of a field that takes some."""

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition = definition
        self._node = node
        nodes = {each.name.value: each.value for each in node.arguments or ()}
        self._variables = {
            argument.out_name or name: given.name.value
            for name, argument in definition.args.items()
            if isinstance(given := nodes.get(name), VariableNode)
        }
        self._may_be_null = {
            argument.out_name or name
            for name, argument in definition.args.items()
            if not is_non_null_type(argument.type)
        }
        self._same: dict[str, Any] | None = None
        """What they were, of a run in which all were there; where all that are no variables are constant."""

    def of(self, variables: VariableValues) -> dict[str, Any]:
        """Coerced. Raises Deviation."""
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
            raise Deviation(Reason.ARGUMENTS, self._node.name.value) from error
