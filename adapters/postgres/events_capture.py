"""Changes by logical decoding: the publication of r0037_capture.py, read from a replication slot through SQL.

The functions `pg_logical_slot_peek_binary_changes` and `pg_replication_slot_advance` need no replication protocol, which
asyncpg has not. The slot is moved when what was read has arrived: what comes in between comes again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from adapters.postgres.capture_messages import Begin, Commit, Relation, RowMessage, read
from adapters.postgres.capture_patience import Patience
from adapters.postgres.capture_values import value_of
from adapters.postgres.events_capture_rows import CapturedRows
from adapters.postgres.reading import OUTAGES, SERVICE
from domain.capture.model import Change, Operation
from domain.capture.ports import CaptureLost, CaptureNotSetUp
from domain.shared.refusals import Unavailable

PUBLICATION = "torii_changes"
ROLE = "torii_capture"
BATCH = 500
"""Rows held at once, of transactions of any size."""
ENOUGH = 2_000
"""Changes after which no further transaction is read in one go."""
LIMIT_S = 60.0
PATIENT = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""What ends a statement here is the client's limit, and a stream that takes a transaction slowly does not end it."""

STATE = """
    SELECT wal_status = 'lost' OR invalidation_reason IS NOT NULL AS is_lost, database <> current_database() AS is_others,
        pg_current_wal_flush_lsn() > confirmed_flush_lsn AS is_behind
    FROM pg_replication_slots WHERE slot_name = $1
"""
PEEK = f"""
    SELECT pg_wal_lsn_diff(lsn, '0/0')::bigint, data FROM pg_logical_slot_peek_binary_changes(
        $1, $2::text::pg_lsn, {ENOUGH}, 'proto_version', '1', 'publication_names', '{PUBLICATION}')
"""
ADVANCE = "SELECT pg_replication_slot_advance($1, $2::text::pg_lsn)"


class PostgresChangeLog:
    """The port `ChangeLog`, with a connection of its own that is opened by `turn`, as the worker role.

    Parameters:
        slot: its name, one for a database on the whole server.
        patience: how long reading the log may take, which the server does a whole transaction at a time.
    """

    def __init__(self, worker_url: str, slot: str, patience: Patience | None = None) -> None:
        self._url = worker_url
        self._slot = slot
        self._patience = patience or Patience(LIMIT_S)
        self._connection: Any = None
        self._read_to: str | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await _connected(self._url)
            is_ours = bool(
                await self._connection.fetchval(
                    "SELECT pg_try_advisory_lock(hashtextextended('capture ' || $1, 0))", self._slot
                )
            )
            try:
                yield is_ours
            finally:
                if is_ours and not self._connection.is_closed():
                    await self._connection.execute(
                        "SELECT pg_advisory_unlock(hashtextextended('capture ' || $1, 0))", self._slot
                    )
        except BaseException as error:
            await self.close()  # whatever it was at, the server is at it no longer, and the lock is gone
            named = _named(error, self._slot)
            if named is error:
                raise
            raise named from error

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def begin(self) -> bool:
        async with self._as_capture() as connection:
            state = await connection.fetchrow(STATE, self._slot)
            if state is not None and state["is_lost"]:
                raise CaptureLost(self._slot)
            if state is not None and state["is_others"]:
                raise CaptureNotSetUp(f"the replication slot {self._slot} is another database's: name another")
        if state is None:
            await self._connection.execute("DELETE FROM events.captures WHERE slot = $1", self._slot)
            await self._rows.begin()
            async with self._as_capture() as connection:
                await connection.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", self._slot)
        return not await self._connection.fetchval(
            "SELECT EXISTS (SELECT FROM events.captures WHERE slot = $1)", self._slot
        )

    async def rows(self) -> AsyncIterator[Sequence[Change]]:
        """After the slot was made: what changes meanwhile comes once more, at a later position."""
        async for page in self._rows.pages():
            yield page

    async def told_all(self) -> None:
        await self._connection.execute(
            "INSERT INTO events.captures (slot) VALUES ($1) ON CONFLICT DO NOTHING", self._slot
        )
        await self._rows.told_all()

    @property
    def _rows(self) -> CapturedRows:
        return CapturedRows(self._connection, self._slot)

    async def changes(self) -> AsyncIterator[Sequence[Change]]:
        self._read_to = None
        async with self._as_capture() as connection:
            to = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
            if not (await connection.fetchrow(STATE, self._slot))["is_behind"]:
                return
            decoding = _Decoding()
            batch: list[Change] = []
            limit_s = self._patience.limit_s
            with self._patience.kept():
                async with connection.transaction(readonly=True):
                    async for position, data in connection.cursor(
                        PEEK, self._slot, to, prefetch=BATCH, timeout=limit_s
                    ):
                        change = decoding.of(position, data)
                        if change is not None:
                            batch.append(change)
                        if len(batch) == BATCH:
                            yield batch
                            batch = []
            if batch:
                yield batch
            # where nothing came, all up to there is nobody's: the log need not be held for it
            self._read_to = decoding.end or to

    async def acknowledge(self) -> None:
        if self._read_to is None:
            return
        async with self._as_capture() as connection:
            with self._patience.kept():
                await connection.execute(ADVANCE, self._slot, self._read_to, timeout=self._patience.limit_s)
        self._patience.was_enough()

    async def drop(self) -> bool:
        """Let the log go; whether there was a slot. The next `begin` makes it anew, and tells all rows."""
        async with _own_connection(self._url, self._slot) as connection:
            await connection.execute("DELETE FROM events.captures WHERE slot = $1", self._slot)
            await connection.execute(f"SET ROLE {ROLE}")
            dropped = await connection.fetch(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", self._slot
            )
            return bool(dropped)

    @asynccontextmanager
    async def _as_capture(self) -> AsyncIterator[Any]:
        """As the role that may read slots and no table."""
        await self._connection.execute(f"SET ROLE {ROLE}")
        try:
            yield self._connection
        finally:
            if self._connection is not None and not self._connection.is_closed():
                with suppress(asyncpg.InFailedSQLTransactionError):
                    await self._connection.execute("RESET ROLE")


