"""Moments that order what was read for the search index, as the worker role."""

from sqlalchemy import text

from adapters.postgres.database import Database
from domain.shared.viewer import ANONYMOUS

NEXT = text(
    """
    UPDATE search.moments
    SET last = greatest(last + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
    RETURNING last
    """
)


class PostgresMoments:
    """The port `Moments`. One row that whoever asks locks: the next moment is given when the last one was committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self) -> int:
        async with self._database.transaction(ANONYMOUS) as connection:
            return int((await connection.execute(NEXT)).scalar_one())
