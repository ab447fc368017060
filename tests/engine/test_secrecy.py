"""What a message says of input that does not fit: everything but the values of sensitive fields."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, cast

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema, parse

from engine.exchange import Request
from engine.execution import Executor
from engine.policy import Policy
from engine.reading.secrecy import SENSITIVE, hidden_syntax_error

SECRET = "tarou@example.jp"
NUMBER = 4242424242424242


@strawberry.enum
class Kind(Enum):
    OLD = "old"


@strawberry.input
class Person:
    email: str = strawberry.field(metadata=SENSITIVE)
    age: int | None = None
    friends: list["Person"] | None = None
    codes: list[str] | None = strawberry.field(default=None, metadata=SENSITIVE)
    born: date | None = strawberry.field(default=None, metadata=SENSITIVE)
    pin: int | None = strawberry.field(default=None, metadata=SENSITIVE)
    kind: Kind | None = strawberry.field(default=None, metadata=SENSITIVE)


@strawberry.type
class Query:
    @strawberry.field
    def by_mail(self, email: Annotated[str, strawberry.argument(metadata=SENSITIVE)], page: int | None = None) -> str:
        return email

    @strawberry.field
    def register(self, person: Person) -> str:
        return person.email

    @strawberry.field
    def broken(self) -> Kind:
        return cast("Kind", SECRET)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return strawberry.Schema(Query)._schema


async def said(schema: GraphQLSchema, query: str, variables: dict[str, Any] | None = None) -> str:
    """What the executor answers, which has to be an error."""
    executor = Executor(schema, lambda *_: None, Policy(timeout_s=60))
    answer = await executor.run(Request(query, variables), None)
    assert answer.body.get("errors"), "this is valid"
    return "\n".join(error["message"] for error in answer.body["errors"])


PERSON = "query ($person: Person!) { register(person: $person) }"


@pytest.mark.parametrize(
    "person",
    [
        {"email": NUMBER},
        {"email": {"address": SECRET}},
        {"email": SECRET, "age": "x"},
        {"email": SECRET, "unknown": 1},
        {"emial": SECRET},
        {"email": "x", "friends": [{"email": SECRET, "age": "y"}]},
        {"email": "x", "codes": [SECRET, NUMBER]},
        {"email": "x", "codes": NUMBER},
        {"email": "x", "friends": [SECRET]},
        {"email": "x", "age": {"email": SECRET}},
        {"email": "x", "born": SECRET},
        {"email": "x", "pin": NUMBER},
        {"email": "x", "kind": SECRET},
        SECRET,
    ],
)
async def test_variables(schema: GraphQLSchema, person: Any) -> None:
    told = await said(schema, PERSON, {"person": person})
    assert SECRET not in told
    assert str(NUMBER) not in told


async def test_what_is_not_sensitive_is_still_quoted(schema: GraphQLSchema) -> None:
    told = await said(schema, PERSON, {"person": {"email": SECRET, "age": "forty"}})
    assert told == "Variable '$person' has invalid value at .age: Int cannot represent non-integer value: 'forty'"


@pytest.mark.parametrize(
    "query",
    [
        "query ($x: String!) { byMail(email: $x) }",
        "query ($x: String!) { register(person: { email: $x }) }",
        "query ($x: String!) { ...F } fragment F on Query { byMail(email: $x) }",
    ],
)
async def test_a_variable_that_stands_for_a_sensitive_value(schema: GraphQLSchema, query: str) -> None:
    told = await said(schema, query, {"x": NUMBER})
    assert told == "Variable '$x' has invalid value: String cannot represent a non string value: [hidden]"


@pytest.mark.parametrize(
    "query",
    [
        "{ byMail(email: 4242424242424242) }",
        '{ byMail(email: ["tarou@example.jp"]) }',
        '{ byMail(email: "tarou@example.jp", page: "z") }',
        '{ register(person: { email: "tarou@example.jp", age: "z" }) }',
        '{ register(person: { email: "tarou@example.jp", unknown: 1 }) }',
        '{ register(person: { emial: "tarou@example.jp" }) }',
        '{ register(person: { email: "x", codes: ["tarou@example.jp", 4242424242424242] }) }',
        '{ register(person: "tarou@example.jp") { x } }',
        "query ($x: String = 4242424242424242) { byMail(email: $x) }",
    ],
)
async def test_literals(schema: GraphQLSchema, query: str) -> None:
    told = await said(schema, query)
    assert str(NUMBER) not in told
    assert SECRET not in told


@pytest.mark.parametrize(
    "query",
    [
        "{ byMail(email: SECRET) }",
        '{ byMail(emial: "SECRET") }',
        'query ($x: Int = "SECRET") { byMail(emial: $x) }',
        'query ($x: Int = "SECRET") { __typename }',
        '{ byMail(email: "x", page: { email: "SECRET" }) }',
        '{ byMail(email: { value: "SECRET" }) }',
        '{ register(person: { email: "x", born: "SECRET" }) }',
        '{ register(person: { email: "x", kind: SECRET }) }',
        '{ register(person: { email: "x", kind: "SECRET" }) }',
        '{ register(person: { email: "x", pin: "SECRET" }) }',
        '{ register(person: ["SECRET"]) }',
        '{ byMail(email: "SECRET) }',
        '{ byMail(email: "\\uSECRET") }',
        '{ byMail(email: "x" "SECRET") }',
        "{ byMail(email: x SECRET) }",
        "{ byMail(email: x) } SECRET",
    ],
)
async def test_what_nobody_knows_the_meaning_of_is_hidden_too(schema: GraphQLSchema, query: str) -> None:
    assert "SECRET" not in await said(schema, query)


async def test_hidden_values_that_are_right_are_not_called_wrong(schema: GraphQLSchema) -> None:
    query = '{ register(person: { email: "x", born: "2001-02-03", kind: OLD, pin: 7, age: "z" }) }'
    assert await said(schema, query) == 'Int cannot represent non-integer value: "z"'


async def test_what_is_only_wrong_while_it_is_seen_is_still_refused(schema: GraphQLSchema) -> None:
    """A zero stands for the number, and would fit."""
    assert (
        await said(schema, '{ register(person: { email: "x", pin: 4242424242424242 }) }') == "This value does not fit."
    )


async def test_a_document_without_sensitive_values_keeps_its_words(schema: GraphQLSchema) -> None:
    told = await said(schema, '{ byMail(email: "x", page: "y") { z } }')
    assert 'Int cannot represent non-integer value: "y"' in told


async def test_a_value_of_ours_that_does_not_fit_is_our_own_fault(schema: GraphQLSchema) -> None:
    """graphql-core quotes it."""
    assert await said(schema, "{ broken }") == "Something went wrong."


async def test_an_argument_that_turns_out_wrong_is_the_clients(schema: GraphQLSchema) -> None:
    query = 'query ($x: String = "a") { register(person: { email: $x, codes: ["tarou@example.jp"] }) }'
    told = await said(schema, query, {"x": None})
    assert "non-null type" in told
    assert SECRET not in told


@pytest.mark.parametrize("literal", ['"tarou@example.jp"', '"""tarou@example.jp"""', "4242424242424242", "4.24242"])
def test_syntax_errors_name_the_kind_of_a_literal(literal: str) -> None:
    with pytest.raises(GraphQLError) as wrong:
        parse("{ byMail(" + literal + ") }")
    told = hidden_syntax_error(wrong.value)
    assert told.message.startswith("Syntax Error: Expected Name, found ")
    assert literal.strip('"') not in told.message
    assert told.locations == wrong.value.locations
