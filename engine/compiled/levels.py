"""Runs a selection on all the values of a level at once: columns are loaded side by side, then all rows are written.

A value comes as often as it was asked for, in order. What one level loads is written down in the run's journal, so that
nothing has to be loaded again should graphql-core take over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLOutputType, GraphQLResolveInfo, get_nullable_type, is_list_type, is_non_null_type

from engine.compiled.render import Deviation, Render, renderer, wrong
from engine.compiled.selection import Field, Selection, Unsupported
from engine.kinds import Arguments, Attribute, Computed, Edge
from engine.probe import Probe

Column = Sequence[Any]
Way = tuple[tuple[str, str], ...]
"""From the root of the answer: the key of each field, and the type that it is a field of."""
Place = Way | None
"""The way to a level; None below a list, where there are many."""
Entry = tuple[Sequence[Any], Field, Column]
"""Parents, the field that was resolved on them, and what came of each: a value, or the exception that was raised."""


class Batches(Protocol):
    """What a context's `loaders` offers to whoever has the keys of a whole level."""

    async def load_level(self, loader: str, keys: Sequence[Any], arguments: Arguments = ()) -> Sequence[Any]:
        """Values in the order of the keys, an exception in the place of one that failed."""
        ...


@dataclass(slots=True)
class Run:
    """One run of a plan. `arguments` are the coerced arguments of each field that has any."""

    context: Any
    arguments: Callable[[Field], dict[str, Any]]
    info: Callable[[Field, Way], GraphQLResolveInfo[Any]]
    journal: list[Entry] = field(default_factory=list)
    probe: Probe | None = None


class Step(Protocol):
    """Fills the column of a field."""

    field: Field

    async def column(self, values: Sequence[Any], run: Run) -> Column: ...


@contextmanager
def deviating() -> Iterator[None]:
    """Around what asks values: whatever their attributes raise is for graphql-core to tell, at the field that asked."""
    try:
        yield
    except Deviation:
        raise
    except Exception as error:
        raise Deviation("an attribute raised") from error


class Level:
    """A selection, compiled."""

    def __init__(self, selection: Selection, place: Place) -> None:
        self._guards = selection.guards
        self._shown = selection.values
        loaded = tuple(field for field in selection.fields if not field.is_inline)
        self._steps: tuple[Step, ...] = tuple(_step(field, place) for field in loaded)
        self._render: Render = renderer(selection, loaded)

    async def rows(self, values: Sequence[Any], run: Run) -> list[Any]:
        """A dict a value. Raises Deviation."""
        if self._shown:
            for value in values:
                if not isinstance(value, self._shown):
                    wrong(value)
        self._admit(values, run)
        if not values:
            return []
        return self._written(values, await self._columns(values, run))

    async def rows_in_turn(self, values: Sequence[Any], run: Run) -> list[Any]:
        """The same, a field after the other, as the fields of a mutation have to be."""
        self._admit(values, run)
        columns = []
        for step in self._steps:
            columns.append(await _column(step, values, run))
        return self._written(values, columns)

    def _written(self, values: Sequence[Any], columns: Sequence[Column]) -> list[Any]:
        with deviating():
            return self._render(values, *columns)

    def _admit(self, values: Sequence[Any], run: Run) -> None:
        with deviating():
            for guard in self._guards:
                for value in values:
                    if not guard.admits(value, run.context.viewer):
                        raise Deviation("a field that is not for this viewer")

    async def _columns(self, values: Sequence[Any], run: Run) -> Sequence[Column]:
        if not self._steps:
            return ()
        if len(self._steps) == 1:
            return [await _column(self._steps[0], values, run)]
        # All of them come to an end, so that what they loaded is in the journal when one of them deviates.
        ended = await asyncio.gather(*(_column(step, values, run) for step in self._steps), return_exceptions=True)
        columns = []
        for column in ended:
            if isinstance(column, BaseException):
                raise column
            columns.append(column)
        return columns


def _column(step: Step, values: Sequence[Any], run: Run) -> Awaitable[Column]:
    column = step.column(values, run)
    return column if run.probe is None else run.probe.around(step.field.key, "field", len(values), column)


class Read:
    """A field read off the value, with something below it that is not."""

    def __init__(self, field: Field, kind: Attribute, place: Place) -> None:
        self.field = field
        self._name = kind.name
        self._below = Below(field, place)

    async def column(self, values: Sequence[Any], run: Run) -> Column:
        with deviating():
            column = [getattr(value, self._name) for value in values]
        return await self._below.complete(column, run)


