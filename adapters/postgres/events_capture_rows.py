"""All rows of what is captured, as they stand when each page is read: what a slot's readers begin with.

A row is told at a position below any change that the slot ever tells of, so that a change counts more, whenever its transaction
ended: one that was open while its row was read stands in the log further back than the row was read. So nothing has to be held still
either, and each page is a statement of its own.

Source: the slot's `restart_lsn` is, when it is made, the end of the log at that moment, and stays at or below the beginning of each
transaction that is still to be told (PostgreSQL, "Logical Decoding Concepts"); what earlier slots told stands below it.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.postgres.capture_values import value_of
from domain.capture.model import CAPTURED, Change, Operation

PAGE = 500
"""Rows held at once."""
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
ALL = ""
"""In the place of a key: the table is told."""

POSITION = "SELECT pg_wal_lsn_diff(restart_lsn, '0/0')::bigint - 1 FROM pg_replication_slots WHERE slot_name = $1"
REACHED = "SELECT shard, place FROM events.stream_places WHERE reader = $1"
REACH = """
    INSERT INTO events.stream_places (reader, shard, place) VALUES ($1, $2, $3)
    ON CONFLICT (reader, shard) DO UPDATE SET place = excluded.place, reached_at = now()
"""
FORGET = "DELETE FROM events.stream_places WHERE reader = $1"


class CapturedRows:
    """The rows on their way, through a connection of the worker role; what was told is kept, so that it goes on from there."""

    def __init__(self, connection: Any, slot: str) -> None:
        self._connection = connection
        self._slot = slot
        self._reader = f"rows of {slot}"

    async def begin(self) -> None:
        """Nothing is told yet."""
        await self._connection.execute(FORGET, self._reader)

    async def told_all(self) -> None:
        await self._connection.execute(FORGET, self._reader)

    async def pages(self) -> AsyncIterator[Sequence[Change]]:
        """Page by page. With the next one, or the end, the one before counts as told."""
        position = await self._connection.fetchval(POSITION, self._slot)
        reached = {row["shard"]: row["place"] for row in await self._connection.fetch(REACHED, self._reader)}
        for table, listed in CAPTURED.items():
            after = reached.get(table, BEFORE_ALL)
            if after == ALL:
                continue
            table_rows = await _Table.of(self._connection, table, listed.split())
            while page := await table_rows.page(after, position):
                yield page
                after = str(page[-1].key[table_rows.key])
                await self._connection.execute(REACH, self._reader, table, after)
            await self._connection.execute(REACH, self._reader, table, ALL)


class _Table:
    """A table's rows in the order of their keys."""

    def __init__(self, connection: Any, table: str, names: Sequence[str], oids: Sequence[int]) -> None:
        self.key = names[0]
        self._connection = connection
        self._table = table
        self._columns = list(zip(names, oids, strict=True))
        texts = ", ".join(f"{name}::text" for name in names)
        # the primary key, or the first column of it
        self._page = (
            f"SELECT {texts} FROM {table} WHERE {self.key} > $1::text::uuid ORDER BY {table}.{self.key} LIMIT $2"
        )

    @classmethod
    async def of(cls, connection: Any, table: str, names: Sequence[str]) -> "_Table":
        statement = await connection.prepare(f"SELECT {', '.join(names)} FROM {table} LIMIT 0")
        return cls(connection, table, names, [each.type.oid for each in statement.get_attributes()])

    async def page(self, after: str, position: int) -> Sequence[Change]:
        rows = await self._connection.fetch(self._page, after, PAGE)
        return [self._change(row, position) for row in rows]

    def _change(self, row: Any, position: int) -> Change:
        values = {name: value_of(text, oid) for (name, oid), text in zip(self._columns, row, strict=True)}
        key = {self.key: values[self.key]}
        return Change(self._table, Operation.READ, key, None, values, position, 0, datetime.now(UTC))
