"""Makes the schema, and refuses to when a field does not say who may see it or what it is."""

from typing import Any

import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from schema.access import Access
from schema.mutation import Mutation
from schema.query import Query


class IncompleteField(Exception):
    """Fields without an access rule or a description."""


def build_schema() -> strawberry.Schema:
    """The schema of the marketplace. Raises IncompleteField."""
    schema = strawberry.Schema(Query, Mutation)
    incomplete = list(incomplete_fields(schema._schema))
    if incomplete:
        raise IncompleteField(f"give access and description to {', '.join(incomplete)}")
    return schema


def incomplete_fields(schema: GraphQLSchema) -> list[str]:
    """`Type.field` of each field that lacks its access rule or description."""
    found = []
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                definition: Any = field.extensions.get("strawberry-definition")
                access = definition.metadata.get("access") if definition else None
                if not isinstance(access, Access) or not field.description:
                    found.append(f"{type_.name}.{name}")
    return found


def sdl() -> str:
    """The schema as text, as it is checked in."""
    return str(build_schema()) + "\n"
