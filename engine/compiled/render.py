"""How the values of a selection become rows of an answer, without waiting for anything.

Of many values it is done by column: everything is read off them, what lies below is made rows of, and msgspec compares the leaves of
all with their types at once. There are three ways, and each is left for the next, for a while, once a value did not fit:

1. whole: values below of which plain attributes alone are shown are read by msgspec too (engine/compiled/fitting.py);
2. by column: rows of all values below are made first, in one of these ways;
3. by value: each is looked at by itself. So are few values.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from itertools import starmap
from typing import Any

import msgspec

from engine.compiled.expressions import Writer
from engine.compiled.fitting import Inner, ReadWhole, leaf
from engine.compiled.lists import Lists
from engine.compiled.reasons import Deviation, raised
from engine.compiled.selection import Field, Selection
from engine.rows import Row, row_class

FEW = 4
"""Values that are sooner looked at one by one."""
AGAIN = 100
"""Times that a way is not tried, once a value did not fit."""
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
        nested = [field for field in self._fields if field.key not in self._complete and is_nested(field)]
        by_column: dict[str, Inner] = {field.key: Nested(field) for field in nested}
        whole: dict[str, Inner] = {field.key: each for field in nested if (each := ReadWhole.of(field))}
        self._row = row_class([field.key for field in self._fields])
        self._at_once = [AtOnce(partial(self._written, by_column | whole))] if whole else []
        if by_column or any(map(self._leaf, self._fields)):
            self._at_once.append(AtOnce(partial(self._written, by_column)))

    @property
    def joined(self) -> type[Row] | None:
        """The class of rows that are nothing but the columns that are given, one beside the other; None of others."""
        return self._row if self._complete and len(self._complete) == len(self._fields) else None

    def rows(self, values: Sequence[Any], *columns: Sequence[Any]) -> list[Any]:
        """Takes a column for each loaded field. Raises Deviation."""
        try:
            if len(values) >= FEW:
                for way in self._at_once:
                    rows = way.rows(values, *columns)
                    if rows is not None:
                        return rows
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

    def _written(self, nested: Mapping[str, Inner]) -> Render:
        """Of all values at once. What is written raises msgspec.ValidationError for a leaf that does not fit."""
        writer, values, types = Writer(), [], []
        given = self._columns(writer)
        written = {key: each.filled(writer, given.get(key)) for key, each in nested.items()}
        for field in self._fields:
            if field.key not in written | given and (column := writer.column(field)):
                written[field.key] = column
        columns = given | written
        for field in self._fields:
            value, type_ = _value(writer, field, columns), self._leaf(field)
            is_whole = type_ or field.key in self._complete or field.key in written
            values.append(value if is_whole else writer.tested(field, value))
            types.append(nested[field.key].type if field.key in nested else type_ or Any)
        read = writer.put("v", _each(f"({', '.join(values)},)", columns))
        for key, each in nested.items():
            each.looked_at(writer, written[key])  # last: what is read before may run code that changes it
        # what msgspec makes of types it keeps with a struct
        fitting = msgspec.defstruct("Fitting", [("rows", list[tuple[tuple(types)]])], array_like=True)  # type: ignore[misc]
        convert, known = writer.named("f", msgspec.convert), writer.named("k", fitting)
        found = writer.put("v", f"{convert}(({read},), {known}, from_attributes=True).rows")
        writer.line(f"return list({writer.named('f', starmap)}({writer.named('r', self._row)}, {found}))")
        return writer.function("values", *given.values())

    def _columns(self, writer: Writer) -> dict[str, str]:
        """The names of those that are given."""
        return {key: writer.name("c") for key in self._loaded}

    def _leaf(self, field: Field) -> Any:
        """What msgspec knows the values of a field by; None of those it is shown as they are."""
        return None if field.key in self._complete else leaf(field)


class AtOnce:
    """A way to make the rows of all values at once; it is not tried for a while once a value did not fit."""

    def __init__(self, write: Callable[[], Render]) -> None:
        self._write = write
        self._left = 0
        """Times that it is not tried."""

    @cached_property
    def _render(self) -> Render:
        return self._write()

    def rows(self, values: Sequence[Any], *columns: Sequence[Any]) -> list[Any] | None:
        """None where a value does not fit, or did not lately. Raises Deviation."""
        if self._left:
            self._left -= 1
            return None
        try:
            return self._render(values, *columns)
        except msgspec.ValidationError:
            self._left = AGAIN
            return None


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
        self.type: Any = Any
        """They are rows when msgspec sees them."""

    def filled(self, source: Writer, column: str | None) -> str:
        """Write how a column of them becomes one of rows, where there is none how they are read; it has a name then."""
        if column is None:
            column = source.put("v", f"[{source.value(self._field, 'o')} for o in values]")
        return self._lists.completed(
            source, column, lambda values: source.put("r", f"{source.named('f', self._rows.rows)}({values})")
        )

    def looked_at(self, writer: Writer, column: str) -> None:
        """They were looked at as they became rows."""


def is_nested(field: Field) -> bool:
    """Whether there are pure values below it, which are asked something: else nothing tells an exception from a value."""
    below = field.below
    return isinstance(below, Selection) and below.is_pure and any(each.definition for each in below.fields)
