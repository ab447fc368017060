"""UUIDs, moments and JSON as the gateway's reads send and take them.

The driver takes half a microsecond to make a moment, and a UUID made anew is hashed anew; most of both come again and again.
"""

import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import asyncpg
import orjson
from asyncpg.pgproto.pgproto import UUID

T = TypeVar("T")

MOST = 32_768
"""Of each type that are kept, some 200 bytes each."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From which PostgreSQL counts microseconds."""
MICROSECOND = timedelta(microseconds=1)
COUNT = struct.Struct("!q")
ENDS = {2**63 - 1: datetime.max, -(2**63): datetime.min}
"""What has no end or no beginning, as the driver gives it."""


class Kept(dict[bytes, T], Generic[T]):
    """Values that never change by their bytes, each made once."""

    def __init__(self, make: Callable[[bytes], T]) -> None:
        self._make = make

    def __missing__(self, raw: bytes) -> T:
        if len(self) >= MOST:
            self.clear()
        made = self[raw] = self._make(raw)
        return made


def _moment_of(raw: bytes) -> datetime:
    """Raises OverflowError outside of Python's years, as the driver does."""
    [count] = COUNT.unpack(raw)
    return ENDS.get(count) or EPOCH + timedelta(microseconds=count)


UUIDS: Kept[uuid.UUID] = Kept(UUID)
MOMENTS: Kept[datetime] = Kept(_moment_of)


async def with_own_types(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_as_it_is, decoder=orjson.loads, format="text"
        )
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=_bytes_of, decoder=UUIDS.__getitem__, format="binary"
    )
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_count_of, decoder=MOMENTS.__getitem__, format="binary"
    )


def _as_it_is(text: str) -> str:
    return text  # SQLAlchemy has written it out


def _bytes_of(key: uuid.UUID | str) -> bytes:
    """Raises ValueError, of which the driver makes a DataError."""
    return key.bytes if isinstance(key, uuid.UUID) else uuid.UUID(key).bytes


def _count_of(moment: datetime) -> bytes:
    """Raises TypeError for a day, or a moment without a zone: the driver makes a DataError of it, where it would guess by itself."""
    return COUNT.pack((moment - EPOCH) // MICROSECOND)
