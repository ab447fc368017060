"""How the fields of a level that are not written straight off its values get their own: a column each, a value a row.

What is loaded or called is written down in the run's journal first, whatever it is, so that nothing has to be asked for again
should graphql-core take over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol

from graphql import GraphQLResolveInfo
from graphql.pyutils import Path, is_awaitable

from engine.compiled.reasons import Deviation, Reason
from engine.compiled.selection import Field
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

    def load_level(self, loader: str, keys: Sequence[Any], arguments: Arguments = ()) -> Awaitable[Sequence[Any]]:
        """Values in the order of the keys, an exception in the place of one that failed."""
        ...


@dataclass(slots=True)
class Entry:
    """What came of a field on some values: a value each, or the exception that was raised. `paths`: of calls, of the field itself."""

    values: Sequence[Any]
    field: Field
    column: Column
    paths: Sequence[Path] | None = None


@dataclass(slots=True)
class Run:
    """One run of a plan. `arguments` are the coerced arguments of each field that has any."""

    context: Any
    arguments: Callable[[Field], dict[str, Any]]
    info: Callable[[Field, Path], GraphQLResolveInfo[Any]]
    journal: list[Entry] = field(default_factory=list)
    probe: Probe | None = None
    shelf: Shelf | None = None
    """Where fragments are kept; None where the viewer is not the public."""


class Step(Protocol):
    """Fills the column of a field."""

    field: Field

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Column: ...


class Below(Protocol):
    """Completes the values of a field."""

    def complete(self, column: Column, paths: Paths, run: Run) -> Awaitable[Column]:
        """Raises Deviation, for exceptions in the column too. `paths` are those of the rows that the field is of."""
        ...


@contextmanager
def deviating() -> Iterator[None]:
    """Around what asks values: whatever their attributes raise is for graphql-core to tell, at the field that asked."""
    try:
        yield
    except Deviation:
        raise
    except Exception as error:
        raise raised(error) from error


def raised(error: Exception) -> Deviation:
    """What an attribute raised."""
    return Deviation(Reason.ATTRIBUTE, type(error).__name__)


class Read:
    """A field read off the value, with something below it that is not."""

    def __init__(self, field: Field, read: Callable[[Any], Any], below: Below) -> None:
        self.field = field
        self._read = read
        self._below = below

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Column:
        try:
            column = list(map(self._read, values))
        except Exception as error:
            raise raised(error) from error
        return await self._below.complete(column, paths, run)


class Load:
    """An edge: all keys of the level in one call."""

    def __init__(self, field: Field, kind: Edge, below: Below) -> None:
        self.field = field
        self._kind = kind
        self._key = attrgetter(kind.key)
        self._below = below
        self._has_arguments = bool(field.definition and field.definition.args)

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Column:
        try:
            keys = list(map(self._key, values))
        except Exception as error:
            raise raised(error) from error
        arguments: Arguments = ()
        if self._has_arguments:
            arguments = self._kind.arguments(run.arguments(self.field))
        wanted = [key for key in keys if key is not None]
        column: Column = ()
        try:
            if wanted:
                column = await run.context.loaders.load_level(self._kind.loader, wanted, arguments)
        except (
            Exception
        ) as error:  # a loader has these in the places of its values; what else raises is told by graphql-core
            raise Deviation(Reason.EXCEPTION, type(error).__name__) from error
        if len(wanted) != len(keys):
            each = iter(column)
            column = [None if key is None else next(each) for key in keys]
        run.journal.append(Entry(values, self.field, column))
        return await self._below.complete(column, paths, run)


class Call:
    """A resolver, called for each value, with where in the answer that is."""

    def __init__(self, field: Field, below: Below) -> None:
        self.field = field
        self._below = below

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Column:
        assert paths is not None
        own = [Path(path, self.field.key, self.field.parent.name) for path in paths]
        arguments = run.arguments(self.field)
        column: list[Any] = []
        for start in range(0, len(values), CALLS):
            if len(values) > CALLS:
                await turn()
            piece = slice(start, start + CALLS)
            column += self._called(values[piece], own[piece], run, arguments)
        waited = [row for row, result in enumerate(column) if is_awaitable(result)]
        if len(waited) == 1:
            column[waited[0]] = await ended(column[waited[0]])
        elif waited:
            results = await asyncio.gather(*(ended(column[row]) for row in waited))
            for row, result in zip(waited, results, strict=True):
                column[row] = result
        run.journal.append(Entry(values, self.field, column, own))
        return await self._below.complete(column, paths, run)

    def _called(self, values: Sequence[Any], paths: Sequence[Path], run: Run, arguments: dict[str, Any]) -> list[Any]:
        """What the resolver gives, or raises: graphql-core would catch as much, and has to hear of it as it is."""
        field = self.field
        assert field.definition is not None
        resolve = field.definition.resolve
        assert resolve is not None
        column = []
        for value, path in zip(values, paths, strict=True):
            try:
                column.append(resolve(value, run.info(field, path), **arguments))
            except Exception as error:  # noqa: BLE001  (see above)
                column.append(error)
        return column


def sound(column: Column) -> Column:
    """A column without exceptions. Raises Deviation."""
    for class_ in set(map(type, column)):
        if issubclass(class_, BaseException):
            raise Deviation(Reason.EXCEPTION, class_.__name__)
    return column
