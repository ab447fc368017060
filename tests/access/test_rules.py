"""The rules: whom each admits, how they add up, and which schemas do not build."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import GraphQLSchema

from domain.shared.ids import SellerId, UserId, uuid7
from domain.shared.refusals import Forbidden, Unauthenticated
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from engine.declared.fields import attribute, resolver
from schema.access import (
    ADMIN,
    ASKERS_OWN,
    NOBODY,
    OWNER,
    PUBLIC,
    SELLER,
    SIGNED_IN,
    Access,
    Ownership,
    guard,
    of_user,
    refusal,
)
from schema.build import IncompleteField, guard_fields
from schema.matrix import Persona, access_matrix, admitted

HANAKO, TARO = UserId(uuid7()), UserId(uuid7())
TEA, BOOKS = SellerId(uuid7()), SellerId(uuid7())
PEOPLE = {
    Persona.ANONYMOUS: ANONYMOUS,
    Persona.OTHER_BUYER: Viewer(Role.USER, TARO),
    Persona.OWNER: Viewer(Role.USER, HANAKO),
    Persona.OTHER_SELLER: Viewer(Role.USER, TARO, seller_ids=(BOOKS,)),
    Persona.SELLER: Viewer(Role.USER, TARO, seller_ids=(BOOKS, TEA)),
    Persona.ADMIN: Viewer(Role.ADMIN, UserId(uuid7())),
}


@dataclass(frozen=True)
class Sold:
    user_id: UUID | None = HANAKO
    seller_id: UUID | None = TEA


BOTH = Ownership(of_user(lambda sold: sold.user_id), seller=lambda sold: sold.seller_id)
EVERY_COMBINATION = [Access(bits) for bits in range((PUBLIC | SIGNED_IN | OWNER | SELLER | ADMIN).value + 1)]


def admits(rules: Access, value: Any, viewer: Viewer) -> bool:
    made = guard(rules, BOTH)
    return made is None or made.admits(value, viewer)


@pytest.mark.parametrize("rules", EVERY_COMBINATION, ids=str)
def test_every_combination_of_rules_admits_whom_the_matrix_says(rules: Access) -> None:
    assert {persona for persona, viewer in PEOPLE.items() if admits(rules, Sold(), viewer)} == admitted(rules)


def test_an_empty_rule_admits_nobody_and_no_admin() -> None:
    assert admitted(NOBODY) == frozenset()
    assert not any(admits(NOBODY, Sold(), viewer) for viewer in PEOPLE.values())


@pytest.mark.parametrize("viewer", [each for each in PEOPLE.values() if each.role is not Role.ADMIN])
def test_what_is_nobodys_is_not_for_those_who_are_nobody(viewer: Viewer) -> None:
    assert not admits(OWNER | SELLER, Sold(None, None), viewer)


def test_a_guest_who_has_an_identity_is_not_signed_in() -> None:
    assert not admits(SIGNED_IN | OWNER, Sold(), Viewer(guest_id=HANAKO))


def test_a_refusal_says_whether_signing_in_may_help() -> None:
    assert isinstance(refusal(ANONYMOUS), Unauthenticated)
    assert isinstance(refusal(PEOPLE[Persona.OTHER_BUYER]), Forbidden)


def type_of(name: str, field_name: str, of: Any, field: Any, ownership: Ownership | None = None) -> Any:
    """A type of one field."""
    body = {"__annotations__": {field_name: of}, field_name: field} | ({"ownership": ownership} if ownership else {})
    return strawberry.type(type(name, (), body), description="…")


def schema_of(
    access: Any, ownership: Ownership | None, *, way: Access = PUBLIC, way_ownership: Ownership | None = None
) -> GraphQLSchema:
    """`Query.shop.receipt.total`: `access` is the total's, `ownership` the receipt's, `way` leads from shop to receipt."""
    receipt = type_of("Receipt", "total", str, attribute(access=access, description="How much."), ownership)
    shop = type_of("Shop", "receipt", receipt, attribute(access=way, description="A way."), way_ownership)
    root = resolver(lambda: None, access=PUBLIC, graphql_type=shop, description="The shop.")
    return strawberry.Schema(type_of("Query", "shop", shop, root))._schema


@pytest.mark.parametrize("access", [None, "public", {"owner"}])
def test_a_schema_does_not_build_when_a_field_names_no_rule(access: Any) -> None:
    with pytest.raises(IncompleteField, match=r"Receipt\.total needs access"):
        guard_fields(schema_of(access, BOTH))


@pytest.mark.parametrize(
    ("access", "ownership"), [(OWNER, None), (SELLER, Ownership(BOTH.owner)), (OWNER, Ownership(seller=BOTH.seller))]
)
def test_a_schema_does_not_build_when_nothing_says_whose_a_value_is(access: Access, ownership: Ownership) -> None:
    with pytest.raises(IncompleteField, match=r"Receipt\.total is for OWNER or SELLER"):
        guard_fields(schema_of(access, ownership))


@pytest.mark.parametrize("way", [PUBLIC, SIGNED_IN, SELLER, OWNER | SELLER])
def test_a_schema_does_not_build_when_others_are_led_to_an_askers_own(way: Access) -> None:
    with pytest.raises(IncompleteField, match=r"Shop\.receipt leads others to an asker's own value"):
        guard_fields(schema_of(OWNER, ASKERS_OWN, way=way, way_ownership=BOTH))


@pytest.mark.parametrize("access", [PUBLIC, SIGNED_IN, OWNER, SELLER, OWNER | SELLER, ADMIN, NOBODY], ids=str)
def test_a_schema_builds_when_each_field_says_who_and_whose(access: Access) -> None:
    schema = schema_of(access, BOTH)
    guard_fields(schema)
    [row] = [row for row in access_matrix(schema) if row.field_name == "total"]
    assert row.seen_by == admitted(access)


def test_the_matrix_shows_who_is_led_to_a_value_and_not_only_whom_its_fields_admit() -> None:
    schema = schema_of(PUBLIC, None, way=OWNER, way_ownership=BOTH)
    [row] = [row for row in access_matrix(schema) if row.field_name == "total"]
    assert row.seen_by == {Persona.OWNER, Persona.ADMIN}
