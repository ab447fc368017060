"""Connections to PostgreSQL: public reads without a transaction, everything else in one that knows its viewer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import Executable, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.postgres.combining import alone
from adapters.postgres.reading import OUTAGES, SERVICE, Gate, Prepared, Reader
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Viewer

T = TypeVar("T")
Rows = Sequence[Any]
PIECE = 100
"""Rows made into values without a break: some two milliseconds."""

CONNECT_TIMEOUT_S = 5.0
LONGEST_S = 10.0
"""More than any transaction of a request is given."""
TILL = "torii_till"
"""The role that moves money and stock, and logs in nowhere."""


Statement = Prepared | Executable
"""One that comes again and again is prepared once."""
Parameters = dict[str, Any] | None


class Abrupt(asyncpg.Connection):  # type: ignore[misc]
    """A connection that is closed without a farewell: SQLAlchemy would wait 2 s for a frozen server to answer one."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109  (asyncpg's signature)
        self.terminate()


def engine_of(url: str, connect: dict[str, Any], **options: Any) -> AsyncEngine:
    """An engine whose connections asyncpg makes from the address itself, so that all of libpq's parameters mean the same."""

    async def creator() -> Any:
        return await asyncpg.connect(url, connection_class=Abrupt, **connect)

    # what rows hold stays out of the text of errors, whoever prints them
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=creator,
        hide_parameters=True,
        json_deserializer=orjson.loads,
        **options,
    )


def make_engine(url: str, *, pool_size: int, timeout_ms: int, settings: dict[str, str]) -> AsyncEngine:
    """A pool. Statements longer than `timeout_ms` are ended by the server, and given up by the client where that is silent.

    The driver knows one limit for all statements of a connection: it has to leave room for those of a transaction that was
    given longer. What requests do ends by `outage_is_unavailable` before that.
    """
    return engine_of(
        url,
        _connect(timeout_ms, settings) | {"command_timeout": max(timeout_ms / 1000, LONGEST_S) + 0.5},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_ms / 1000,
        pool_pre_ping=False,
        isolation_level="READ COMMITTED",
    )


def _connect(timeout_ms: int, settings: dict[str, str]) -> dict[str, Any]:
    """How connections are made."""
    return {
        "timeout": min(timeout_ms / 1000, CONNECT_TIMEOUT_S),
        "server_settings": {"application_name": "torii", "statement_timeout": str(timeout_ms), **settings},
    }


class FirstCome:
    """Whoever asks first."""

    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)

    @asynccontextmanager
    async def place(self, within_s: float | None = None) -> AsyncIterator[None]:
        async with asyncio.timeout(within_s):
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()


async def at_once() -> None:
    """For processes in which nobody else waits."""


