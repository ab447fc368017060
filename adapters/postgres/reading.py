"""Reads of what anybody may see, straight on asyncpg: one statement, one round trip, and rows as the driver has them.

SQLAlchemy writes each statement, once; to run it, too, takes five times as long as the driver alone. Connections belong to the
anonymous viewer from the moment they are made and are used for single statements outside of transactions, so that nothing
on them ever changes whose rows they show.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

import asyncpg
import orjson
from sqlalchemy import ColumnElement, Executable, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from domain.shared.refusals import Unavailable

T = TypeVar("T")

SERVICE = "PostgreSQL"
OUTAGES = ("08", "28", "3D", "53", "57", "58")
"""Classes of SQLSTATE that mean the server, not the statement, is the trouble: connection, credentials, database, resources,
operator, system."""
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
    """

    __slots__ = ("_fixed", "_order", "_processors", "statement", "text")

    def __init__(self, statement: Executable) -> None:
        assert isinstance(statement, ClauseElement)
        self.statement = statement
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


def columns_of(kind: type, table: Table, **others: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """A column for each field of a dataclass, in its order, so that `kind(*row)` is the value of a row.

    Columns have the name of their field, or are named in `others`.
    """
    names = [each.name for each in dataclasses.fields(kind)]
    return [others[name] if name in others else table.c[name] for name in names]


def as_row(kind: Callable[..., T]) -> Callable[[Sequence[Any]], T]:
    """Makes the value of a row whose columns are those of `columns_of`."""

    def make(row: Sequence[Any]) -> T:
        return kind(*row)

    return make


class Gate(Protocol):
    """Who uses one of a pool's connections next."""

    def place(self) -> AbstractAsyncContextManager[None]:
        """A place for as long as the block takes."""
        ...


class Reader:
    """A pool of connections, made as they are needed, and closed without a farewell: a frozen server would not answer it.

    Parameters:
        gate: lets in whoever uses a connection
        limit_s: of a whole read: a free connection, the way there and the statement
        connect: arguments of each connection, as asyncpg takes them
    """

    def __init__(self, url: str, gate: Gate, *, size: int, limit_s: float, connect: Mapping[str, Any]) -> None:
        self._url = url
        self._gate = gate
        self._size = size
        self._limit_s = limit_s
        self._connect = connect
        self._made: asyncpg.Pool | None = None

    async def rows(self, prepared: Prepared, given: Mapping[str, Any]) -> Sequence[Any]:
        """Raises Unavailable, DBAPIError."""
        try:
            async with asyncio.timeout(self._limit_s), self._gate.place():
                return await self._fetched(prepared, given)
        except asyncpg.PostgresError as error:
            if (error.sqlstate or "")[:2] in OUTAGES:
                raise Unavailable(SERVICE) from error
            if isinstance(error, asyncpg.DataError):  # whose text quotes the value
                told = type(error)("a value that does not fit")
                raise DBAPIError(prepared.text, given, told, hide_parameters=True) from error
            raise DBAPIError(prepared.text, given, error, hide_parameters=True) from error
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
            raise Unavailable(SERVICE) from error

    async def _fetched(self, prepared: Prepared, given: Mapping[str, Any]) -> Sequence[Any]:
        values = prepared.values(given)
        pool = self._made or await self._pool()
        connection = await pool.acquire()
        try:
            return await connection.fetch(prepared.text, *values)  # type: ignore[no-any-return]
        except (asyncio.CancelledError, TimeoutError):
            connection.terminate()  # what it is still being told belongs to nobody
            raise
        finally:
            await pool.release(connection)

    async def _pool(self) -> asyncpg.Pool:
        if self._made is None:
            made = asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                max_inactive_connection_lifetime=0,
                connection_class=Plain,
                record_class=Row,
                init=_with_json,
                **self._connect,
            )
            await made
            self._made = made
        return self._made

    def close(self) -> None:
        if self._made is not None:
            self._made.terminate()
            self._made = None


class Plain(asyncpg.Connection):  # type: ignore[misc]
    """A connection on which nothing is ever set, so that there is nothing to take back between two reads."""

    def get_reset_query(self) -> str:
        return ""


async def _with_json(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_as_it_is, decoder=orjson.loads, format="text"
        )


def _as_it_is(text: str) -> str:
    return text  # SQLAlchemy has written it out
