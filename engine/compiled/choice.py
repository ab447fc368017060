"""Which type a value of an interface or union has, as graphql-core and Strawberry would find."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLAbstractType, GraphQLSchema

from engine.compiled.reasons import Deviation, Reason, Unsupported
from engine.declared.kinds import UnknownTest, values_shown

CAST = "__as_strawberry_type__"
"""What `strawberry.cast` leaves on a value."""


class Choice:
    """Tells the types of values by their classes: the first possible type that shows such values. Raises Unsupported.

    A value that says itself what it is (an instance of a schema type, one that was cast, one with `__typename`) is graphql-core's
    to judge.
    """

    def __init__(self, schema: GraphQLSchema, type_: GraphQLAbstractType) -> None:
        if getattr(type_.extensions.get("strawberry-definition"), "resolve_type", None) is not None:
            raise Unsupported(Reason.TYPE_TEST, type_.name)
        self._name = type_.name
        try:
            shown = [(each.name, values_shown(each)) for each in schema.get_possible_types(type_)]
        except UnknownTest as error:
            raise Unsupported(Reason.TYPE_TEST, str(error)) from error
        self._shown = [(name, classes) for name, classes in shown if classes]
        self._closed: dict[type, str] = {}
        """Of classes whose values have the attributes of their class and no others."""

    def type_of(self, value: Any) -> str:
        """The name of the type. Raises Deviation."""
        name = self._closed.get(value.__class__)
        return name if name is not None else self._decide(value)

    def _decide(self, value: Any) -> str:
        if _speaks(value):
            raise Deviation(Reason.VALUE, f"{type(value).__name__} says itself what it is")
        for name, classes in self._shown:
            if isinstance(value, classes):
                if not hasattr(value, "__dict__"):
                    self._closed[value.__class__] = name
                return name
        raise Deviation(Reason.VALUE, f"{type(value).__name__} for {self._name}")


def _speaks(value: Any) -> bool:
    names = (f"_{each.__name__}__typename" for each in value.__class__.__mro__)
    return (
        isinstance(value, Mapping)
        or hasattr(value, "__strawberry_definition__")
        or getattr(value, CAST, None) is not None
        or any(getattr(value, name, None) for name in names)
    )
