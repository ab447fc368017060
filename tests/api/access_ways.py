"""How a client gets to a value of each type of the schema, so that every field of it can be asked for.

Ways are found by following fields from `Query` and then from `Mutation`. What cannot be found is said in the two tables here.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
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

from schema.matrix import Persona

ARGUMENTS = {
    "Mutation.cartClear": "(input: {expectedVersion: 0})",
    "Query.brand": "(id: $brand)",
    "Query.checkoutState": "(orderId: $order)",
    "Query.category": "(id: $category)",
    "Query.node": "(id: $order)",
    "Query.nodes": "(ids: [$order, $product])",
    "Query.order": "(id: $order)",
    "Query.orderItem": "(id: $orderItem)",
    "Query.product": "(id: $product)",
    "Query.search": '(query: "煎茶")',
    "Query.searchSuggestions": '(prefix: "煎")',
    "Query.seller": "(id: $seller)",
    "Query.sellerBalances": "(sellerId: $seller)",
    "Subscription.orderStatusChanged": "(orderId: $order)",
    "Subscription.sellerOrderItems": "(sellerId: $seller)",
    "Subscription.stockChanged": "(productId: $product)",
}
"""What fields are asked with, where it has to lead somewhere: variables are the ids of `Scene`. Else each required argument
gets something of its type, which a mutation refuses as data."""

STATE = "query {{ checkoutState(orderId: $order) {{ ... on {} {{ * }} }} }}"

WAYS = {
    "OrderConnection": "query { viewer { orders { * } } }",
    "OrderEdge": "query { viewer { orders { edges { * } } } }",
    "OrderItem": "query { orderItem(id: $orderItem) { * } }",
    "Delivery": "query { orderItem(id: $dueItem) { delivery { * } } }",
    "CheckoutActionRequired": STATE.format("CheckoutActionRequired"),
    "CheckoutFailed": STATE.format("CheckoutFailed"),
    "CheckoutProcessing": STATE.format("CheckoutProcessing"),
    "CheckoutSucceeded": STATE.format("CheckoutSucceeded"),
    "SearchRelaxation": 'query { search(query: "煎茶 ぬぬぬぬ") { relaxed { * } } }',
    "CartWarning": "mutation { cartItemAdd(input: {productId: $scarce, quantity: 99}) { warnings { * } } }",
}
"""Where following fields leads to no value: a query or mutation, with `*` for the fields of the type."""

NOT_OFFERED = {
    "CheckoutActionRequired": "the scene's order is paid",
    "CheckoutFailed": "the scene's order is paid",
    "CheckoutProcessing": "the scene's order is paid",
    "Passkey": "the emulator's user pool has no passkeys",
    "SessionChallenge": "the emulator's user pool asks nothing of the scene's people",
}
"""Types of which the scene has no value, and why: they are asked for all the same, and nobody may be shown one."""

OWN = dict.fromkeys(
    ("Query.cart", "Query.checkoutState", "Query.passkeys", "Query.recentlyViewed", "Query.viewer"), Persona.OWNER
) | {"Query.sellerOrderItems": Persona.SELLER}
"""Root fields that lead each to what is their own, as mutations do; and whose that of the scene is."""

OF_STREAMS = {"OrderStatusEvent", "SellerEvent"}
"""Types that only subscriptions lead to."""

ASKED_AT_ONCE = 20
"""Fields of one query: as many as an operation may have at its root."""


@dataclass(frozen=True, slots=True)
class Way:
    """`text` is an operation without its name, with `*` where the fields of the type go."""

    text: str
    whose: Persona | None
    """Whom alone it leads to the scene's value; None where it leads everybody there."""

    @property
    def is_mutation(self) -> bool:
        return self.text.startswith("mutation")

    @property
    def names(self) -> list[str]:
        """The fields on the way, outermost first."""
        return re.findall(r"\w+", re.sub(r"\([^)]*\)|\.\.\. on \w+", "", self.text))[1:]

    def asking(self, fields: str) -> str:
        """What leads to the fields, for an operation with an alias before it."""
        inner = self.text[self.text.index("{") + 1 : self.text.rindex("}")].strip()
        return inner.replace("*", f"__typename {fields}") if self.names else fields


@dataclass(frozen=True, slots=True)
class Question:
    """Fields of a type, asked for by one alias: what is refused takes no other alias along."""

    type_name: str
    names: tuple[str, ...]
    way: Way
    text: str


def questions(schema: GraphQLSchema, ways: Mapping[str, Way]) -> list[list[Question]]:
    """Every field of every object type, in the order to ask: queries, many fields at once, then mutations one by one."""
    queries: list[Question] = []
    mutations: list[Question] = []
    for name, type_ in sorted(schema.type_map.items()):
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__") and name in ways:
            texts = {each: selection(type_, each, field) for each, field in type_.fields.items()}
            way = ways[name]
            if way.is_mutation and way.names:  # called once, for all its fields
                mutations.append(Question(name, tuple(texts), way, way.asking(" ".join(texts.values()))))
            else:
                asked = [Question(name, (each,), way, way.asking(text)) for each, text in texts.items()]
                (mutations if way.is_mutation else queries).extend(asked)
    at_once = [queries[start : start + ASKED_AT_ONCE] for start in range(0, len(queries), ASKED_AT_ONCE)]
    return [*at_once, *([question] for question in mutations)]


def document(asked: Sequence[Question]) -> str:
    """One operation with an alias for each question: `a0`, `a1` and so on."""
    body = "\n".join(f"a{number}: {question.text}" for number, question in enumerate(asked))
    variables = ", ".join(f"{name}: ID!" for name in sorted(set(re.findall(r"\$\w+", body))))
    return f"{asked[0].way.text.split()[0]} {f'({variables})' if variables else ''} {{\n{body}\n}}"


def find_ways(schema: GraphQLSchema) -> dict[str, Way]:
    """A way to each type that fields lead to; the shortest, through queries where there is one."""
    ways: dict[str, Way] = {}
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        if root is None:
            continue
        ways[root.name] = Way(f"{kind} {{ * }}", None)
        seen = deque([root])
        while seen:
            holder = seen.popleft()
            for name, field in holder.fields.items():
                target: Any = get_named_type(field.type)
                if is_object_type(target) and target.name not in ways:
                    ways[target.name] = _one_further(ways[holder.name], holder, name, field)
                    seen.append(target)
    return ways | {
        name: Way(
            text, Persona.OWNER if text.startswith(("mutation", "query { viewer", "query { checkoutState")) else None
        )
        for name, text in WAYS.items()
    }


def _one_further(way: Way, holder: GraphQLObjectType, name: str, field: GraphQLField) -> Way:
    whose = way.whose or OWN.get(f"{holder.name}.{name}") or (Persona.OWNER if holder.name == "Mutation" else None)
    return Way(way.text.replace("*", f"{name}{arguments(holder, name, field)} {{ * }}"), whose)


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
