"""How the fields of a level that are not written straight off its values get their own: a column each, a value a row.

What is loaded or called is written down in the run's journal first, whatever it is, so that nothing has to be asked for again
should graphql-core take over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, Protocol

from graphql import GraphQLResolveInfo
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, is_awaitable

from engine.compiled.expressions import Writer
from engine.compiled.reasons import Deviation, Reason, raised
from engine.compiled.selection import Field
from engine.compiled.source import Source
from engine.compiled.together import ended
from engine.declared.kinds import Arguments, Edge
from engine.fairness.turns import turn
from engine.fragments.store import Shelf
from engine.watching.probe import Probe

CALLS = 200
"""Resolvers called without a break: some 5 µs each, and what they do themselves."""

Column = Sequence[Any]
Paths = Sequence[Path | None] | None
"""Where in the answer each row stands: None at the root. No paths at all where nothing below asks for them."""


class Batches(Protocol):
    """What a context's `loaders` offers to whoever has the keys of a whole level."""

    def load_level(self, loader: str, keys: Collection[Any], arguments: Arguments = ()) -> Awaitable[Sequence[Any]]:
        """Values in the order of the keys, an exception in the place of one that failed; of None it is None."""
        ...


@dataclass(slots=True)
class Spread:
    """For each of some keys, of which some come twice, what there is of each once."""

    keys: Sequence[Any]
    once: Collection[Any]
    found: Sequence[Any]

    def __iter__(self) -> Iterator[Any]:
        return map(dict(zip(self.once, self.found, strict=True)).__getitem__, self.keys)


Entry = tuple[Sequence[Any], Field, Column | Spread, Sequence[Path] | str]
"""What came of a field on some values: the values, the field, and for each what it gave or the exception that was raised.

Of calls the paths of the field itself, a value each; of loads which root field of a mutation they were made for, empty of others.
"""


@dataclass(slots=True)
class Run:
    """One run of a plan."""

    context: Any
    variables: VariableValues
    info: Callable[[Field, Path], GraphQLResolveInfo[Any]]
    journal: list[Entry] = field(default_factory=list)
    probe: Probe | None = None
    shelf: Shelf | None = None
    """Where fragments are kept; None where the viewer is not the public."""
    within: str = ""
    """The root field of a mutation that is run at the moment: each loads anew."""

    def arguments(self, field: Field) -> dict[str, Any]:
        """Those that a field was given, coerced. Raises Deviation."""
        return arguments(self.variables, field)


def arguments(variables: VariableValues, field: Field) -> dict[str, Any]:
    """Coerced. Raises Deviation."""
    return {} if field.given is None else field.given.of(variables)


class Step(Protocol):
    """Fills the column of a field."""

    field: Field

    @property
    def column(self) -> "Fill": ...


Fill = Callable[[Sequence[Any], Paths, Run], Coroutine[Any, Any, Column]]
"""Takes values of a level and their paths, and gives one thing each: what a field shows, completed, or a row. Raises Deviation."""


class Below(Protocol):
    """What becomes of the values of a field."""

    asks_where: bool

    def completed(self, source: Source, column: str, own: str) -> str:
        """Write how a column is completed, in a coroutine that has `run`; the name of what it comes to.

        `own` names the paths of the column's values, and is there if it `asks_where`. What is written raises Deviation, for exceptions
        in the column too.
        """
        ...


class Read:
    """A field read off the value, with something below it that is not."""

    def __init__(self, field: Field, below: Below) -> None:
        self.field = field
        self._below = below

    @cached_property
    def column(self) -> Fill:
        source = Writer()
        column = _read_off(source, source.value(self.field, "o"))
        return _completed(source, self.field, self._below, column)


class Load:
    """An edge: all keys of the level in one call, each once; as often as they come where something below asks where in the answer it is."""

    def __init__(self, field: Field, kind: Edge, below: Below) -> None:
        self.field = field
        self._kind = kind
        self._below = below

    @cached_property
    def column(self) -> Fill:
        source = Source(Deviation=Deviation, EXCEPTION=Reason.EXCEPTION)
        keys = _read_off(source, f"o.{self._kind.key}")
        once = keys if self._below.asks_where else source.name("o")
        loader, arguments = source.named("k", self._kind.loader), "()"
        if self.field.given is not None:
            given = f"{source.named('g', self.field.given)}.of(run.variables)"
            arguments = source.put("a", f"{source.named('f', self._kind.arguments)}({given})")
        column = source.name("c")
        source.line("try:")
        if once is not keys:
            source.line(f"    {once} = dict.fromkeys({keys})")
        source.line(f"    {column} = await run.context.loaders.load_level({loader}, {once}, {arguments})")
        # a loader has these in the places of its values; what else raises is told by graphql-core
        source.line("except Exception as error:")
        source.line("    raise Deviation(EXCEPTION, type(error).__name__) from error")
        if once is keys:
            _noted(source, self.field, column)
            return _completed(source, self.field, self._below, column)
        is_whole, spread = f"len({once}) == len({keys})", source.named("f", Spread)
        _noted(source, self.field, f"{column} if {is_whole} else {spread}({keys}, {once}, {column})")
        rows = source.put("r", self._below.completed(source, column, ""))
        source.line(f"return {rows} if {is_whole} else list({spread}({keys}, {once}, {rows}))")
        return source.function("values", "paths", "run", waits=True)


