"""Values that can be told from all others wherever they turn up, and operations that are full of them, right and wrong."""

import json
import random
import secrets
import string
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_input_object_type,
    is_list_type,
    is_required_input_field,
)

from engine.reading.secrecy import is_sensitive

Operation = tuple[str, dict[str, Any]]
"""A document and its variables."""


class Markers:
    """Makes marked values and knows them again."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self._random = random.SystemRandom()

    def word(self) -> str:
        """Letters only, so that it is a name of GraphQL, too."""
        return self._keep("zq" + "".join(self._random.choices(string.ascii_lowercase, k=14)))

    def number(self) -> int:
        """As long as a card's."""
        return int(self._keep("4" + self._digits(15)))

    def of(self, name: str) -> str:
        """A value that fits a field of this name."""
        if name in ("email", "username"):
            return f"{self.word()}@example.com"
        if name == "phoneNumber":
            digits = self._keep(self._digits(7, first="123456789"))
            return f"0901{digits}"
        if name == "postalCode":
            digits = self._digits(7, first="123456789")
            self._keep(digits)
            return self._keep(f"{digits[:3]}-{digits[3:]}")
        if name == "birthDate":
            year, month, day = (
                self._random.randint(1930, 1999),
                self._random.randint(1, 12),
                self._random.randint(1, 28),
            )
            return self._keep(f"{year}-{month:02}-{day:02}")
        if name == "avatarUrl":
            return f"https://example.com/{self.word()}.png"
        if name == "credential":
            return json.dumps({"id": self.word(), "rawId": self.word()})
        return {"prefecture": "東京都", "gender": "FEMALE"}.get(name) or f"{self.word()}-7{self.word()}"

    def shown_in(self, text: str) -> list[str]:
        """Which of them a text holds."""
        text = text.lower()
        return [each for each in self.made if each in text]

    def _digits(self, length: int, first: str = string.digits) -> str:
        return self._random.choice(first) + "".join(self._random.choices(string.digits, k=length - 1))

    def _keep(self, marker: str) -> str:
        self.made.add(marker)
        return marker


