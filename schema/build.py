"""Makes the schema, and refuses to when a field does not say who may see it or what it is."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from engine.declared.access import Guard, enforce
from engine.declared.calling import call_directly
from schema.access import OWNER, SELLER, Access, Ownership, guard
from schema.declared import DeclaredField, declared_fields, leads_to, ownership_of
from schema.directives import in_context
from schema.matrix import Persona, access_matrix
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


class IncompleteField(Exception):
    """Fields without an access rule or a description, or whose rule asks whose a value is where nothing says it."""


def build_schema() -> strawberry.Schema:
    """The schema of the marketplace, each field behind its access rules. Raises IncompleteField."""
    config = StrawberryConfig(scalar_map=SCALARS, enable_experimental_incremental_execution=True)
    schema = strawberry.Schema(Query, Mutation, Subscription, directives=[in_context], config=config)
    call_directly(schema)
    guard_fields(schema._schema)
    return schema


def guard_fields(schema: GraphQLSchema) -> None:
    """Enforce the access rules of a schema. Raises IncompleteField."""
    faults = [
        *(f"{path} needs access and description" for path in incomplete_fields(schema)),
        *(f"{path} is for OWNER or SELLER, and no `ownership` says whose it is" for path in unowned_fields(schema)),
        *(f"{path} leads others to an asker's own value" for path in exposing_fields(schema)),
    ]
    if faults:
        raise IncompleteField("; ".join(faults))
    guards: dict[tuple[Access, Ownership], Guard | None] = {}

    def guard_of(type_: GraphQLObjectType, name: str) -> Guard | None:
        access = DeclaredField(type_, name, type_.fields[name]).access or Access(0)
        key = access, ownership_of(type_)
        if key not in guards:
            guards[key] = guard(*key)
        return guards[key]

    enforce(schema, guard_of)


def incomplete_fields(schema: GraphQLSchema) -> list[str]:
    """`Type.field` of each field that lacks its access rule or description."""
    return [field.path for field in declared_fields(schema) if field.access is None or not field.field.description]


def unowned_fields(schema: GraphQLSchema) -> list[str]:
    """`Type.field` of each field for an owner or seller whose type does not say who that is."""
    return [
        field.path
        for field in _of_objects(schema)
        if field.access and field.access & (OWNER | SELLER) and not ownership_of(field.type_).names(field.access)
    ]


def exposing_fields(schema: GraphQLSchema) -> list[str]:
    """`Type.field` of each field that may lead somebody to another's value of a type that is the asker's own.

    A root field makes such a value for whoever asks. Any other must be seen by nobody but the owner of what it is a field of.
    """
    roots = {root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root}
    seen_by = {(row.type_name, row.field_name): row.seen_by for row in access_matrix(schema)}
    exposing = []
    for field in _of_objects(schema):
        led_to = leads_to(schema, field.field)
        askers = [name for name in led_to if ownership_of(schema.type_map[name]).is_askers]
        makes_it = field.type_.name in roots and askers == led_to  # what may also be somebody's is looked at
        if askers and not makes_it and seen_by[field.type_.name, field.name] - {Persona.OWNER, Persona.ADMIN}:
            exposing.append(field.path)
    return exposing


def _of_objects(schema: GraphQLSchema) -> Iterator[DeclaredField]:
    return (field for field in declared_fields(schema) if isinstance(field.type_, GraphQLObjectType))


def sdl() -> str:
    """The schema as text, as it is checked in."""
    return str(build_schema()) + "\n"
