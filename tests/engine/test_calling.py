"""Resolvers get what Strawberry would give them."""

import enum
from typing import Annotated, Any

import strawberry
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from engine.compiled.selection import Selector
from engine.declared.calling import call_directly
from engine.declared.fields import resolver


@strawberry.enum
class Colour(enum.Enum):
    INDIGO = "indigo"
    VERMILION = "vermilion"


@strawberry.input
class Range:
    least: int = 0
    most: int | None = None


def tell(
    info: strawberry.Info,
    needed: int,
    colour: Colour = Colour.INDIGO,
    long_name: str | None = None,
    ranges: list[Range] | None = None,
    within: Annotated[Range | None, strawberry.argument(name="inside")] = None,
) -> str:
    return f"{info.field_name} {needed} {colour} {long_name} {ranges} {within}"


async def tell_later(info: strawberry.Info, needed: int = 3) -> str:
    return f"{info.field_name} {needed}"


def alone() -> str:
    return "alone"


def resolves(function: Any) -> Any:
    return resolver(function, access=None, description="x", graphql_type=str)


@strawberry.type
class Query:
    told: str = resolves(tell)
    later: str = resolves(tell_later)
    alone: str = resolves(alone)


DECLARED = 'query ($n: Int!, $m: Int, $c: Colour, $s: String = "z", $r: [Range!], $w: Range)'
LITERALS = {
    "needed": ["$n", "5"],
    "colour": ["VERMILION", "$c"],
    "longName": ["null", '"a"', "$s"],
    "ranges": ["$r", "[]", "[{least: 1}, {most: $m}]", "{least: 4}"],
    "inside": ["$w", "{}", "{most: 2}", "{least: $n}", "null"],
}
VARIABLES: dict[str, st.SearchStrategy[Any]] = {
    "m": st.one_of(st.none(), st.integers(0, 9)),
    "c": st.sampled_from(["INDIGO", "VERMILION"]),
    "s": st.one_of(st.none(), st.text(max_size=3)),
    "r": st.lists(st.fixed_dictionaries({}, optional={"least": st.integers(0, 9)}), max_size=2),
    "w": st.one_of(st.none(), st.just({"most": 7})),
}
GIVEN = st.fixed_dictionaries(
    {"needed": st.sampled_from(LITERALS["needed"])},
    optional={name: st.sampled_from(each) for name, each in LITERALS.items() if name != "needed"},
)


@given(given=GIVEN, variables=st.fixed_dictionaries({"n": st.integers(0, 9)}, optional=VARIABLES))
def test_resolvers_are_given_what_strawberry_would_give_them(given: dict[str, str], variables: dict[str, Any]) -> None:
    named = ", ".join(f"{name}: {value}" for name, value in given.items())
    document = parse(f"{DECLARED} {{ told({named}) }}")
    schema = strawberry.Schema(Query)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    values = get_variable_values(schema._schema, operation.variable_definitions or (), variables)
    assert isinstance(values, VariableValues)
    query = schema._schema.query_type
    assert query is not None
    [field] = Selector(schema._schema, document, {}).select(query, [operation.selection_set]).fields
    assert field.definition is not None
    expected = get_argument_values(field.definition, field.nodes[0], values)
    assert field.given is not None
    assert field.given.of(values) == expected
    plain, direct = field.definition.resolve, strawberry.Schema(Query)
    call_directly(direct)
    assert direct._schema.query_type is not None
    called = direct._schema.query_type.fields["told"].resolve
    assert plain is not None
    assert called is not None
    info: Any = _Info()
    assert called(None, info, **expected) == plain(None, info, **expected)


class _Info:
    """As much of graphql-core's as the resolver asks."""

    field_name = "told"


async def test_resolvers_are_called_with_what_they_take() -> None:
    schema = strawberry.Schema(Query)
    call_directly(schema)
    found = await schema.execute('{ told(needed: 1, longName: "b") later alone }')
    assert found.errors is None
    assert found.data == {
        "told": "told 1 Colour.INDIGO b None None",
        "later": "later 3",
        "alone": "alone",
    }
