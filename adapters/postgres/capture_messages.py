"""The messages of the output plugin `pgoutput`, protocol version 1, of a publication of rows.

Source: PostgreSQL 18, "Logical Replication Message Formats".
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
UNCHANGED = "__debezium_unavailable_value"
"""In the place of a large value that did not change, which the log does not repeat. Source: Debezium's PostgreSQL connector."""


@dataclass(frozen=True, slots=True)
class Begin:
    at: datetime
    transaction: int


@dataclass(frozen=True, slots=True)
class Commit:
    end: int
    """The position behind the transaction."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table's published columns, as (name, type's OID, whether it is of the key)."""

    id: int
    name: str
    columns: tuple[tuple[str, int, bool], ...]


@dataclass(frozen=True, slots=True)
class RowMessage:
    """`kind` is I, U or D. Values are texts; `old` has the key alone, where the others are None."""

    kind: str
    relation: int
    old: tuple[str | None, ...] | None
    new: tuple[str | None, ...] | None


Message = Begin | Commit | Relation | RowMessage


def read(data: bytes) -> Message | None:
    """None for messages that say nothing of rows (types, origins)."""
    kind, cursor = chr(data[0]), _Cursor(data, 1)
    if kind == "B":
        _, micros, transaction = cursor.take(">qqI")
        return Begin(EPOCH + timedelta(microseconds=micros), transaction)
    if kind == "C":
        _, _, end, _ = cursor.take(">bqqq")
        return Commit(end)
    if kind == "R":
        return _relation(cursor)
    return _row(kind, cursor) if kind in "IUD" else None


def _relation(cursor: "_Cursor") -> Relation:
    [key] = cursor.take(">I")
    schema, table = cursor.text(), cursor.text()
    _, count = cursor.take(">bh")
    columns = []
    for _ in range(count):
        [flags] = cursor.take(">b")
        name = cursor.text()
        oid, _ = cursor.take(">Ii")
        columns.append((name, oid, bool(flags & 1)))
    return Relation(key, f"{schema}.{table}", tuple(columns))


def _row(kind: str, cursor: "_Cursor") -> RowMessage:
    [relation] = cursor.take(">I")
    old = new = None
    [part] = cursor.take(">c")
    if part in (b"K", b"O"):
        old = cursor.row()
        if kind == "U":
            [part] = cursor.take(">c")
    if part == b"N":
        new = cursor.row()
    return RowMessage(kind, relation, old, new)


class _Cursor:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, layout: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return found

    def text(self) -> str:
        end = self._data.index(0, self._at)
        found = self._data[self._at : end].decode()
        self._at = end + 1
        return found

    def row(self) -> tuple[str | None, ...]:
        [count] = self.take(">h")
        return tuple(self._value() for _ in range(count))

    def _value(self) -> str | None:
        [kind] = self.take(">c")
        if kind == b"n":
            return None
        if kind == b"u":
            return UNCHANGED
        [size] = self.take(">i")
        found = self._data[self._at : self._at + size].decode()
        self._at += size
        return found
