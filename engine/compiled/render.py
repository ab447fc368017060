"""How the values of a selection become rows of an answer, without waiting for anything.

Of many values it is done by column: everything is read off them, what lies below is made rows of, and msgspec compares the leaves of
all with their types at once. Where one does not fit, and for few values, each value is looked at by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import starmap
from typing import Annotated, Any

import msgspec
from graphql import is_non_null_type
from msgspec import Meta

from engine.compiled.expressions import MAX_FLOAT, MAX_INT, MIN_INT, Writer
from engine.compiled.lists import Lists
from engine.compiled.reasons import Deviation, raised
from engine.compiled.selection import Field, Selection
from engine.rows import Row, row_class

FEW = 4
"""Values that are sooner looked at one by one."""
AGAIN = 100
"""Times that values are looked at one by one, once a leaf did not fit."""
NO_INT = Annotated[int, Meta(ge=1, le=0)]
TYPES: dict[str, Any] = {
    "String": str,
    "ID": str,
    "Boolean": bool,
    "Int": Annotated[int, Meta(ge=MIN_INT, le=MAX_INT)],
    "Float": Annotated[float, Meta(ge=-MAX_FLOAT, le=MAX_FLOAT)] | NO_INT,
}
"""What msgspec knows leaves by that are written out as they are. It would take an integer for a float else, digits lost."""

Render = Callable[..., list[Any]]
"""Takes the values, and a column for each field that was loaded: an entry a value. Gives a row a value."""


class Renderer:
    """Makes rows of values of a selection. Fields in `loaded` are given as columns, complete where not all below them is pure."""

    def __init__(self, selection: Selection, loaded: Sequence[Field] = ()) -> None:
        self._fields = selection.fields
        self._loaded = tuple(field.key for field in loaded)
        self._complete = {
            field.key for field in loaded if field.site or not (field.below is None or field.below.is_pure)
        }
        self._nested = {field.key: Nested(field) for field in self._fields if self._is_nested(field)}
        self._types = [self._type(field) for field in self._fields]
        self._tries_columns = bool(self._nested) or any(self._types)
        self._row = row_class([field.key for field in self._fields])
        self._left = 0
        """Times that it is not tried by column."""

    @property
    def joined(self) -> type[Row] | None:
        """The class of rows that are nothing but the columns that are given, one beside the other; None of others."""
        return self._row if self._complete and len(self._complete) == len(self._fields) else None

    def rows(self, values: Sequence[Any], *columns: Sequence[Any]) -> list[Any]:
        """Takes a column for each loaded field. Raises Deviation."""
        try:
            if len(values) >= FEW and self._tries_columns and not self._left:
                try:
                    return self._by_column(values, *columns)
                except msgspec.ValidationError:
                    self._left = AGAIN
            elif self._left:
                self._left -= 1
            return self._by_value(values, *columns)
        except Deviation:
            raise
        except Exception as error:
            raise raised(error) from error

    @cached_property
    def _by_value(self) -> Render:
        writer, values = Writer(), []
        row, columns = writer.named("r", self._row), self._columns(writer)
        for field in self._fields:
            value = _value(writer, field, columns)
            values.append(value if field.key in self._complete else writer.tested(field, value))
        writer.line("return " + _each(f"{row}({', '.join(values)})", columns))
        return writer.function("values", *columns.values())

    @cached_property
    def _by_column(self) -> Render:
        """Raises msgspec.ValidationError for a leaf that does not fit."""
        writer, values = Writer(), []
        given = self._columns(writer)
        written = {key: each.filled(writer, given.get(key)) for key, each in self._nested.items()}
        for field in self._fields:
            if field.key not in written | given and (column := writer.column(field)):
                written[field.key] = column
        columns = given | written
        for field, type_ in zip(self._fields, self._types, strict=True):
            value = _value(writer, field, columns)
            is_whole = type_ or field.key in self._complete or field.key in written
            values.append(value if is_whole else writer.tested(field, value))
        read = writer.put("v", _each(f"({', '.join(values)},)", columns))
        fitting, convert = writer.named("k", self._fitting), writer.named("f", msgspec.convert)
        rows = f"{writer.named('f', starmap)}({writer.named('r', self._row)}, {convert}(({read},), {fitting}).rows)"
        writer.line(f"return list({rows})")
        return writer.function("values", *given.values())

    def _columns(self, writer: Writer) -> dict[str, str]:
        """The names of those that are given."""
        return {key: writer.name("c") for key in self._loaded}

    @cached_property
    def _fitting(self) -> type:
        """What msgspec makes of types it keeps with a struct."""
        types = tuple(type_ or Any for type_ in self._types)
        return msgspec.defstruct("Fitting", [("rows", list[tuple[types]])], array_like=True)  # type: ignore[valid-type]

    def _is_nested(self, field: Field) -> bool:
        return field.key not in self._complete and is_nested(field)

    def _type(self, field: Field) -> Any:
        """What msgspec knows the values of a field by; None of all but the leaves of GraphQL's own types."""
        if field.definition is None or field.key in self._complete:
            return None
        required = is_non_null_type(field.type)
        type_ = TYPES.get(str(field.type.of_type if is_non_null_type(field.type) else field.type))
        return type_ if required or type_ is None else type_ | None


def _value(writer: Writer, field: Field, columns: Mapping[str, str]) -> str:
    """What a field gives of a value `o`, out of its column where it has one."""
    column = columns.get(field.key)
    return writer.value(field, "o") if column is None else f"e_{column}"


def _each(expression: str, columns: Mapping[str, str]) -> str:
    """A list of what an expression makes of each of the values `o`, and of the entry of each column `e_` and its name."""
    if not columns:
        return f"[{expression} for o in values]"
    names = ", ".join(f"e_{column}" for column in columns.values())
    return f"[{expression} for o, {names} in zip(values, {', '.join(columns.values())}, strict=True)]"


class Nested:
    """Values of a field which are pure themselves, or lists of them: the rows of all at once."""

    def __init__(self, field: Field) -> None:
        assert isinstance(field.below, Selection)
        self._field = field
        self._lists = Lists(field.type, field.below.values)
        self._rows = Renderer(field.below)

    def filled(self, source: Writer, column: str | None) -> str:
        """Write how a column of them becomes one of rows, where there is none how they are read; it has a name then."""
        if column is None:
            column = source.put("v", f"[{source.value(self._field, 'o')} for o in values]")
        return self._lists.completed(
            source, column, lambda values: source.put("r", f"{source.named('f', self._rows.rows)}({values})")
        )


def is_nested(field: Field) -> bool:
    """Whether there are pure values below it, which are asked something: else nothing tells an exception from a value."""
    below = field.below
    return isinstance(below, Selection) and below.is_pure and any(each.definition for each in below.fields)