class Database:
    """The gateway's way to PostgreSQL.

    `public` reads what anybody may see: one statement, one round trip, no transaction, on the replica where there is one;
    its connections belong to the anonymous viewer for good. `fresh` is the same on the writer, for what will be cached: a
    replica may not have heard yet of the change that emptied the cache. `transaction` is for everything else.

    `gate_of` makes, for so many connections, what lets those in who want one; `turn` is awaited between pieces of long work;
    `round_of` tells what reads that are asked for side by side have in common, so that they are sent as one.
    """

    def __init__(
        self,
        url: str,
        *,
        replica_url: str = "",
        pool_size: int = 10,
        timeout_ms: int = 2000,
        gate_of: Callable[[int], Gate] = FirstCome,
        turn: Callable[[], Awaitable[None]] = at_once,
        round_of: Callable[[], Hashable] = alone,
    ) -> None:
        self._turn = turn
        self._limit_s = timeout_ms / 1000
        self.writer = make_engine(url, pool_size=pool_size, timeout_ms=timeout_ms, settings={})

        def anonymous(address: str) -> Reader:
            connect = _connect(timeout_ms, {"torii.kind": "anonymous"})
            return Reader(address, gate_of(pool_size), limit_s=timeout_ms / 1000, connect=connect, round_of=round_of)

        self.fresh_reader = anonymous(url)
        self.reader = anonymous(replica_url) if replica_url else self.fresh_reader
        self._gate = gate_of(pool_size)

    @property
    def has_replica(self) -> bool:
        """Whether `public` may be behind the writer."""
        return self.reader is not self.fresh_reader

    async def public(self, statement: Statement, parameters: Parameters = None) -> Rows:
        """Rows that anybody may see. Raises Unavailable."""
        return await self.reader.rows(_prepared(statement), parameters or {})

    async def fresh(self, statement: Statement, parameters: Parameters = None) -> Rows:
        """Rows that anybody may see, as the writer has them now. Raises Unavailable."""
        return await self.fresh_reader.rows(_prepared(statement), parameters or {})

    @asynccontextmanager
    async def transaction(self, viewer: Viewer, within_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction in which the policies of the database see `viewer`; it ends with the transaction.

        `within_s`, where given, takes the place of the usual limit: whoever wants the last unit stands in a queue. The server
        has the usual one to say anything at all.
        Raises Unavailable, also when all of it together takes longer than the limit.
        """
        async with self._transaction(within_s, _settings_of(viewer)) as connection:
            yield connection

    @asynccontextmanager
    async def till(self, viewer: Viewer, within_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction that moves money or stock, as the role `torii_till`: who may do what is the domain's to decide.

        The role reads and writes orders and stock, whosever they are; `viewer` is there for what is kept by principal, and
        ends with the transaction as the role does. `within_s` as for `transaction`. Raises Unavailable.
        """
        async with self._transaction(within_s, _settings_of(viewer) | {"role": TILL}) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, within_s: float | None, settings: dict[str, str]) -> AsyncIterator[AsyncConnection]:
        limit_s = self._limit_s
        if within_s is not None:
            limit_s, settings = within_s, settings | {"statement_timeout": str(int(within_s * 1000))}
        async with outage_is_unavailable(limit_s), self._gate.place(), AsyncExitStack() as stack:
            # whoever stands in a queue for rows stands there after this: a server that is silent now has no queue
            async with asyncio.timeout(min(limit_s, self._limit_s)):
                connection = await stack.enter_async_context(self.writer.begin())
                given = (func.set_config(name, value, True) for name, value in settings.items())
                await connection.execute(select(*given))
            yield connection

    async def seen_by(self, viewer: Viewer, statement: Statement, parameters: Parameters = None) -> Rows:
        """Rows that the viewer may see. Raises Unavailable."""
        plain = statement.statement if isinstance(statement, Prepared) else statement
        async with self.transaction(viewer) as connection:
            return (await connection.execute(plain, parameters)).all()

    async def shown_to(self, viewer: Viewer, statement: Statement, parameters: Parameters = None) -> Rows:
        """Rows of what shops show: all that the viewer may see, by the public's way where that is all. Raises Unavailable."""
        if viewer.is_public:
            return await self.public(statement, parameters)
        return await self.seen_by(viewer, statement, parameters)

    async def fresh_to(self, viewer: Viewer, statement: Statement, parameters: Parameters = None) -> Rows:
        """The same, as the writer has them now: for what may be kept until it changes. Raises Unavailable."""
        if viewer.is_public:
            return await self.fresh(statement, parameters)
        return await self.seen_by(viewer, statement, parameters)

    async def made(self, rows: Rows, make: Callable[[Rows], list[T]]) -> list[T]:
        """What is made of rows; of many, piece by piece, so that others are served in between."""
        if len(rows) <= PIECE:
            return make(rows)
        found: list[T] = []
        for start in range(0, len(rows), PIECE):
            await self._turn()
            found += make(rows[start : start + PIECE])
        return found

    async def version(self) -> str:
        """The server's version, which also proves that it answers. Raises Unavailable."""
        rows = await self.public(select(func.current_setting("server_version")))
        return str(rows[0][0])

    async def close(self) -> None:
        for reader in {self.reader, self.fresh_reader}:
            reader.close()
        await self.writer.dispose()


async def take_on_till(connection: AsyncConnection) -> None:
    """Go on as the role that moves money and stock, to the end of the transaction."""
    await connection.execute(select(func.set_config("role", TILL, True)))


def _settings_of(viewer: Viewer) -> dict[str, str]:
    """What the policies know the viewer by. Whoever is signed in is no guest."""
    return {
        "torii.kind": viewer.role.value,
        "torii.user_id": str(viewer.user_id or ""),
        "torii.guest_id": str(viewer.guest_id or "") if viewer.user_id is None else "",
        "torii.order_ids": ",".join(map(str, viewer.order_ids)),
    }


def _prepared(statement: Statement) -> Prepared:
    return statement if isinstance(statement, Prepared) else Prepared(statement)


@asynccontextmanager
async def outage_is_unavailable(limit_s: float | None = None) -> AsyncIterator[None]:
    """Turns what a driver raises when the server is gone, full or too slow into Unavailable; the rest passes.

    `limit_s` holds for all of the block: a free connection, the way there and the statements.
    """
    try:
        async with asyncio.timeout(limit_s):
            yield
    except (PoolTimeoutError, InterfaceError, OperationalError, OSError, TimeoutError) as error:
        raise Unavailable(SERVICE) from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
        if error.connection_invalidated or state[:2] in OUTAGES:
            raise Unavailable(SERVICE) from error
        raise
