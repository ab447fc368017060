"""The schema as a contract: checked in, described and guarded to the last field."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    parse,
    validate,
)
from strawberry.exceptions import StrawberryInputCoercionError

from domain.shared.refusals import Refusal
from engine.declared.access import GUARD
from engine.declared.kinds import Edge
from engine.reading.secrecy import is_sensitive
from resolvers.loaders import BATCHES
from resolvers.nodes import NODE_LOADERS
from schema.access import PUBLIC, Access
from schema.build import build_schema, incomplete_fields, sdl
from schema.declared import declared_fields
from schema.errors import UserErrorCode
from schema.examples import EXAMPLES
from schema.identity_mutations import IdentityMutations
from schema.scalars import decimal

CHECKED_IN = Path(__file__).parents[2] / "schema.graphql"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def own_types(schema: GraphQLSchema) -> Iterator[Any]:
    return (type_ for name, type_ in schema.type_map.items() if not name.startswith("__"))


@pytest.mark.parametrize("given", ["1980", "19.80", "-1", "1e3", 1980, 19.8])
def test_a_decimal_is_a_number_as_json_writes_it(given: object) -> None:
    assert decimal(given) == Decimal(str(given))


@pytest.mark.parametrize(
    "given", ["1_000", "１０００", "٣", "NaN", "Infinity", " 1", "1\n", "", "1.", "+1", "1" * 41, True, None, [1]]
)
def test_anything_else_is_no_decimal(given: object) -> None:
    with pytest.raises(StrawberryInputCoercionError, match="ASCII digits"):
        decimal(given)


def test_the_checked_in_schema_is_the_present_one() -> None:
    assert CHECKED_IN.read_text() == sdl(), "run `make schema` and look at the difference"


def test_everything_is_described(schema: GraphQLSchema) -> None:
    bare = []
    for type_ in own_types(schema):
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType | GraphQLEnumType):
            if not type_.description:
                bare.append(type_.name)
            if isinstance(type_, GraphQLEnumType):
                continue
            for name, field in type_.fields.items():
                if not field.description:
                    bare.append(f"{type_.name}.{name}")
                for argument, definition in getattr(field, "args", {}).items():
                    if not definition.description:
                        bare.append(f"{type_.name}.{name}({argument})")
    assert bare == []


def test_every_field_says_who_may_see_it(schema: GraphQLSchema) -> None:
    assert incomplete_fields(schema) == []


def test_every_field_that_is_not_public_is_guarded_and_no_other_is(schema: GraphQLSchema) -> None:
    fields = [field for field in declared_fields(schema) if isinstance(field.type_, GraphQLObjectType)]
    guarded = {field.path for field in fields if GUARD in field.field.extensions}
    assert guarded == {field.path for field in fields if field.access is not None and PUBLIC not in field.access}


def test_a_field_without_an_access_rule_does_not_pass() -> None:
    @strawberry.type(description="…")
    class Query:
        secret: str = strawberry.field(description="Nobody said who may see it.")

    assert incomplete_fields(strawberry.Schema(Query)._schema) == ["Query.secret"]


def test_every_edge_names_a_loader_and_every_node_type_has_one(schema: GraphQLSchema) -> None:
    named = set()
    for type_ in own_types(schema):
        if isinstance(type_, GraphQLObjectType):
            for field in type_.fields.values():
                kind = field.extensions["strawberry-definition"].metadata.get("kind")
                if isinstance(kind, Edge):
                    named.add(kind.loader)
    assert named <= set(BATCHES)
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert {type_.name for type_ in schema.get_implementations(node).objects} == set(NODE_LOADERS)


def test_every_refusal_of_a_mutation_has_its_code_in_the_schema() -> None:
    import domain.carts.refusals  # noqa: F401  (its classes are what is looked at)

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for each in kind.__subclasses__():
            yield from (each, *below(each))

    raised_by_mutations = ("domain.accounts", "domain.carts", "domain.shared")
    codes = {each.code for each in below(Refusal) if each.__module__.startswith(raised_by_mutations)}
    of_queries = {"ACCOUNT_SUSPENDED", "FORBIDDEN", "INVALID_CURSOR", "SERVICE_UNAVAILABLE"}
    assert codes - of_queries <= {code.value for code in UserErrorCode}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_valid(schema: GraphQLSchema, example: str) -> None:
    assert validate(schema, parse(example)) == []


def test_every_mutation_of_identity_names_its_rate_limit_and_only_public_ones_ignore_the_bearer(
    schema: GraphQLSchema,
) -> None:
    assert schema.mutation_type is not None
    declared = {
        name: field.extensions["strawberry-definition"].metadata for name, field in schema.mutation_type.fields.items()
    }
    ours = [field.python_name for field in IdentityMutations.__strawberry_definition__.fields]  # type: ignore[attr-defined]
    marked = {name: each for name, each in declared.items() if re.sub("([A-Z])", r"_\1", name).lower() in ours}
    assert len(marked) == len(ours)
    assert [name for name, each in marked.items() if not each.get("limit")] == []
    for name, each in declared.items():
        if name in marked:
            assert each.get("ignores_bearer", False) is (each["access"] is Access.PUBLIC), name
        else:
            assert not each.get("ignores_bearer"), f"{name} acts for a viewer"


PERSONAL = re.compile(
    "password|secret|email|mail|phone|token|session|code|credential|answer|pin|otp|name|username|line|postal|zip|prefecture|city"
    "|street|address|recipient|birth|birthday|gender|avatar|card|cvc|number|account|iban|key|note|message"
)
"""Words that values of people, or of their locks, are called by."""
NOT_PERSONAL = {
    "AddressCreateInput.idempotencyKey": "made up by the client, for one intention",
    "AttributeInput.name": "a property of products",
    "CartItemRemoveInput.lineId": "of a cart",
    "CartItemUpdateInput.lineId": "of a cart",
    "OrderCancelInput.idempotencyKey": "made up by the client, for one intention",
    "OrderItemCancelInput.idempotencyKey": "made up by the client, for one intention",
    "CheckoutInput.address": "an input whose fields are private themselves",
    "CheckoutInput.addressId": "opens nothing: it names an address to whom it belongs",
    "CheckoutInput.idempotencyKey": "made up by the client, for one intention",
    "PriceRangeInput.currencyCode": "ISO 4217",
    "RefundCreateInput.idempotencyKey": "made up by the client, for one intention",
    "ReturnReceiveInput.idempotencyKey": "made up by the client, for one intention",
    "ReturnRequestInput.idempotencyKey": "made up by the client, for one intention",
    "SessionRevokeInput.sessionId": "opens nothing: it names a session to whom it belongs",
}


def test_inputs_that_sound_personal_are_private(schema: GraphQLSchema) -> None:
    inputs = [
        (f"{type_.name}.{name}", name, field)
        for type_ in own_types(schema)
        if isinstance(type_, GraphQLInputObjectType)
        for name, field in type_.fields.items()
    ]
    arguments = [
        (f"{each.path}({name}:)", name, argument)
        for each in declared_fields(schema)
        for name, argument in getattr(each.field, "args", {}).items()
    ]
    open_ones = {
        path
        for path, name, defined in inputs + arguments
        if any(PERSONAL.fullmatch(word.lower()) for word in re.findall("[A-Z]?[a-z]+", name))
        and not is_sensitive(defined)
    }
    assert open_ones == set(NOT_PERSONAL), "make it a private_input, or say why it is none"
