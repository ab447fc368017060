"""Which columns the attributes of a value come from: all of them are read, or those that somebody is going to look at.

A class says once, with `Columns`, where its attributes come from. `reading` gives the columns for a statement, and the function,
written out as Python source, that makes values of its rows: one pass, no call a value, and no attribute that was not asked for.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, Table, select

from adapters.postgres.reading import Prepared
from domain.shared.needs import Needs

T = TypeVar("T")
Make = Callable[[Sequence[Any]], list[T]]

MAX_READINGS = 128
"""Of one class: clients choose what they look at."""


@dataclass(frozen=True, slots=True)
class From:
    """An attribute that is made of columns, in the order in which `make` takes their values.

    `if_any`: it is None where the first of them is.
    """

    make: Callable[..., Any]
    columns: tuple[ColumnElement[Any], ...]
    if_any: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reading(Generic[T]):
    """The columns to select, and what makes values of rows that have these columns."""

    columns: tuple[ColumnElement[Any], ...]
    make: Make[T]


@dataclass(frozen=True, slots=True, eq=False)
class Read(Generic[T]):
    """A statement, and what makes values of its rows."""

    statement: Prepared
    make: Make[T]


class Columns(Generic[T]):
    """Where the fields of a frozen dataclass with slots come from: the column of that name in `table`, or what `others` says.

    `always` are the fields by which what was read is told apart, whoever looks at what.
    """

    def __init__(
        self, kind: type[T], table: Table, *, always: Iterable[str], **others: ColumnElement[Any] | From
    ) -> None:
        self._kind = kind
        self._fields = tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        self._always = frozenset(always)
        self._sources = {name: _source(others[name] if name in others else table.c[name]) for name in self._fields}
        as_itself = {"__slots__": (), "__eq__": object.__eq__, "__hash__": object.__hash__, "__repr__": object.__repr__}
        self._open: type = type(kind.__name__, (), {"__slots__": self._fields})
        tried: Any = object.__new__(self._open)
        tried.__class__ = kind  # raises TypeError where a value of the one could not become one of the other
        self._narrow: type = type(f"Narrow{kind.__name__}", (kind,), as_itself)

    def reading(
        self, needs: Needs = None, also: Iterable[ColumnElement[Any]] = (), of: Iterable[ColumnElement[Any]] = ()
    ) -> Reading[T]:
        """For rows that have these columns, too, each once: what no attribute is made of is left. Those `of` come first."""
        behind = None if needs is None else fields_behind(self._kind, needs)
        names = [name for name in self._fields if behind is None or name in behind or name in self._always]
        sources = {name: self._sources[name] for name in names}
        own = (column for source in sources.values() for column in source.columns)
        columns = tuple(dict.fromkeys((*of, *own, *also)))
        shown = self._kind if len(names) == len(self._fields) else self._narrow
        return Reading(columns, _maker(self._open, shown, sources, columns))


class Reads(Generic[T]):
    """A statement for whatever is looked at, each written when it is first asked for."""

    def __init__(self, columns: Columns[T], statement: Callable[[Select[Any]], Select[Any]]) -> None:
        def made(needs: Needs) -> Read[T]:
            reading = columns.reading(needs)
            return Read(Prepared(statement(select(*reading.columns)), by_place=True), reading.make)

        self.of: Callable[[Needs], Read[T]] = lru_cache(MAX_READINGS)(made)


def fields_behind(kind: type, names: Iterable[str]) -> frozenset[str] | None:
    """The fields of a dataclass that attributes of it come to: fields themselves, and those that the code of properties names.

    None where one of them is neither.
    """
    fields = {field.name for field in dataclasses.fields(kind)}
    found: set[str] = set()
    looked: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        looked.add(name)
        if name in fields:
            found.add(name)
            continue
        there = getattr(kind, name, None)
        if not isinstance(there, property) or there.fget is None:
            return None
        named = {
            each
            for each in _names(there.fget.__code__)
            if each in fields or isinstance(getattr(kind, each, None), property)
        }
        waiting += named - looked
    return frozenset(found)


def _names(code: CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _source(given: ColumnElement[Any] | From) -> From:
    return given if isinstance(given, From) else From(_as_it_is, (given,))


def _as_it_is(value: Any) -> Any:
    return value


def _maker(open_: type, shown: type, sources: Mapping[str, From], columns: Sequence[ColumnElement[Any]]) -> Make[Any]:
    """Source with nothing in it but names of ours: a value is filled as an `open_`, of the same slots, and then becomes frozen.

    `open_` is no class below the frozen one: where any class says how attributes are set, that takes eight times as long.
    """
    place = {column: f"c{number}" for number, column in enumerate(columns)}
    names: dict[str, Any] = {"new": object.__new__, "Open": open_, "Shown": shown}
    lines = []
    for number, (name, source) in enumerate(sources.items()):
        given = ", ".join(place[column] for column in source.columns)
        if source.make is not _as_it_is:
            names[f"f{number}"] = source.make
            made = f"f{number}({given})"
            given = f"{made} if {place[source.columns[0]]} is not None else None" if source.if_any else made
        lines.append(f"        value.{name} = {given}\n")
    row = ", ".join(place.values())
    code = (
        "def make(rows):\n    made = []\n    keep = made.append\n"
        f"    for {row}, in rows:\n        value = new(Open)\n"
        f"{''.join(lines)}        value.__class__ = Shown\n        keep(value)\n    return made\n"
    )
    exec(compile(code, "<columns>", "exec"), names)
    make: Make[Any] = names["make"]
    return make
