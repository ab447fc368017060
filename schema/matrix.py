"""The access matrix: for each field of each type, which of six people see it.

They stand to one value as their names say: its owner, a buyer whose it is not, somebody who works for its seller, and so on. A
field is seen by whom its rules admit and whom some field leads to the value at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphql import GraphQLObjectType, GraphQLSchema

from schema.access import Access
from schema.declared import DeclaredField, declared_fields, leads_to


class Persona(StrEnum):
    ANONYMOUS = "anonymous"
    OTHER_BUYER = "other buyer"
    OWNER = "owner"
    OTHER_SELLER = "other seller"
    SELLER = "seller"
    ADMIN = "admin"


Personas = frozenset[Persona]

ADMITTED: Mapping[Access, Personas] = {
    Access.PUBLIC: frozenset(Persona),
    Access.SIGNED_IN: frozenset(Persona) - {Persona.ANONYMOUS},
    Access.OWNER: frozenset({Persona.OWNER, Persona.ADMIN}),
    Access.SELLER: frozenset({Persona.SELLER, Persona.ADMIN}),
    Access.ADMIN: frozenset({Persona.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the matrix, and who sees it."""

    type_name: str
    field_name: str
    access: Access
    seen_by: Personas

    @property
    def rules(self) -> str:
        """The rules' names; `nobody` where there is none."""
        return " or ".join(str(rule.name).lower().replace("_", "-") for rule in self.access) or "nobody"


def admitted(access: Access) -> Personas:
    """Whom the rules admit."""
    return frozenset().union(*(ADMITTED[rule] for rule in access))


def access_matrix(schema: GraphQLSchema) -> list[Row]:
    """A row for each field of each object type, in the order of the SDL. A field without rules is for nobody.

    A field of an interface has no row: what resolves is the field of the type that implements it.
    """
    fields = [field for field in declared_fields(schema) if isinstance(field.type_, GraphQLObjectType)]
    seen = _seen_by(schema, fields)
    return [
        Row(field.type_.name, field.name, field.access or Access(0), seen[field.path])
        for field in sorted(fields, key=lambda field: field.type_.name)
    ]


def _seen_by(schema: GraphQLSchema, fields: list[DeclaredField]) -> dict[str, Personas]:
    """From the root types on, until nobody is led any further."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    reached: dict[str, Personas] = {root.name: frozenset(Persona) for root in roots if root}
    while True:
        before = dict(reached)
        seen = {}
        for field in fields:
            seen[field.path] = reached.get(field.type_.name, frozenset()) & admitted(field.access or Access(0))
            for name in leads_to(schema, field.field):
                reached[name] = reached.get(name, frozenset()) | seen[field.path]
        if reached == before:
            return seen
