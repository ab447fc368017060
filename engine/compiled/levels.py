"""How a selection runs on all the values of a level at once: columns are filled side by side, then all rows are written.

A level is a coroutine function of its own, as each of its columns is, written in Python when it first runs. A value that comes twice is
written once, but within the list of a single value, and where a resolver below may ask where in the answer it is.
"""

from collections.abc import Coroutine, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from engine.compiled.choice import Choice
from engine.compiled.lists import Lists, check_shown
from engine.compiled.reasons import Deviation, Reason, deviating
from engine.compiled.render import FEW, Render, Renderer, is_nested
from engine.compiled.selection import Field, Selection, Selections
from engine.compiled.source import Source
from engine.compiled.steps import Below, Call, Column, Fill, Load, Paths, Read, Run, Step, sound
from engine.compiled.together import Together
from engine.declared.access import Guard
from engine.declared.kinds import Attribute, Computed, Edge
from engine.fairness.turns import turn
from engine.fragments.declared import finds_of
from engine.fragments.entities import Rows
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
        renderer = Renderer(selection, loaded)
        self._render, self._joined = renderer.rows, renderer.joined

    @cached_property
    def rows(self) -> Fill:
        source = Source()
        if self._shown:
            check = source.named("f", partial(check_shown, shown=self._shown, known=(known := set[type]())))
            source.line(f"if not (classes := set(map(type, values))) <= {source.named('k', known)}:")
            source.line(f"    {check}(values, classes)")
        for guard in self._guards:
            source.line(f"{source.named('f', _admit)}({source.named('g', guard)}, values, run)")
        source.line("if not values:")
        source.line("    return []")
        columns = self._filled(source)
        if self._joined is not None:
            source.line(f"return list(map({source.named('r', self._joined)}, {', '.join(columns)}))")
            return source.function("values", "paths", "run", waits=True)
        render, given = source.named("f", self._render), ", ".join(["values", *columns])
        source.line(f"if len(values) > {self._piece}:")
        source.line(f"    return await {source.named('f', _in_pieces)}({render}, {self._piece}, {given})")
        source.line(f"return {render}({given})")
        return source.function("values", "paths", "run", waits=True)

    def _filled(self, source: Source) -> Sequence[str]:
        """Write how the columns are filled, side by side; their names."""
        if not self.steps:
            return ()
        columns = [source.name("c") for _ in self.steps]
        fills = [f"{source.named('f', step.column)}(values, paths, run)" for step in self.steps]
        side_by_side, steps = source.named("f", Together().all), source.named("k", self.steps)
        source.line("if run.probe is None:")
        work = fills[0] if len(fills) == 1 else f"{side_by_side}([{', '.join(fills)}])"
        source.line(f"    {', '.join(columns)} = await {work}")
        source.line("else:")
        watched = f"[{source.named('f', _column)}(step, values, paths, run) for step in {steps}]"
        source.line(f"    {', '.join(columns)}, = await {side_by_side}({watched})")
        return columns

    async def rows_in_turn(self, values: Sequence[Any], paths: Paths, run: Run) -> list[Any]:
        """The same, a field after the other, as the fields of a mutation have to be; each may change who asks."""
        columns = []
        for step in self.steps:
            run.within = step.field.key
            if step.field.guard is not None:
                _admit(step.field.guard, values, run)
            columns.append(await _column(step, values, paths, run))
        return self._render(values, *columns)


def _column(step: Step, values: Sequence[Any], paths: Paths, run: Run) -> Coroutine[Any, Any, Column]:
    column = step.column(values, paths, run)
    return column if run.probe is None else run.probe.around(step.field.key, "field", len(values), column)


async def _in_pieces(render: Render, size: int, values: Sequence[Any], *columns: Column) -> list[Any]:
    """Rows, with others served between two pieces."""
    written: list[Any] = []
    for start in range(0, len(values), size):
        await turn()
        piece = slice(start, start + size)
        written += render(values[piece], *(column[piece] for column in columns))
    return written


def _admit(guard: Guard, values: Sequence[Any], run: Run) -> None:
    with deviating():
        for value in values:
            if not guard.admits(value, run.context.viewer):
                raise Deviation(Reason.DENIED)


class AsTheyAre:
    """Values that the renderer completes; it looks for exceptions among `nested` ones, if there are not few of them."""

    asks_where = False

    def __init__(self, *, nested: bool = False) -> None:
        self._nested = nested

    def completed(self, source: Source, column: str, _own: str) -> str:
        looked_at = f"{source.named('f', sound)}({column})"
        return f"{column} if len({column}) >= {FEW} else {looked_at}" if self._nested else looked_at


class OfOneType:
    """Values of an object type, or lists of them: a level."""

    def __init__(self, field: Field, selection: Selection, level: Level | None = None) -> None:
        self.asks_where = selection.asks_where
        self._lists = Lists(field.type)
        level = level or Level(selection)
        is_held = field.site is not None and field.site.how is How.HOLDS
        self._level: Rows = KeptRows(field.site, level) if field.site and is_held else level

    def completed(self, source: Source, column: str, own: str) -> str:
        return _in_rows(source, self._lists, self._level.rows, column, own if self.asks_where else None)


class OfSeveralTypes:
    """Values of an interface or union, or lists of them: a level for each type, written out when a value is of it."""

    def __init__(self, field: Field, selections: Selections) -> None:
        self.asks_where = selections.asks_where
        self._lists = Lists(field.type)
        self._choice: Choice = selections.choice
        self._by_type: Mapping[str, Selection] = selections.by_type
        self._sites = selections.sites
        self._levels: dict[str, Level | KeptRows] = {}
        self._together = Together()

    def completed(self, source: Source, column: str, own: str) -> str:
        return _in_rows(source, self._lists, self._rows, column, own if self.asks_where else None)

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


def _in_rows(source: Source, lists: Lists, rows: Fill, column: str, own: str | None) -> str:
    """Write how the values in a column are replaced by their rows. `own`: their paths, where something below asks for those."""
    made = source.named("f", rows)

    def of(values: str) -> str:
        if own is not None:
            places = f"{own} if {values} is {column} else {source.named('f', lists.places)}({column}, {own})"
            return source.put("r", f"await {made}({values}, {places}, run)")
        row = source.name("r")
        source.line(f"if len({column}) == 1 or len({values}) == len(set(map(id, {values}))):")
        source.line(f"    {row} = await {made}({values}, None, run)")
        source.line("else:")
        source.line(f"    {row} = await {source.named('f', _once)}({made}, {values}, run)")
        return row

    return lists.completed(source, column, of)


async def _once(rows: Fill, values: Sequence[Any], run: Run) -> list[Any]:
    """Rows of values of which some come twice."""
    ids = list(map(id, values))
    once = dict(zip(ids, values, strict=True))
    by_id = dict(zip(once, await rows(list(once.values()), None, run), strict=True))
    return list(map(by_id.__getitem__, ids))


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
    if isinstance(field.kind, Attribute | Computed):
        return Read(field, below)
    if isinstance(field.kind, Edge):
        return Load(field, field.kind, below)
    return Call(field, below)
