"""How the values of a selection become rows of an answer, without waiting for anything.

Of many values it is done by column: everything is read off them, what lies below is made rows of, and msgspec compares the leaves of
all with their types at once. Where one does not fit, and for few values, each value is looked at by itself.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import starmap
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from graphql import is_non_null_type
from msgspec import Meta

from engine.compiled.expressions import MAX_FLOAT, MAX_INT, MIN_INT, Render, Writer, wrong
from engine.compiled.lists import Lists
from engine.compiled.selection import Field, Selection
from engine.declared.kinds import Attribute, Computed
from engine.rows import row_class

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


class Renderer:
    """Makes rows of values of a selection. Fields in `loaded` are given as columns, complete where not all below them is pure."""

    def __init__(self, selection: Selection, loaded: Sequence[Field] = ()) -> None:
        self._fields = selection.fields
        self._loaded = {field.key: number for number, field in enumerate(loaded)}
        self._complete = {
            field.key for field in loaded if field.site or not (field.below is None or field.below.is_pure)
        }
        inside = [field for field in self._fields if field.key not in self._complete and is_nested(field)]
        self._nested = [Nested(field, self._loaded.get(field.key)) for field in inside]
        self._columns = self._loaded | {
            field.key: number
            for number, field in enumerate((each for each in inside if each.key not in self._loaded), len(loaded))
        }
        self._types = [self._type(field) for field in self._fields]
        self._by_columns = bool(self._nested) or any(self._types)
        self._row = row_class([field.key for field in self._fields])
        self._left = 0
        """Times that it is not tried by column."""

    def __call__(self, values: Sequence[Any], *columns: Sequence[Any]) -> list[Any]:
        """Takes a column for each loaded field. Raises Deviation, and whatever an attribute raises."""
        if len(values) < FEW or self._left or not self._by_columns:
            self._left = max(0, self._left - 1)
            return self._by_value(values, *columns)
        filled = list(columns)
        for each in self._nested:
            each.fill(values, filled)
        read = self._by_column(values, *filled)
        try:
            fitting: Any = msgspec.convert((read,), self._fitting)
        except msgspec.ValidationError:
            self._left = AGAIN
            return self._by_value(values, *columns)
        return list(starmap(self._row, fitting.rows))

    @cached_property
    def _by_value(self) -> Render:
        writer = Writer()
        values = []
        for field in self._fields:
            column = self._loaded.get(field.key)
            value = writer.value(field, "o") if column is None else f"e{column}"
            values.append(value if field.key in self._complete else writer.tested(field, value))
        return writer.function(len(self._loaded), f"{writer.named('r', self._row)}({', '.join(values)})")

    @cached_property
    def _by_column(self) -> Render:
        """Gives tuples, of leaves that may not fit."""
        writer = Writer()
        values = []
        for field, type_ in zip(self._fields, self._types, strict=True):
            column = self._columns.get(field.key)
            value = writer.value(field, "o") if column is None else f"e{column}"
            is_whole = type_ or field.key in self._complete or is_nested(field)
            values.append(value if is_whole else writer.tested(field, value))
        return writer.function(len(self._columns), f"({', '.join(values)},)")

    @cached_property
    def _fitting(self) -> type:
        """What msgspec makes of types it keeps with a struct."""
        types = tuple(type_ or Any for type_ in self._types)
        return msgspec.defstruct("Fitting", [("rows", list[tuple[types]])], array_like=True)  # type: ignore[valid-type]

    def _type(self, field: Field) -> Any:
        """What msgspec knows the values of a field by; None of all but the leaves of GraphQL's own types."""
        if field.definition is None or field.key in self._complete:
            return None
        required = is_non_null_type(field.type)
        type_ = TYPES.get(str(field.type.of_type if is_non_null_type(field.type) else field.type))
        return type_ if required or type_ is None else type_ | None


class Nested:
    """Values of a field which are pure themselves, or lists of them: the rows of all at once."""

    def __init__(self, field: Field, column: int | None) -> None:
        assert isinstance(field.below, Selection)
        self._column = column
        if isinstance(field.kind, Attribute):
            self._read: Callable[[Any], Any] = attrgetter(field.kind.name)
        elif isinstance(field.kind, Computed):
            self._read = field.kind
        self._lists = Lists(field.type)
        self._shown = field.below.values
        self._rows = Renderer(field.below)

    def fill(self, values: Sequence[Any], columns: list[Sequence[Any]]) -> None:
        """Put the rows where the values were loaded; a column more where they are read."""
        column = list(map(self._read, values)) if self._column is None else columns[self._column]
        flat = self._lists.flat(column)
        check_shown(flat, self._shown)
        rows = self._lists.put_back(column, self._rows(flat))
        if self._column is None:
            columns.append(rows)
        else:
            columns[self._column] = rows


def is_nested(field: Field) -> bool:
    """Whether there are pure values below it, which are asked something: else nothing tells an exception from a value."""
    below = field.below
    return isinstance(below, Selection) and below.is_pure and any(each.definition for each in below.fields)


def check_shown(values: Sequence[Any], shown: tuple[type, ...] | None) -> None:
    """Raises Deviation for values of other classes than a type shows."""
    if shown and not all(issubclass(class_, shown) for class_ in set(map(type, values))):
        for value in values:  # its class may be another than its type
            if not isinstance(value, shown):
                wrong(value)
