"""Variables and arguments that are plain, beside graphql-core's own coercion."""

from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLObjectType, OperationDefinitionNode, build_schema, get_variable_values, parse
from graphql.execution.values import VariableValues, get_argument_values

from engine.compiled.given import Given
from engine.compiled.reasons import Deviation
from engine.compiled.variables import Variables

SCHEMA = build_schema(
    """
    enum Colour { RED BLUE }
    input Size { width: Int = 3 }
    type Query {
      shown(first: Int = 5, id: ID, name: String!, flags: [Boolean!], colour: Colour = BLUE, size: Size, share: Float): Int
    }
    """
)
VALUES: Sequence[Any] = (None, 0, 7, 2**31, 2**70, -1, True, "x", "", 1.0, 1.5, [], [True], {}, {"width": 2}, "RED")
KINDS = ("Int", "Int!", "Int = 2", "ID", "ID!", "String", "String!", "Boolean", "[Boolean!]", "Colour", "Size", "Float")


def operation_of(text: str) -> OperationDefinitionNode:
    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


@pytest.mark.parametrize("kind", KINDS)
def test_variables_are_what_graphql_core_makes_of_them(kind: str) -> None:
    operation = operation_of(f"query ($a: {kind}, $b: String) {{ shown(name: $b) }}")
    variables = Variables(SCHEMA, operation)
    for given in ({}, *({"a": value} for value in VALUES), *({"a": value, "b": "y"} for value in VALUES)):
        ours, theirs = variables.of(given), get_variable_values(SCHEMA, operation.variable_definitions or (), given, 1)
        if isinstance(theirs, VariableValues):
            assert isinstance(ours, VariableValues)
            assert repr(ours.coerced) == repr(theirs.coerced)
            assert {name: each.value for name, each in ours.sources.items()} == {
                name: each.value for name, each in theirs.sources.items()
            }
        else:
            assert not isinstance(ours, VariableValues)
            assert [each.formatted for each in ours] == [each.formatted for each in theirs]


ARGUMENTS = (
    "name: $s",
    'name: "x", first: $i',
    "name: $s, first: null, id: $d, colour: RED",
    "name: $s, flags: [true, $b]",
    "name: $s, size: {width: $i}",
    "name: $s, size: {width: 4}, flags: [false], share: 1",
)
RUNS: Sequence[dict[str, Any]] = (
    {"s": "a", "i": 1, "d": "x", "b": True},
    {"s": "b", "i": 2, "d": None, "b": False},
    {"s": "c"},
    {},
    {"s": None, "i": None, "b": None},
    {"s": "d", "i": 3, "d": 4, "b": True},
)


@pytest.mark.parametrize("text", ARGUMENTS)
@pytest.mark.parametrize("first", range(len(RUNS)))
def test_arguments_are_what_graphql_core_makes_of_them_in_any_run(text: str, first: int) -> None:
    operation = operation_of(f"query ($s: String, $i: Int, $d: ID, $b: Boolean) {{ shown({text}) }}")
    type_ = SCHEMA.query_type
    assert isinstance(type_, GraphQLObjectType)
    definition, [node] = type_.fields["shown"], operation.selection_set.selections
    given = Given(definition, node)  # type: ignore[arg-type]
    for run in (RUNS[first], *RUNS, RUNS[first]):
        variables = get_variable_values(SCHEMA, operation.variable_definitions or (), run)
        assert isinstance(variables, VariableValues)
        try:
            theirs: Any = get_argument_values(definition, node, variables)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001  (whatever it raises is told by graphql-core)
            theirs = error
        if isinstance(theirs, Exception):
            with pytest.raises(Deviation):
                given.of(variables)
        else:
            found = given.of(variables)
            assert repr(found) == repr(theirs)  # in the same order
            found["first"] = "changed by a resolver"
