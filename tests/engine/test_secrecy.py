"""What a message says of input that does not fit: everything but the values of sensitive fields."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_variable_values, parse, validate

from engine.secrecy import SENSITIVE, hidden_document, hidden_syntax_error, hidden_variables

SECRET = "tarou@example.jp"
NUMBER = 4242424242424242


@strawberry.input
class Person:
    email: str = strawberry.field(metadata=SENSITIVE)
    age: int | None = None
    friends: list["Person"] | None = None
    codes: list[str] | None = strawberry.field(default=None, metadata=SENSITIVE)


@strawberry.type
class Query:
    @strawberry.field
    def by_mail(self, email: Annotated[str, strawberry.argument(metadata=SENSITIVE)], page: int | None = None) -> str:
        return email

    @strawberry.field
    def register(self, person: Person) -> str:
        return person.email


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return strawberry.Schema(Query)._schema


def said_of_variables(schema: GraphQLSchema, query: str, variables: dict[str, Any]) -> str:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    hidden = hidden_variables(schema, document, operation, variables)
    errors = get_variable_values(schema, operation.variable_definitions or (), hidden)
    assert isinstance(errors, list), "these variables fit"
    return "\n".join(error.message for error in errors)


def said_of_document(schema: GraphQLSchema, query: str) -> str:
    errors = validate(schema, hidden_document(schema, parse(query)))
    assert errors, "this document is valid"
    return "\n".join(error.message for error in errors)


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
        SECRET,
    ],
)
def test_variables(schema: GraphQLSchema, person: Any) -> None:
    said = said_of_variables(schema, PERSON, {"person": person})
    assert SECRET not in said
    assert str(NUMBER) not in said


def test_what_is_not_sensitive_is_still_quoted(schema: GraphQLSchema) -> None:
    said = said_of_variables(schema, PERSON, {"person": {"email": SECRET, "age": "forty"}})
    assert said == "Variable '$person' has invalid value at .age: Int cannot represent non-integer value: 'forty'"


@pytest.mark.parametrize(
    "query",
    [
        "query ($x: String!) { byMail(email: $x) }",
        "query ($x: String!) { register(person: { email: $x }) }",
        "query ($x: String!) { ...F } fragment F on Query { byMail(email: $x) }",
    ],
)
def test_a_variable_that_stands_for_a_sensitive_value(schema: GraphQLSchema, query: str) -> None:
    said = said_of_variables(schema, query, {"x": NUMBER})
    assert said == "Variable '$x' has invalid value: String cannot represent a non string value: [hidden]"


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
def test_literals(schema: GraphQLSchema, query: str) -> None:
    said = said_of_document(schema, query)
    assert str(NUMBER) not in said
    assert SECRET not in said


@pytest.mark.parametrize("literal", ['"tarou@example.jp"', '"""tarou@example.jp"""', "4242424242424242", "4.24242"])
def test_syntax_errors_name_the_kind_of_a_literal(literal: str) -> None:
    with pytest.raises(GraphQLError) as wrong:
        parse("{ byMail(" + literal + ") }")
    said = hidden_syntax_error(wrong.value)
    assert said.message.startswith("Syntax Error: Expected Name, found ")
    assert literal.strip('"') not in said.message
    assert said.locations == wrong.value.locations
