"""Reads of what anybody may see, straight on asyncpg: one statement, one round trip, and rows as the driver has them.

SQLAlchemy writes each statement, once; to run it, too, takes five times as long as the driver alone. Connections belong to the
anonymous viewer from the moment they are made and are used for single statements outside of transactions, so that nothing
on them ever changes whose rows they show.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import asyncpg
from sqlalchemy import ARRAY, JSON, Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from adapters.postgres.combining import Combining, alone
from adapters.postgres.own_types import with_own_types
from domain.shared.refusals import Unavailable

SERVICE = "PostgreSQL"
OUTAGES = ("08", "28", "3D", "53", "57", "58")
"""Classes of SQLSTATE that mean the server, not the statement, is the trouble: connection, credentials, database, resources,
operator, system."""
MAX_STATEMENTS = 128
"""That a connection keeps ready, those used last: each takes memory of the server's, too."""
DIALECT = dialect()  # type: ignore[no-untyped-call]


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row that can be read as SQLAlchemy's are, by attribute and mapping, too: by position is three times as fast."""

    __slots__ = ()

    @property
    def _mapping(self) -> "Row":
        return self

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Prepared:
    """A statement whose text is written once, for reads that come again and again; `parameters` are given at each.

    Parameters that the statement has values for need none. It stays what SQLAlchemy made of it: `statement`.
    `by_place`: whoever reads its rows takes them apart by position alone, so that they need not be more than tuples.
    """

    __slots__ = ("_fixed", "_order", "_processors", "statement", "text", "width")

    def __init__(self, statement: Executable, *, by_place: bool = False) -> None:
        assert isinstance(statement, ClauseElement)
        self.statement = statement
        self.width = _width_of(statement) if by_place else 0
        compiled: Any = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        self._order: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._fixed: Mapping[str, Any] = compiled.construct_params(_check=False)
        self._processors: Mapping[str, Any] = {
            name: process for name, process in compiled._bind_processors.items() if name in self._order
        }

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """In the order in which the text has them."""
        if not self._processors and len(given) == len(self._order):
            return [given[name] for name in self._order]
        values = {**self._fixed, **given}
        return [
            self._processors[name](values[name]) if name in self._processors else values[name] for name in self._order
        ]


def _width_of(select: Any) -> int:
    """How many columns it has; 0 where there is no array of one as the driver would give its values."""
    types = [column.type for column in select.selected_columns]
    return 0 if any(isinstance(each, (JSON, ARRAY)) for each in types) else len(types)


class Gate(Protocol):
    """Who uses one of so many connections next."""

    def place(self, within_s: float | None = None) -> AbstractAsyncContextManager[None]:
        """A place for as long as the block takes. Raises TimeoutError when none gets free in time."""
        ...


class Reader:
    """Connections, made as they are needed, and closed without a farewell: a frozen server would not answer it.

    asyncpg's own pool takes as long for lending a connection as PostgreSQL for a small read.

    Parameters:
        gate: lets in whoever uses a connection, and so many at a time as there may be connections
        limit_s: of a whole read: a free connection, the way there and the statement
        connect: arguments of each connection, as asyncpg takes them
        round_of: what reads asked for side by side have in common; None where there are no others
    """

    def __init__(
        self,
        url: str,
        gate: Gate,
        *,
        limit_s: float,
        connect: Mapping[str, Any],
        round_of: Callable[[], Hashable] = alone,
    ) -> None:
        self._url = url
        self._gate = gate
        self._limit_s = limit_s
        self._connect = connect
        self._idle: list[Line] = []
        self._open: set[Line] = set()
        self._combining = Combining(self._sent, round_of)

    async def rows(self, prepared: Prepared, given: Mapping[str, Any]) -> Sequence[Any]:
        """Raises Unavailable, DBAPIError."""
        return await self._combining.rows(prepared, given, self._limit_s)

    async def _sent(self, text: str, values: Sequence[Any], ends: float) -> Sequence[Any]:
        try:
            async with self._gate.place(ends - time.monotonic()):
                return await self._read(text, values, ends)
        except asyncpg.PostgresError as error:
            if (error.sqlstate or "")[:2] in OUTAGES:
                raise Unavailable(SERVICE) from error
            if isinstance(error, asyncpg.DataError):  # whose text quotes the value
                told = type(error)("a value that does not fit")
                raise DBAPIError(text, values, told, hide_parameters=True) from error
            raise DBAPIError(text, values, error, hide_parameters=True) from error
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
            raise Unavailable(SERVICE) from error

    async def _read(self, text: str, values: Sequence[Any], ends: float) -> Sequence[Any]:
        line = await self._line(ends)
        is_sound = False
        try:
            found = await line.rows(text, values, ends)
            is_sound = True
            return found
        except asyncpg.PostgresError:  # an answer like any other
            is_sound = True
            raise
        finally:
            if is_sound and line in self._open:
                self._idle.append(line)
            else:  # what it is still being told belongs to nobody
                self._open.discard(line)
                line.close()

    async def _line(self, ends: float) -> "Line":
        while self._idle:
            line = self._idle.pop()
            if not line.is_closed:
                return line
            self._open.discard(line)
        async with asyncio.timeout(ends - time.monotonic()):
            connection = await asyncpg.connect(self._url, record_class=Row, **self._connect)
            try:
                await with_own_types(connection)
            except BaseException:
                connection.terminate()
                raise
        line = Line(connection)
        self._open.add(line)
        return line

    def close(self) -> None:
        for line in self._open:
            line.close()
        self._open.clear()
        self._idle.clear()


class Line:
    """A connection on which nothing is ever set, with the statements that it knows."""

    __slots__ = ("_connection", "_known")

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._known: OrderedDict[str, Any] = OrderedDict()

    @property
    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())

    async def rows(self, text: str, values: Sequence[Any], ends: float) -> Sequence[Any]:
        try:
            return await self._rows(text, values, ends)
        except asyncpg.InvalidCachedStatementError:  # a table has changed since
            self._known.clear()
            return await self._rows(text, values, ends)

    async def _rows(self, text: str, values: Sequence[Any], ends: float) -> Sequence[Any]:
        statement = self._known.get(text)
        if statement is None:
            statement = await self._connection.prepare(text, timeout=ends - time.monotonic())
            self._known[text] = statement
            if len(self._known) > MAX_STATEMENTS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(text)
        found: Sequence[Any] = await statement.fetch(*values, timeout=ends - time.monotonic())
        return found

    def close(self) -> None:
        self._connection.terminate()
