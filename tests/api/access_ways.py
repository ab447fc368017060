"""How a client gets to a value of each type of the schema, so that every field of it can be asked for.

Ways are found by following fields from `Query` and then from `Mutation`. What cannot be found is said in the two tables here.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

ARGUMENTS = {
    "Query.brand": "(id: $brand)",
    "Query.category": "(id: $category)",
    "Query.node": "(id: $order)",
    "Query.nodes": "(ids: [$order, $product])",
    "Query.order": "(id: $order)",
    "Query.product": "(id: $product)",
    "Query.seller": "(id: $seller)",
}
"""What fields are asked with, where it has to lead somewhere: variables are the ids of `Scene`. Else each required argument
gets something of its type, which a mutation refuses as data."""

WAYS = {
    "CartWarning": "mutation { cartItemAdd(input: {productId: $scarce, quantity: 99}) { warnings { * } } }",
}
"""Where following fields leads to no value: a query or mutation, with `*` for the fields of the type."""

NOT_OFFERED = {
    "Passkey": "the emulator's user pool has no passkeys",
    "SessionChallenge": "the emulator's user pool asks nothing of the scene's people",
}
"""Types that no way leads to a value of, and why. The guards of their fields are those of all types."""

OWN = {"Query.cart", "Query.viewer"}
"""Root fields that lead each to what is their own, as mutations do."""

FIELDS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Way:
    """`text` is an operation without its name, with `*` where the fields of the type go."""

    text: str
    is_own: bool

    @property
    def is_mutation(self) -> bool:
        return self.text.startswith("mutation")

    @property
    def names(self) -> list[str]:
        """The fields on the way, outermost first."""
        return re.findall(r"\w+", re.sub(r"\([^)]*\)", "", self.text))[1:]

    def document(self, selections: list[str]) -> tuple[str, list[str]]:
        """The document that asks for each selection by itself, and the aliases: a refusal takes no other field along."""
        inner = self.text[self.text.index("{") + 1 : self.text.rindex("}")].strip()
        aliases = [f"a{number}" for number in range(len(selections))]
        asked = [
            f"{alias}: {inner.replace('*', '__typename ' + selection)}" if self.names else f"{alias}: {selection}"
            for alias, selection in zip(aliases, selections, strict=True)
        ]
        body = "\n".join(asked)
        variables = ", ".join(f"{name}: ID!" for name in sorted(set(re.findall(r"\$\w+", body))))
        return f"{self.text.split()[0]} {f'({variables})' if variables else ''} {{\n{body}\n}}", aliases


def find_ways(schema: GraphQLSchema) -> dict[str, Way]:
    """A way to each type that fields lead to; the shortest, through queries where there is one."""
    ways: dict[str, Way] = {}
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        if root is None:
            continue
        ways[root.name] = Way(f"{kind} {{ * }}", False)
        seen = deque([root])
        while seen:
            holder = seen.popleft()
            for name, field in holder.fields.items():
                target: Any = get_named_type(field.type)
                if is_object_type(target) and target.name not in ways:
                    ways[target.name] = _one_further(ways[holder.name], holder, name, field)
                    seen.append(target)
    return ways | {name: Way(text, text.startswith("mutation")) for name, text in WAYS.items()}


def _one_further(way: Way, holder: GraphQLObjectType, name: str, field: GraphQLField) -> Way:
    own = way.is_own or f"{holder.name}.{name}" in OWN or holder.name == "Mutation"
    return Way(way.text.replace("*", f"{name}{arguments(holder, name, field)} {{ * }}"), own)


def selection(holder: GraphQLObjectType, name: str, field: GraphQLField) -> str:
    """The field with what it has to be asked with, and as little below it as can be."""
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{name}{arguments(holder, name, field)}{below}"


def arguments(holder: GraphQLObjectType, name: str, field: GraphQLField) -> str:
    given = ARGUMENTS.get(f"{holder.name}.{name}")
    if given is not None:
        return given
    required = [f"{each}: {_anything(argument)}" for each, argument in field.args.items() if _is_required(argument)]
    return f"({', '.join(required)})" if required else ""


def _is_required(argument: Any) -> bool:
    return (
        is_required_argument(argument) if isinstance(argument, GraphQLArgument) else is_required_input_field(argument)
    )


def _anything(argument: Any) -> str:
    """A literal of an argument's or input field's type."""
    type_: Any = argument.type.of_type if isinstance(argument.type, GraphQLNonNull) else argument.type
    if isinstance(type_, GraphQLList):
        return "[]"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        inside = [f"{name}: {_anything(each)}" for name, each in type_.fields.items() if _is_required(each)]
        return f"{{{', '.join(inside)}}}"
    return {"Int": "1", "Float": "1", "Boolean": "false"}.get(type_.name, '"x"')
