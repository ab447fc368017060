"""A schema of whatever plans have to know and the marketplace has little of: interfaces in interfaces, unions, lists in lists,
types that show the same values or none, resolvers with arguments and defaults below lists, edges to lists, directives."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry
from graphql import GraphQLSchema
from strawberry.directive import DirectiveLocation, DirectiveValue

from engine.declared.fields import attribute, computed, edge, mutation, resolver, shows
from schema.access import ADMIN, PUBLIC, SIGNED_IN

HERE = "tests.differential.wide"
SEEN: Any = {"access": PUBLIC, "description": "x"}


class CatRow:
    """What a Cat shows, and a Stray too."""


class DogRow:
    """What a Dog shows."""


@strawberry.enum
class Kind(Enum):
    TAME = "tame"
    WILD = "wild"


@strawberry.directive(locations=[DirectiveLocation.FIELD, DirectiveLocation.INLINE_FRAGMENT])
def odd(value: DirectiveValue[object]) -> object:
    return value


def _never(info: strawberry.Info) -> object:
    raise NotImplementedError  # world.py has another


def _kind(info: strawberry.Info, kind: Kind = Kind.WILD, also: list[Kind] | None = None) -> object:
    raise NotImplementedError


def _numbers(info: strawberry.Info, by: list[int], times: int | None = 2, exact: bool = True) -> object:
    raise NotImplementedError


def _first(info: strawberry.Info, first: int | None = 3) -> object:
    raise NotImplementedError


def asked(function: Any, type_: Any, access: Any = PUBLIC) -> Any:
    return resolver(function, access=access, description="x", graphql_type=type_)


@strawberry.interface
class Being:
    id: strawberry.ID = attribute(**SEEN)
    name: str | None = attribute(**SEEN)


@strawberry.interface
class Creature(Being):
    legs: int = attribute(**SEEN)


Thing: TypeAlias = Annotated["Things", strawberry.lazy(HERE)]


@strawberry.type
class Rock:
    """Of a union, and nobody can tell that a value is one."""

    weight: float = attribute(**SEEN)


@strawberry.type
class Mark:
    """Attributes alone."""

    label: str = attribute(**SEEN)
    weight: int | None = attribute(**SEEN)
    share: float = attribute(**SEEN)
    flag: bool | None = attribute(**SEEN)


@strawberry.type
class Toy:
    label: str = attribute(**SEEN)
    price: Decimal | None = attribute(**SEEN)
    kind: Kind = attribute(**SEEN)
    maker: Being | None = edge("makers", key="maker_id", **SEEN)
    code: list[str | None] | None = asked(_never, list[str | None] | None)
    mark: Mark = attribute(**SEEN)
    loud: str = computed(lambda toy: toy.label.upper(), **SEEN)


@strawberry.type
class Cat(Creature):
    is_type_of = shows(CatRow)
    kittens: list[Creature] | None = attribute(**SEEN)
    grid: list[list[Thing | None]] = attribute(**SEEN)
    litter: list[Creature] | None = computed(lambda cat: cat.kittens, **SEEN)
    owner: Being | None = edge("owners", key="owner_id", **SEEN)
    marks: list[Mark] = attribute(**SEEN)
    toys: list[list[Toy] | None] = edge("toys", key="toy_id", **SEEN)
    friend: Being | None = asked(_kind, Being | None)
    score: int = asked(_numbers, int)
    secret: str | None = attribute(access=SIGNED_IN, description="x")


@strawberry.type
class Stray(Creature):
    is_type_of = shows(CatRow)
    since: int | None = attribute(**SEEN)
    signs: list[list[Mark | None] | None] | None = edge("signs", key="sign_id", **SEEN)


@strawberry.type
class Dog(Being):
    is_type_of = shows(DogRow)
    bark: str = attribute(**SEEN)
    stamps: list[list[Mark]] = attribute(**SEEN)
    mates: list[Being] = edge("mates", key="pack_id", **SEEN)
    place: Thing | None = asked(_never, Thing | None)
    heap: list[list[float]] | None = asked(_numbers, list[list[float]] | None)
    chip: Toy | None = attribute(access=ADMIN, description="x")


Things = Annotated[Cat | Dog | Rock, strawberry.union("Things")]


@strawberry.type
class Query:
    beings: list[Being | None] | None = asked(_first, list[Being | None] | None)
    thing: Things | None = asked(_never, Things | None)
    things: list[list[Things]] | None = asked(_first, list[list[Things]] | None)
    cat: Cat = asked(_kind, Cat)
    dogs: list[Dog] | None = asked(_numbers, list[Dog] | None)
    toys: list[Toy] = asked(_never, list[Toy])
    secret: Creature | None = asked(_never, Creature | None, ADMIN)


@strawberry.type
class Mutation:
    adopt: Cat | None = mutation(_kind, graphql_type=Cat | None, **SEEN)
    move: list[Things] | None = mutation(_first, graphql_type=list[Things] | None, **SEEN)
    rename: Being = mutation(_never, graphql_type=Being, **SEEN)


def wide_schema() -> GraphQLSchema:
    return strawberry.Schema(Query, Mutation, directives=[odd], types=[Stray])._schema
