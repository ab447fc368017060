"""Random operations over a schema: aliases, merged fields, fragments of both kinds, conditions, variables, arguments."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_input_object_type,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

MAX_DEPTH = 7
SCALARS = {"Int": ("1", "3"), "Float": ("1.5",), "Boolean": ("true", "false"), "Decimal": ('"10"',)}
LEFT_OUT: Any = object()
CONDITIONS = [
    ("Boolean!", [True, False]),
    ("Boolean! = true", [LEFT_OUT, LEFT_OUT, False]),
    ("Boolean = false", [LEFT_OUT, LEFT_OUT, True, True, None]),  # null is refused when it comes to it
]
NUMBERS = {
    "Int!": [("Int!", [1, 2, 5]), ("Int! = 2", [LEFT_OUT, 3])],
    "Int": [("Int", [1, 2, None, LEFT_OUT]), ("Int = 2", [LEFT_OUT, 3, None])],
    "[Int!]!": [("[Int!]!", [[], [1, 2]]), ("[Int!]! = [7]", [LEFT_OUT, 5])],
    "Boolean!": [("Boolean!", [True, False]), ("Boolean = true", [LEFT_OUT, False, None])],
}
"""Variables for an argument of a type: what is declared, and the values."""


@dataclass(slots=True)
class Operations:
    """Makes one operation by the dice. `variables` go with it. Not all are valid."""

    schema: GraphQLSchema
    dice: random.Random
    roots: Sequence[str] = ()
    """Fields that queries begin with; any, where none is named."""
    variables: dict[str, Any] = field(default_factory=dict)
    names: frozenset[str] = field(init=False)
    """Of directives."""
    _declared: dict[str, str] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _room: int = 60
    """Fields that may still be added."""

    def __post_init__(self) -> None:
        self.names = frozenset(each.name for each in self.schema.directives)

    def operation(self) -> str:
        kind = "mutation" if not self.roots and self.dice.random() < 0.15 and self.schema.mutation_type else "query"
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        body = self._selections(root, 0)
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self._declared.items())
        head = f"{kind} Fuzz({declared})" if declared else kind
        if "inContext" in self.names and self.dice.random() < 0.2:
            head += " @inContext(country: JP)"
        return " ".join([head, body, *self._fragments])

    def _selections(self, type_: GraphQLObjectType, depth: int) -> str:
        names = list((depth == 0 and self.roots) or type_.fields)
        chosen = self.dice.sample(names, min(len(names), self.dice.randint(1, 3 if depth == 0 else 5)))
        parts = [part for name in chosen for part in self._field(type_.fields[name], name, depth)]
        if self.dice.random() < 0.2 or not parts:
            parts.append("__typename")
        if self.dice.random() < 0.15:
            parts.append(self.dice.choice(parts))  # twice: to be merged
        if self.dice.random() < 0.2:
            parts = self._in_fragment(type_, parts)
        return "{ " + " ".join(parts) + " }"

    def _of_several(self, type_: GraphQLAbstractType, depth: int) -> str:
        """A selection on an interface or union, with fragments on some of its types, merged where they meet."""
        parts = ["__typename"]
        if is_interface_type(type_):
            chosen = self.dice.sample(list(type_.fields), self.dice.randint(1, len(type_.fields)))
            parts = [part for name in chosen for part in self._field(type_.fields[name], name, depth)] or parts
        possible = [*self.schema.get_possible_types(type_)]
        for each in self.dice.sample(possible, self.dice.randint(0, min(3, len(possible)))):
            parts.append(f"... on {each.name} {self._condition()} {self._selections(each, depth + 1)}")
        self.dice.shuffle(parts)
        return "{ " + " ".join(parts) + " }"

    def _in_fragment(self, type_: GraphQLObjectType, parts: list[str]) -> list[str]:
        cut = self.dice.randrange(len(parts))
        inside = "{ " + " ".join(parts[cut:]) + " }"
        interface = self.dice.choice([None, *type_.interfaces])
        condition = interface.name if interface else type_.name
        if interface:
            inside = self._of_several(interface, 0)
        if self.dice.random() < 0.5:
            return [*parts[:cut], f"... on {condition} {self._condition()} {inside}"]
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {condition} {inside}")
        again = [f"...{name}"] if self.dice.random() < 0.2 else []
        return [*parts[:cut], f"...{name} {self._condition()}", *again]

    def _field(self, definition: GraphQLField, name: str, depth: int) -> list[str]:
        named = get_named_type(definition.type)
        self._room -= 1
        if not is_leaf_type(named) and (depth >= MAX_DEPTH or self._room < 0):
            return []
        alias = f"a{self.dice.randrange(1000)}: " if self.dice.random() < 0.2 or definition.args else ""
        below = ""
        if is_abstract_type(named):
            below = self._of_several(named, depth + 1)
        elif is_object_type(named):
            below = self._selections(named, depth + 1)
        return [f"{alias}{name}{self._arguments(definition)} {self._condition()} {below}"]

    def _condition(self) -> str:
        if self.dice.random() > 0.12:
            return "@odd" if "odd" in self.names and self.dice.random() < 0.01 else ""
        directive = self.dice.choice(["skip", "include"])
        if self.dice.random() < 0.3:
            return f"@{directive}(if: {self.dice.choice(['true', 'false'])})"
        return f"@{directive}(if: {self._variable('c', CONDITIONS)})"

    def _arguments(self, definition: GraphQLField) -> str:
        given = [
            f"{name}: {self._argument(argument)}"
            for name, argument in definition.args.items()
            if is_required_argument(argument) or self.dice.random() < 0.3
        ]
        return f"({', '.join(given)})" if given else ""

    def _argument(self, argument: GraphQLArgument) -> str:
        if self.dice.random() < 0.4:
            numbers = NUMBERS.get(str(argument.type))
            if numbers:
                return self._variable(f"n{len(str(argument.type))}", numbers)
        return self._literal(argument.type, 0)

    def _variable(self, prefix: str, choices: Sequence[tuple[str, Sequence[Any]]]) -> str:
        """A variable of one of some types, given or left to its default."""
        name = f"{prefix}{self.dice.randrange(3)}"
        if name not in self._declared:
            self._declared[name], values = self.dice.choice(choices)
            value = self.dice.choice(values)
            if value is not LEFT_OUT:
                self.variables[name] = value
        return f"${name}"

    def _literal(self, type_: GraphQLInputType, depth: int) -> str:
        if not is_non_null_type(type_) and self.dice.random() < 0.15:
            return "null"
        bare: Any = get_nullable_type(type_)
        if is_list_type(bare):
            return "[" + ", ".join(self._literal(bare.of_type, depth + 1) for _ in range(self.dice.randrange(3))) + "]"
        if isinstance(bare, GraphQLEnumType):
            return self.dice.choice(list(bare.values))
        if is_input_object_type(bare):
            return self._object(bare.fields, depth)
        return self.dice.choice(SCALARS.get(bare.name, ('"x"', '"UHJvZHVjdDox"')))

    def _object(self, fields: dict[str, GraphQLInputField], depth: int) -> str:
        given = [
            f"{name}: {self._literal(each.type, depth + 1)}"
            for name, each in fields.items()
            if is_required_input_field(each) or (depth < 2 and self.dice.random() < 0.3)
        ]
        return "{" + ", ".join(given) + "}"
