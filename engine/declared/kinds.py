"""The kinds of field as data, and what else fields and types of a schema declare, for whoever runs or checks operations.

engine/declared/fields.py makes fields that declare this.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType

Arguments = tuple[tuple[str, Hashable], ...]
"""Arguments of an edge, sorted by name: with the loader's name they say which batch a key belongs to."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field read off the value: its attribute `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A field computed from the value alone, without I/O."""

    read: Callable[[Any], Any]
    of: str | None = None
    """The attribute that `read` takes, and all that it looks at; None where it takes the value itself."""

    def __call__(self, value: Any) -> Any:
        return self.read(value if self.of is None else getattr(value, self.of))


@dataclass(frozen=True, slots=True)
class Edge:
    """A field that is loaded by name: `loader` takes the values of the attribute `key` of a whole level."""

    loader: str
    key: str
    takes: tuple[str, ...] = ()
    """Names of the arguments that the loader is told, sorted."""
    is_part: bool = False
    """Whether what it leads to is a part of its value, which is said to have changed whenever that has."""

    def arguments(self, given: Mapping[str, Hashable]) -> Arguments:
        """Those of a field, for its loader; what was not given is None."""
        return tuple((name, given.get(name)) for name in self.takes)


@dataclass(frozen=True, slots=True)
class Code:
    """A field with a resolver of its own."""


Kind = Attribute | Computed | Edge | Code


def kind_of(field: GraphQLField) -> Kind | None:
    """How a field of a schema gets its value; None of one that describes the schema."""
    declared: Any = field.extensions.get("strawberry-definition")
    if declared is None:
        return None
    if declared.is_basic_field:
        return Attribute(declared.python_name)
    kind: Kind = declared.metadata.get("kind", Code())
    return kind


def limit_of(field: GraphQLField) -> str | None:
    """The rate limit that a field's calls count towards."""
    limit: str | None = _declared(field, "limit")
    return limit


def ignores_bearer(field: GraphQLField) -> bool:
    """Whether a field brings credentials of its own."""
    return bool(_declared(field, "ignores_bearer"))


def within_s_of(field: GraphQLField) -> float:
    """How long an operation with this field may take, where that is more than what any may; 0 else."""
    return float(_declared(field, "within_s") or 0)


def _declared(field: GraphQLField, name: str) -> Any:
    definition: Any = field.extensions.get("strawberry-definition")
    return definition.metadata.get(name) if definition else None


@dataclass(frozen=True, slots=True)
class Shows:
    """Which values a type shows."""

    values: tuple[type, ...]

    def __call__(self, _type: type, value: object, _info: Any) -> bool:
        return isinstance(value, self.values)


class UnknownTest(Exception):
    """A type looks at its values in a way of its own."""


def values_shown(type_: GraphQLObjectType) -> tuple[type, ...] | None:
    """The classes of the values that a type shows; None where it does not look at them. Raises UnknownTest for other tests."""
    if type_.is_type_of is None:
        return None
    test = getattr(type_.is_type_of, "__func__", None)
    if not isinstance(test, Shows):
        raise UnknownTest(type_.name)
    return test.values
