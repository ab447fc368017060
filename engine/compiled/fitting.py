"""What msgspec knows values by, so that it can compare many with their types at once, and make rows of those it can read itself."""

from collections.abc import Mapping, Sequence
from inspect import getattr_static
from types import MemberDescriptorType, NoneType
from typing import Annotated, Any, Protocol

from graphql import GraphQLOutputType, get_nullable_type, is_leaf_type, is_list_type, is_non_null_type
from msgspec import Meta, ValidationError

from engine.compiled.expressions import MAX_FLOAT, MAX_INT, MIN_INT, Writer
from engine.compiled.lists import Lists
from engine.compiled.selection import Field, Selection
from engine.declared.kinds import Attribute
from engine.rows import Row, attributes_class

NO_INT = Annotated[int, Meta(ge=1, le=0)]
"""What no integer is: beside a float, it keeps msgspec from taking one for that, digits lost."""
TYPES: dict[str, Any] = {
    "String": str,
    "ID": str,
    "Boolean": bool,
    "Int": Annotated[int, Meta(ge=MIN_INT, le=MAX_INT)],
    "Float": Annotated[float, Meta(ge=-MAX_FLOAT, le=MAX_FLOAT)] | NO_INT,
}
"""Leaves that are written out as they are."""


def leaf(field: Field) -> Any:
    """What a field's values are known by; None of all but the leaves of GraphQL's own types."""
    if field.definition is None or not is_leaf_type(bare := get_nullable_type(field.type)):
        return None
    type_ = TYPES.get(bare.name)
    return type_ and _or_null(field.type, type_)


def _or_null(type_: GraphQLOutputType, known: Any) -> Any:
    return known if is_non_null_type(type_) else known | None


def _in_lists(type_: GraphQLOutputType, row: Any) -> Any:
    bare = get_nullable_type(type_)
    return _or_null(type_, list[_in_lists(bare.of_type, row)] if is_list_type(bare) else row)  # type: ignore[misc]


class Inner(Protocol):
    """A field with pure values below, and what is written of it where many values are shown at once."""

    type: Any
    """What msgspec knows the entries of its column by."""

    def filled(self, writer: Writer, column: str | None) -> str:
        """Write how its column is read, if there is none yet, and filled; its name."""
        ...

    def looked_at(self, writer: Writer, column: str) -> None:
        """Write what is looked at right before msgspec sees the column. What is written raises Deviation or msgspec.ValidationError."""
        ...


class ReadWhole:
    """Values of a field, or lists of them, of which attributes alone are shown, all of them leaves: msgspec reads those itself.

    That spares a list of all the values, a tuple for each, and their rows being put back in lists. It reads the lists as they stand, in
    C, which nothing may interrupt that could change them: the attributes have to be data, and no code.
    """

    def __init__(self, field: Field, row: type[Row], names: Sequence[str]) -> None:
        assert isinstance(field.below, Selection)
        self._field = field
        self._lists = Lists(field.type)
        self._names = names
        self._shown = field.below.values
        self._known: set[type] = {NoneType}
        """Classes of values that may be read; where null may not be, msgspec says so."""
        self.type = _in_lists(field.type, row)

    @classmethod
    def of(cls, field: Field) -> "ReadWhole | None":
        """None of fields whose values have to be asked one by one.

        Each is shown under the name of its attribute: off a value that lacks one, msgspec would read what is named as the key is,
        which a client may choose.
        """
        below = field.below
        if not isinstance(below, Selection) or not below.is_pure:
            return None
        names, types = [each.key for each in below.fields], [leaf(each) for each in below.fields]
        if not all(types) or any(each.kind != Attribute(each.key) or hasattr(Row, each.key) for each in below.fields):
            return None
        return cls(field, attributes_class(names, types), names)

    def filled(self, writer: Writer, column: str | None) -> str:
        return column or writer.put("v", f"[{writer.value(self._field, 'o')} for o in values]")

    def looked_at(self, writer: Writer, column: str) -> None:
        classes = writer.put("t", f"set(map(type, {self._lists.innermost(writer, column)}))")
        writer.line(f"if not {classes} <= {writer.named('k', self._known)}:")
        writer.line(f"    {writer.named('f', self._learn)}({classes})")

    def _learn(self, classes: set[type]) -> None:
        for class_ in classes - self._known:
            if not _is_data(class_, self._names) or not (self._shown is None or issubclass(class_, self._shown)):
                raise ValidationError(class_.__name__)
        self._known |= classes


def _is_data(class_: type, names: Sequence[str]) -> bool:
    """Whether its values are what their attributes are, and these are read without running any code of Python's."""
    if issubclass(class_, BaseException | Mapping):  # of a dict msgspec reads the keys
        return False
    if class_.__getattribute__ is not object.__getattribute__ or hasattr(class_, "__getattr__"):
        return False
    found = [getattr_static(class_, name, None) for name in names]
    return all(isinstance(each, MemberDescriptorType) or not hasattr(type(each), "__get__") for each in found)
