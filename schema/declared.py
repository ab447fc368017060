"""The fields of a schema as they were declared, for whoever looks at all of them: the build's checks and the access matrix."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from schema.access import Access, Ownership

NO_OWNERSHIP = Ownership()


@dataclass(frozen=True, slots=True)
class DeclaredField:
    type_: GraphQLObjectType | GraphQLInterfaceType
    name: str
    field: GraphQLField

    @property
    def path(self) -> str:
        return f"{self.type_.name}.{self.name}"

    @property
    def access(self) -> Access | None:
        """Its rules; None where they were left out."""
        definition: Any = self.field.extensions.get("strawberry-definition")
        access = definition.metadata.get("access") if definition else None
        return access if isinstance(access, Access) else None


def declared_fields(schema: GraphQLSchema) -> Iterator[DeclaredField]:
    """Every field of every object and interface that is the schema's own."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                yield DeclaredField(type_, name, field)


def ownership_of(type_: Any) -> Ownership:
    """Whose the values of a type are; of nobody known where the type does not say."""
    definition = type_.extensions.get("strawberry-definition")
    ownership = getattr(definition.origin, "ownership", None) if definition else None
    return ownership if isinstance(ownership, Ownership) else NO_OWNERSHIP


def leads_to(schema: GraphQLSchema, field: GraphQLField) -> list[str]:
    """Names of the object types whose values a field may show: none for a leaf, several for an interface or union."""
    type_: Any = get_named_type(field.type)
    if is_object_type(type_):
        return [type_.name]
    return [each.name for each in schema.get_possible_types(type_)] if is_abstract_type(type_) else []
