"""How far a reader of a stream has come, and whose turn it is to read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.database import Database, outage_is_unavailable
from adapters.postgres.tables import stream_places

S = stream_places.c


class PostgresStreamPlaces:
    """Of one reader, as the worker role."""

    def __init__(self, database: Database, reader: str) -> None:
        self._database = database
        self._reader = reader

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """One holder at a time among all workers; it ends with its holder, however that ends. Raises Unavailable."""
        async with self._database.writer.connect() as connection:
            async with outage_is_unavailable():
                taken = text("SELECT pg_try_advisory_xact_lock(hashtextextended('stream ' || :reader, 0))")
                is_ours = bool((await connection.execute(taken, {"reader": self._reader})).scalar())
            yield is_ours

    async def reached(self) -> dict[str, str]:
        async with outage_is_unavailable(), self._database.writer.connect() as connection:
            rows = await connection.execute(select(S.shard, S.place).where(S.reader == self._reader))
            return {row.shard: row.place for row in rows}

    async def reach(self, shard: str, place: str) -> None:
        values = {"reader": self._reader, "shard": shard, "place": place}
        upsert = insert(stream_places).values(values)
        upsert = upsert.on_conflict_do_update(
            index_elements=[S.reader, S.shard], set_={"place": place, "reached_at": func.now()}
        )
        async with outage_is_unavailable(), self._database.writer.begin() as connection:
            await connection.execute(upsert)