class Load:
    """An edge: all keys of the level in one call."""

    def __init__(self, field: Field, kind: Edge, place: Place) -> None:
        self.field = field
        self._kind = kind
        self._below = Below(field, place)
        self._has_arguments = bool(field.definition and field.definition.args)

    async def column(self, values: Sequence[Any], run: Run) -> Column:
        with deviating():
            keys = [getattr(value, self._kind.key) for value in values]
        arguments: Arguments = ()
        if self._has_arguments:
            arguments = self._kind.arguments(run.arguments(self.field))
        wanted = [key for key in keys if key is not None]
        found = iter(await run.context.loaders.load_level(self._kind.loader, wanted, arguments)) if wanted else iter(())
        return await _noted([None if key is None else next(found) for key in keys], values, self, run)

    async def complete(self, column: Column, run: Run) -> Column:
        return await self._below.complete(column, run)


class Call:
    """A resolver. It may ask where in the answer it is, so there is one place for it, and one value."""

    def __init__(self, field: Field, place: Way) -> None:
        self.field = field
        self._way = (*place, (field.key, field.parent.name))
        self._below = Below(field, place)

    async def column(self, values: Sequence[Any], run: Run) -> Column:
        [value] = values
        return await _noted([await self._call(value, run)], values, self, run)

    async def _call(self, value: Any, run: Run) -> Any:
        """What the resolver gives, or raises: graphql-core would catch as much, and has to hear of it as it is."""
        assert self.field.definition is not None
        assert self.field.definition.resolve is not None
        try:
            result = self.field.definition.resolve(value, run.info(self.field, self._way), **run.arguments(self.field))
            return await result if hasattr(result, "__await__") else result
        except Exception as error:  # noqa: BLE001  (see above)
            return error

    async def complete(self, column: Column, run: Run) -> Column:
        return await self._below.complete(column, run)


class Below:
    """Completes the values of a field whose own fields are a level; other values are left to the renderer."""

    def __init__(self, field: Field, place: Place) -> None:
        self._type = field.type
        self._level: Level | None = None
        if field.below is not None and not field.below.is_pure:
            one = place is not None and not is_list_type(get_nullable_type(field.type))
            self._level = Level(field.below, (*(place or ()), (field.key, field.parent.name)) if one else None)

    async def complete(self, column: Column, run: Run) -> Column:
        if self._level is None:
            return column
        flat: list[Any] = []
        _flatten(self._type, column, flat)
        rows = dict(zip(map(id, flat), flat, strict=True))  # a value that comes twice is written once
        written = await self._level.rows(list(rows.values()), run)
        by_value = dict(zip(rows, written, strict=True))
        return _put_back(column, by_value)


def _flatten(type_: GraphQLOutputType, column: Column, flat: list[Any]) -> None:
    """Collect what is not null, of lists too. Raises Deviation for nulls and lists where there may be none."""
    required = is_non_null_type(type_)
    if is_non_null_type(type_):
        type_ = type_.of_type
    for value in column:
        if value is None:
            if required:
                raise Deviation("null where there must be a value")
        elif isinstance(value, BaseException):
            raise Deviation("an exception for a value")
        elif not is_list_type(type_):
            flat.append(value)
        elif type(value) in (list, tuple):
            _flatten(type_.of_type, value, flat)
        else:
            raise Deviation("no list")


def _put_back(column: Column, by_value: dict[int, Any]) -> list[Any]:
    return [
        None if value is None else _put_back(value, by_value) if type(value) in (list, tuple) else by_value[id(value)]
        for value in column
    ]


async def _noted(column: Column, values: Sequence[Any], step: "Load | Call", run: Run) -> Column:
    """Into the journal first, whatever it is; then what is below."""
    run.journal.append((values, step.field, column))
    if any(isinstance(value, BaseException) for value in column):
        raise Deviation("an exception for a value")
    return await step.complete(column, run)


def _step(field: Field, place: Place) -> Step:
    if isinstance(field.kind, Attribute):
        return Read(field, field.kind, place)
    if isinstance(field.kind, Edge):
        return Load(field, field.kind, place)
    if isinstance(field.kind, Computed):
        raise Unsupported(f"{field.name} is computed and leads further")
    if place is None:
        raise Unsupported(f"{field.name} is a resolver below a list")
    return Call(field, place)