class Call:
    """A resolver, called for each value, with where in the answer that is."""

    def __init__(self, field: Field, below: Below) -> None:
        self.field = field
        self._below = below

    @cached_property
    def column(self) -> Fill:
        field = self.field
        assert field.definition is not None
        source = Source()
        own, column, path = source.name("p"), source.name("c"), source.name("p")
        resolve, of = source.named("f", field.definition.resolve), source.named("k", field)
        arguments = source.put("a", f"{source.named('g', field.given)}.of(run.variables)") if field.given else "{}"
        source.line("if len(values) == 1:")
        source.line(f"    {path} = {_own_path(source, field, 'paths[0]')}")
        source.line(f"    {own} = [{path}]")
        source.line("    try:")
        source.line(f"        {column} = {resolve}(values[0], run.info({of}, {path}), **{arguments})")
        source.line(f"        if {source.named('f', is_awaitable)}({column}):")
        source.line(f"            {column} = await {column}")
        source.line("    except Exception as error:")  # as `_called` has it
        source.line(f"        {column} = error")
        source.line(f"    {column} = [{column}]")
        source.line("else:")
        source.line(f"    {own} = [{_own_path(source, field, 'path')} for path in paths]")
        source.line(f"    {column} = await {source.named('f', _called)}({of}, values, {own}, run, {arguments})")
        _noted(source, field, column, own)
        return _completed(source, field, self._below, column, own)


async def _called(
    field: Field, values: Sequence[Any], paths: Sequence[Path], run: Run, arguments: dict[str, Any]
) -> Column:
    """What the resolver gives, or raises: graphql-core would catch as much, and has to hear of it as it is."""
    assert field.definition is not None
    resolve = field.definition.resolve
    assert resolve is not None
    column: list[Any] = []
    try:
        for row, (value, path) in enumerate(zip(values, paths, strict=True)):
            if row % CALLS == 0 and len(values) > CALLS:
                await turn()
            try:
                column.append(resolve(value, run.info(field, path), **arguments))
            except Exception as error:  # noqa: BLE001  (see above)
                column.append(error)
        waited = [row for row, result in enumerate(column) if is_awaitable(result)]
        results = await asyncio.gather(*(ended(column[row]) for row in waited))
    except BaseException:  # given up
        for result in column:
            if iscoroutine(result) and getcoroutinestate(result) == CORO_CREATED:
                result.close()
        raise
    for row, result in zip(waited, results, strict=True):
        column[row] = result
    return column


def _read_off(source: Source, each: str) -> str:
    """Write how something is read off all values; `each` is how it is read off one, `o`."""
    column = source.name("c")
    source.line("try:")
    source.line(f"    {column} = [{each} for o in values]")
    source.line("except Exception as error:")
    source.line(f"    raise {source.named('f', raised)}(error) from error")
    return column


def _own_path(source: Source, field: Field, path: str) -> str:
    """Where a field stands, of a value at a path."""
    key, parent = source.named("k", field.key), source.named("k", field.parent.name)
    return f"{source.named('f', Path)}({path}, {key}, {parent})"


def _noted(source: Source, field: Field, column: str, paths: str = "run.within") -> None:
    """Write it down in the journal."""
    source.line(f"run.journal.append((values, {source.named('k', field)}, {column}, {paths}))")


def _completed(source: Source, field: Field, below: Below, column: str, own: str = "") -> Fill:
    if below.asks_where and not own:
        own = source.put("p", f"[{_own_path(source, field, 'path')} for path in paths]")
    source.line(f"return {below.completed(source, column, own)}")
    return source.function("values", "paths", "run", waits=True)


def sound(column: Column) -> Column:
    """A column without exceptions. Raises Deviation."""
    for class_ in set(map(type, column)):
        if issubclass(class_, BaseException):
            raise Deviation(Reason.EXCEPTION, class_.__name__)
    return column
