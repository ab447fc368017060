"""Bulk writes for imports and demo data: COPY into a staging table, then one INSERT that leaves what is there alone.

COPY cannot write to a table under row-level security, and knows no ON CONFLICT: hence the staging table.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg
from sqlalchemy import Table

from adapters.postgres.reading import SERVICE
from domain.shared.refusals import Unavailable

CONNECT_TIMEOUT_S = 10
FULL_OR_CLOSING = (asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError)
"""Out of disk, memory or connections; or about to stop, or starting."""


class BulkLoad:
    """One transaction of bulk writes, as the worker role. Rows that are already there stay as they are."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def insert(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Write rows, in the order of `columns`; returns how many were new. JSON columns take Python objects."""
        target = f'"{table.schema}"."{table.name}"'
        names = ", ".join(f'"{column}"' for column in columns)
        staging = f"staging_{table.name}"
        await self._connection.execute(
            f"CREATE TEMP TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {target} WITH NO DATA"
        )
        await self._connection.copy_records_to_table(staging, columns=list(columns), records=rows)
        inserted = await self._connection.execute(
            f"INSERT INTO {target} ({names}) SELECT {names} FROM {staging} ON CONFLICT DO NOTHING"
        )
        await self._connection.execute(f"DROP TABLE {staging}")
        return int(inserted.rsplit(" ", 1)[1])

    async def analyze(self) -> None:
        """Tell the planner what the tables hold now, before it has to guess at them."""
        tables = await self._connection.fetch(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND has_table_privilege(oid, 'MAINTAIN')"
        )
        await self._connection.execute(f"ANALYZE {', '.join(name for (name,) in tables)}")

    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds the lock of this name; hold it until this one ends."""
        await self._connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", name)

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Rows of a query whose arguments are $1, $2 …"""
        rows: Sequence[Sequence[Any]] = await self._connection.fetch(query, *arguments)
        return rows

    async def execute(self, statement: str, *arguments: Any) -> None:
        """A statement whose arguments are $1, $2 …, and whose rows nobody needs."""
        await self._connection.execute(statement, *arguments)

    async def months_without_partition(self) -> Sequence[date]:
        """The first days of the months of which the default partition holds orders. Reads nothing but that partition."""
        rows = await self._connection.fetch("SELECT * FROM orders.months_in_default()")
        return [month for (month,) in rows]

    async def ensure_months(self, months: Iterable[date]) -> None:
        """Make the order partitions of these months, in a load of its own: a new one locks orders until the load ends."""
        await self._connection.executemany(
            "SELECT orders.ensure_month($1)", [(month,) for month in sorted(set(months))]
        )


@asynccontextmanager
async def bulk_load(worker_url: str) -> AsyncIterator[BulkLoad]:
    """A bulk load that is committed whole when the block ends well, and leaves nothing when it does not.

    Raises Unavailable when the server cannot be reached, goes away or is full.
    """
    try:
        connection = await asyncpg.connect(
            worker_url, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": "torii bulk"}
        )
    except (OSError, TimeoutError, *FULL_OR_CLOSING) as error:
        raise Unavailable(SERVICE) from error
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
        )
        async with connection.transaction():
            yield BulkLoad(connection)
    except FULL_OR_CLOSING as error:
        raise Unavailable(SERVICE) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        # The driver has many words for a connection that broke, and uses some of them for our own mistakes too.
        if connection.is_closed():
            raise Unavailable(SERVICE) from error
        raise
    finally:
        await connection.close()


JSONB_VERSION = b"\x01"
"""First byte of jsonb in the binary protocol, the only one that COPY speaks here."""


def _to_jsonb(value: Any) -> bytes:
    return JSONB_VERSION + json.dumps(value, ensure_ascii=False).encode()


def _from_jsonb(sent: bytes) -> Any:
    return json.loads(sent[1:])