class _Decoding:
    """What the messages say so far."""

    def __init__(self) -> None:
        self.end: str | None = None
        self._relations: dict[int, Relation] = {}
        self._begin: Begin | None = None

    def of(self, position: int, data: bytes) -> Change | None:
        match read(data):
            case Begin() as begin:
                self._begin = begin
            case Commit(end):
                self.end = f"{end >> 32:X}/{end & 0xFFFFFFFF:X}"
            case Relation() as relation:
                self._relations[relation.id] = relation
            case RowMessage() as row:
                return self._change(position, row)
        return None

    def _change(self, position: int, row: RowMessage) -> Change:
        relation, begin = self._relations[row.relation], self._begin
        assert begin is not None, "a row outside of a transaction"
        after = _values(relation, row.new)
        known = after if row.old is None else _values(relation, row.old)
        key = {name: (known or {})[name] for name, _, is_key in relation.columns if is_key}
        before = None if row.old is None else key
        operation = {"I": Operation.CREATE, "U": Operation.UPDATE, "D": Operation.DELETE}[row.kind]
        if operation is Operation.UPDATE and after is not None:
            key = {name: after[name] for name in key}
        return Change(relation.name, operation, key, before, after, position, begin.transaction, begin.at)


def _values(relation: Relation, row: tuple[str | None, ...] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: value_of(text, oid) for (name, oid, _), text in zip(relation.columns, row, strict=True)}


async def _connected(url: str) -> Any:
    return await asyncpg.connect(
        url,
        timeout=10,
        command_timeout=LIMIT_S,
        server_settings={"application_name": "torii capture", "timezone": "UTC", **PATIENT},
    )


@asynccontextmanager
async def _own_connection(url: str, slot: str) -> AsyncIterator[Any]:
    connection: Any = None
    try:
        connection = await _connected(url)
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        named = _named(error, slot)
        if named is error:
            raise
        raise named from error
    finally:
        if connection is not None:
            connection.terminate()


def _named(error: BaseException, slot: str) -> BaseException:
    """What went wrong, by the name that callers know it by."""
    if isinstance(error, asyncpg.ObjectNotInPrerequisiteStateError | asyncpg.UndefinedObjectError):
        told = str(error)
        if "can no longer access replication slot" in told or "invalidated" in told:
            return CaptureLost(slot)
        return CaptureNotSetUp(told)
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return CaptureNotSetUp(
            f"the worker role may not act as {ROLE}: let a superuser run infra/embedded/bootstrap.sql again"
        )
    if isinstance(error, asyncpg.ObjectInUseError):
        return Unavailable(SERVICE)
    if isinstance(error, asyncpg.PostgresError):
        return Unavailable(SERVICE) if (error.sqlstate or "")[:2] in OUTAGES else error
    if isinstance(error, asyncpg.InterfaceError | OSError | TimeoutError):
        return Unavailable(SERVICE)
    return error