class Composer:
    """Operations for the fields of a schema's roots.

    What is private is marked. `everything` marks all other texts and ids, too; where one is wrong it may be quoted.
    """

    def __init__(self, schema: GraphQLSchema, markers: Markers, *, everything: bool = False) -> None:
        assert schema.query_type is not None
        assert schema.mutation_type is not None
        self._queries: GraphQLObjectType = schema.query_type
        self._mutations: GraphQLObjectType = schema.mutation_type
        self._markers = markers
        self._marks_all = everything

    def right_ones(self) -> Iterator[Operation]:
        """Each field once with variables and once with literals, and values of the right types everywhere."""
        for name, field in (*self._queries.fields.items(), *self._mutations.fields.items()):
            yield self._with_variables(name, field, self._arguments(field))
            yield self._with_literals(name, field, self._arguments(field)), {}

    def wrong_ones(self) -> Iterator[Operation]:
        """Each mutation with each thing wrong that a client gets wrong, beside marked values."""
        for name, field in self._mutations.fields.items():
            if "input" not in field.args:
                continue
            type_ = get_named_type(field.args["input"].type)
            assert isinstance(type_, GraphQLInputObjectType)
            for number, wrong in enumerate(self._wrong_inputs(type_)):
                if number // 2 % 2:
                    yield self._with_literals(name, field, {"input": wrong}), {}
                else:
                    yield self._with_variables(name, field, {"input": wrong})
            yield from self._spoilt(name, field)

    def _arguments(self, field: GraphQLField) -> dict[str, Any]:
        return {name: self._value(name, each) for name, each in field.args.items() if name not in ("after", "before")}

    def _input(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        return {name: self._value(name, each) for name, each in type_.fields.items()}

    def _value(self, name: str, defined: GraphQLInputField | GraphQLArgument) -> Any:
        named, nullable = get_named_type(defined.type), get_nullable_type(defined.type)
        if is_input_object_type(named):
            value: Any = self._input(named)
        elif isinstance(named, GraphQLEnumType):
            value = next(iter(named.values))
        elif named.name == "Boolean":
            value = True
        elif named.name == "Int":
            value = 1
        elif name == "idempotencyKey":
            value = secrets.token_hex(8)
        else:
            marks = is_sensitive(defined) or (self._marks_all and named.name in ("ID", "String"))
            value = self._markers.of(name) if marks else "1"
        return [value] if is_list_type(nullable) else value

    def _wrong_inputs(self, type_: GraphQLInputObjectType) -> Iterator[Any]:
        markers = self._markers
        private = [name for name, each in type_.fields.items() if is_sensitive(each)]
        for number, name in enumerate(private):
            kinds = [markers.number(), [markers.word(), markers.number()], {"value": markers.word()}]
            yield self._input(type_) | {name: kinds[number % len(kinds)]}
            given = self._input(type_)
            yield given | {f"{name}s": given.pop(name)}
        for name, each in type_.fields.items():
            if name not in private:
                yield self._input(type_) | {name: {"value": markers.word()}}  # meant for another
            if is_required_input_field(each):
                given = self._input(type_)
                del given[name]
                yield given
        yield self._input(type_) | {"unknown": markers.word()}
        yield markers.word()
        yield [markers.word()]

    def _spoilt(self, name: str, field: GraphQLField) -> Iterator[Operation]:
        """Literals where something is wrong with the text itself, or with the names around them."""
        whole = self._with_literals(name, field, self._arguments(field))
        text = next((each for each in self._markers.shown_in(whole) if f'"{each}' in whole), None)
        yield whole.replace("input:", "imput:"), {}
        yield whole.replace(name, name + "s"), {}
        if text is not None:
            begin = whole.index(f'"{text}')
            end = whole.index('"', begin + 1)
            before, value, after = whole[:begin], whole[begin + 1 : end], whole[end + 1 :]
            yield f"{before}{text}{after}", {}
            yield f"{before}{text} {text}{after}", {}
            yield f'{before}"{value}{after}', {}
            yield f'{before}"{value}" "{value}"{after}', {}
            yield f'{before}"""{value}""" """{value}"""{after}', {}
            yield f'{before}"\\u{value}"{after}', {}
            yield f"{before}{self._markers.number()} {self._markers.number()}{after}", {}
            query = f'mutation ($x: Int = "{value}") {{ {name}(input: {{ a: $x }}) {{ __typename }} }}'
            yield query, {}

    def _with_variables(self, name: str, field: GraphQLField, arguments: dict[str, Any]) -> Operation:
        defined = ", ".join(f"${each}: {field.args[each].type}" for each in arguments)
        given = ", ".join(f"{each}: ${each}" for each in arguments)
        call = f"{name}({given})" if given else name
        kind = "mutation" if name in self._mutations.fields else "query"
        return f"{kind} Marked{f'({defined})' if defined else ''} {{ {call}{_selection(field)} }}", arguments

    def _with_literals(self, name: str, field: GraphQLField, arguments: dict[str, Any]) -> str:
        given = ", ".join(f"{each}: {_literal(value, field.args[each].type)}" for each, value in arguments.items())
        call = f"{name}({given})" if given else name
        return f"{'mutation' if name in self._mutations.fields else 'query'} {{ {call}{_selection(field)} }}"


def _selection(field: GraphQLField) -> str:
    type_ = get_named_type(field.type)
    if not is_composite_type(type_):
        return ""
    refusals = "userErrors { code field message }" if "userErrors" in getattr(type_, "fields", {}) else ""
    return f" {{ __typename {refusals} }}"


def _literal(value: Any, type_: Any) -> str:
    """A value as GraphQL writes it, as far as the type is known."""
    named = get_named_type(type_) if type_ is not None else None
    if isinstance(value, dict):
        fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
        inner = (
            f"{name}: {_literal(each, fields[name].type if name in fields else None)}" for name, each in value.items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(each, type_) for each in value) + "]"
    if isinstance(named, GraphQLEnumType) and isinstance(value, str) and value in named.values:
        return value
    return json.dumps(value, ensure_ascii=False)
