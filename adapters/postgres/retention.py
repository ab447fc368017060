"""Removing rows that have had their time, a batch at a time."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, any_, delete, func, literal_column, select

from adapters.postgres.database import Database
from domain.shared.viewer import ANONYMOUS

BATCH = 1000
"""Rows of one transaction: so many are gone in well under a second."""


async def forget(
    database: Database, time: Column[object], before: datetime, batch: int = BATCH
) -> AsyncGenerator[int, None]:
    """Delete the rows of a table whose `time` is before that, oldest first; how many, after each transaction.

    A row whose time is null stays. `time` has an index that starts with it. `database` is a worker's. Two at once share
    the work: what one has locked the other leaves out. Raises Unavailable.
    """
    place: ColumnElement[Any] = literal_column("ctid")
    # an array, so that the look-up is made once, and rows are reached by their place
    oldest = select(place).select_from(time.table).where(time < before).order_by(time).limit(batch)
    chosen = func.array(oldest.with_for_update(skip_locked=True).scalar_subquery())
    statement = delete(time.table).where(place == any_(chosen))
    gone = batch
    while gone == batch:
        async with database.transaction(ANONYMOUS) as connection:
            gone = (await connection.execute(statement)).rowcount
        if gone:
            yield gone
