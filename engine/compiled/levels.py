"""Runs a selection on all the values of a level at once: columns are loaded side by side, then all rows are written.

A value that comes twice is written once, but where a resolver below may ask where in the answer it is.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from operator import attrgetter
from typing import Any

from graphql.pyutils import Path

from engine.compiled.choice import Choice
from engine.compiled.lists import Lists
from engine.compiled.reasons import Deviation, Reason
from engine.compiled.render import FEW, Renderer, check_shown, is_nested
from engine.compiled.selection import Field, Selection, Selections
from engine.compiled.steps import Below, Call, Column, Load, Paths, Read, Run, Step, deviating, raised, sound
from engine.compiled.together import Together
from engine.declared.access import Guard
from engine.declared.kinds import Attribute, Computed, Edge
from engine.fairness.turns import turn
from engine.fragments.declared import finds_of
from engine.fragments.lists import KeptList
from engine.fragments.sites import How
from engine.fragments.steps import KeptCall, KeptLoad, KeptRows

PIECE = 4_000
"""Fields written out without a break: where each is serialised by code of its type they take 4 ms."""


class Level:
    """A selection, compiled."""

    def __init__(self, selection: Selection) -> None:
        self._guards = selection.guards
        self._shown = selection.values
        self._piece = max(1, PIECE // selection.size)
        loaded = tuple(field for field in selection.fields if not field.is_inline)
        self.steps: tuple[Step, ...] = tuple(map(_step, loaded))
        self._together = Together()
        self._render = Renderer(selection, loaded)

    async def rows(self, values: Sequence[Any], paths: Paths, run: Run) -> list[Any]:
        """A row a value. Raises Deviation."""
        check_shown(values, self._shown)
        for guard in self._guards:
            _admit(guard, values, run)
        if not values:
            return []
        columns: Sequence[Column] = ()
        if len(self.steps) == 1:
            columns = [await _column(self.steps[0], values, paths, run)]
        elif self.steps:
            columns = await self._together.all([_column(step, values, paths, run) for step in self.steps])
        if len(values) <= self._piece:
            return self._written(values, columns)
        written: list[Any] = []
        for start in range(0, len(values), self._piece):
            await turn()
            piece = slice(start, start + self._piece)
            written += self._written(values[piece], [column[piece] for column in columns])
        return written

    async def rows_in_turn(self, values: Sequence[Any], paths: Paths, run: Run) -> list[Any]:
        """The same, a field after the other, as the fields of a mutation have to be; each may change who asks."""
        columns = []
        for step in self.steps:
            if step.field.guard is not None:
                _admit(step.field.guard, values, run)
            columns.append(await _column(step, values, paths, run))
        return self._written(values, columns)

    def _written(self, values: Sequence[Any], columns: Sequence[Column]) -> list[Any]:
        try:
            return self._render(values, *columns)
        except Deviation:
            raise
        except Exception as error:
            raise raised(error) from error


def _column(step: Step, values: Sequence[Any], paths: Paths, run: Run) -> Coroutine[Any, Any, Column]:
    column = step.column(values, paths, run)
    return column if run.probe is None else run.probe.around(step.field.key, "field", len(values), column)


def _admit(guard: Guard, values: Sequence[Any], run: Run) -> None:
    with deviating():
        for value in values:
            if not guard.admits(value, run.context.viewer):
                raise Deviation(Reason.DENIED)


class AsTheyAre:
    """Values that the renderer completes; it looks for exceptions among `nested` ones, if there are not few of them."""

    def __init__(self, *, nested: bool = False) -> None:
        self._nested = nested

    async def complete(self, column: Column, _paths: Paths, _run: Run) -> Column:
        return column if self._nested and len(column) >= FEW else sound(column)


class OfOneType:
    """Values of an object type, or lists of them: a level."""

    def __init__(self, field: Field, selection: Selection, level: Level | None = None) -> None:
        self._completion = Completion(field, selection.asks_where)
        level = level or Level(selection)
        is_held = field.site is not None and field.site.how is How.HOLDS
        self._rows: Rows = KeptRows(field.site, level).rows if field.site and is_held else level.rows

    def complete(self, column: Column, paths: Paths, run: Run) -> Awaitable[Column]:
        return self._completion.of(column, paths, self._rows, run)


class OfSeveralTypes:
    """Values of an interface or union, or lists of them: a level for each type, written out when a value is of it."""

    def __init__(self, field: Field, selections: Selections) -> None:
        self._completion = Completion(field, selections.asks_where)
        self._choice: Choice = selections.choice
        self._by_type: Mapping[str, Selection] = selections.by_type
        self._sites = selections.sites
        self._levels: dict[str, Level | KeptRows] = {}
        self._together = Together()

    def complete(self, column: Column, paths: Paths, run: Run) -> Awaitable[Column]:
        return self._completion.of(column, paths, self._rows, run)

    async def _rows(self, values: Sequence[Any], paths: Paths, run: Run) -> Sequence[Any]:
        places: dict[str, list[int]] = {}
        with deviating():
            for place, value in enumerate(values):
                places.setdefault(self._choice.type_of(value), []).append(place)
        parts = [
            self._level(name).rows([values[place] for place in where], paths and [paths[place] for place in where], run)
            for name, where in places.items()
        ]
        rows: list[Any] = [None] * len(values)
        for where, part in zip(places.values(), await self._together.all(parts), strict=True):
            for place, row in zip(where, part, strict=True):
                rows[place] = row
        return rows

    def _level(self, name: str) -> Level | KeptRows:
        level = self._levels.get(name)
        if level is None:
            own, site = Level(self._by_type[name]), self._sites.get(name)
            level = self._levels[name] = own if site is None else KeptRows(site, own)
        return level


Rows = Callable[[Sequence[Any], Paths, Run], Awaitable[Sequence[Any]]]


class Completion:
    """Replaces the values of a field by their rows."""

    def __init__(self, field: Field, asks_where: bool) -> None:
        self._field = field
        self._lists = Lists(field.type)
        self._asks_where = asks_where

    async def of(self, column: Column, paths: Paths, rows: Rows, run: Run) -> Column:
        flat = self._lists.flat(column)
        if self._asks_where and paths is not None:
            own = [Path(path, self._field.key, self._field.parent.name) for path in paths]
            return self._lists.put_back(column, await rows(flat, self._lists.places(column, own), run))
        if len(flat) < 2 or len(flat) == len(set(map(id, flat))):
            return self._lists.put_back(column, await rows(flat, None, run))
        once = {id(value): value for value in flat}
        by_value = dict(zip(once, await rows(list(once.values()), None, run), strict=True))
        return self._lists.put_back(column, [by_value[id(value)] for value in flat])


def _below(field: Field) -> Below:
    if isinstance(field.below, Selections):
        return OfSeveralTypes(field, field.below)
    if field.below is None or (field.below.is_pure and field.site is None):
        return AsTheyAre(nested=is_nested(field))
    return OfOneType(field, field.below)


def _step(field: Field) -> Step:
    site = field.site
    if site is not None and site.how in (How.LEADS, How.FINDS):
        assert isinstance(field.below, Selection)
        assert field.definition is not None
        level, finds = Level(field.below), finds_of(field.definition)
        if finds is not None:
            return KeptCall(field, site, level, finds, Call(field, AsTheyAre()))
        assert isinstance(field.kind, Edge)
        return KeptLoad(field, site, level, Load(field, field.kind, OfOneType(field, field.below, level)))
    below = _below(field)
    if site is not None and site.how is How.LISTS:
        return KeptList(field, site, Call(field, below))
    if isinstance(field.kind, Attribute):
        return Read(field, attrgetter(field.kind.name), below)
    if isinstance(field.kind, Computed):
        return Read(field, field.kind, below)
    if isinstance(field.kind, Edge):
        return Load(field, field.kind, below)
    return Call(field, below)
