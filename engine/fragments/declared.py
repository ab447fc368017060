"""What a schema declares of the entities that may be kept."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import GraphQLField, GraphQLObjectType

MAX_AGE_S = 60.0
"""How long anything is kept without a word of change: the oldest that names and texts may be shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entity: what the public is shown of a value of this type may be kept. A type declares it in its attribute `kept`.

    Parameters:
        kind: what notices of change call it, such as `seller` in `seller:0199…`
        loader: loads it by its key, with all that edges declared as parts give
        max_age_s: how long it is kept without a notice
        is_tag: whether answers name it in their tags; not where its key is nobody's business
        changes_at: when it changes by itself next, such as the begin of a sale, as an aware UTC time
        client_age_s: how old whoever keeps an answer may let it become
        held_by: the attribute of a value that is its key, where a list that holds such values may show fragments in their place
        version: the attribute of a value that grows with its changes: what is older than the value in hand is not shown
    """

    kind: str
    loader: str
    max_age_s: float = MAX_AGE_S
    is_tag: bool = True
    changes_at: Callable[[Any], datetime | None] | None = None
    client_age_s: int = int(MAX_AGE_S)
    held_by: str | None = None
    version: str | None = None

    def version_of(self, value: object) -> int:
        return 0 if self.version is None else getattr(value, self.version)

    def tag(self, key: object) -> str:
        return f"{self.kind}:{key}"


def anything(kind: str) -> str:
    """The tag of what shows a list of such entities: a change of any may be one of the list."""
    return f"{kind}:*"


@dataclass(frozen=True, slots=True)
class Finds:
    """A field of the root query that finds an entity which may be kept, as `resolver(finds=...)` declares it.

    Parameters:
        key: the entity's key, from the field's arguments; None where they do not tell it without a look-up
        seen: told of the context and the key when the entity is shown without a call of the resolver
    """

    key: Callable[[Mapping[str, Any]], Hashable | None]
    seen: Callable[[Any, Any], None] | None = None


def finds_of(field: GraphQLField) -> Finds | None:
    """What a field declares."""
    declared: Any = field.extensions.get("strawberry-definition")
    finds: Finds | None = declared.metadata.get("finds") if declared else None
    return finds


def shared_for(field: GraphQLField) -> int | None:
    """How long, in seconds, the answer of a field of the root may be shown again; None where it is the viewer's own."""
    declared: Any = field.extensions.get("strawberry-definition")
    seconds: int | None = declared.metadata.get("shared_s") if declared else None
    return seconds


def kept_of(type_: GraphQLObjectType) -> Kept | None:
    """What a type declares."""
    declared: Any = type_.extensions.get("strawberry-definition")
    kept: Any = getattr(declared.origin, "kept", None) if declared else None
    return kept if isinstance(kept, Kept) else None
