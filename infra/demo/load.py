"""Writes the demo marketplace into PostgreSQL, all of it or nothing. What is there already stays as it is."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import asyncpg

from adapters.postgres.bulk import CONNECT_TIMEOUT_S, bulk_load
from infra.demo.accounts import ADMIN, DEMO_USERS
from infra.demo.marketplace import Marketplace, generate
from infra.demo.rows import Row, Stage
from infra.demo.times import ORDER_MONTHS

BATCH = 10_000
"""Rows a statement: big enough for speed, small enough to tell how far it got."""

Progress = Callable[[str, int, int], None]
"""Told the stage (a table's name), how many of its rows are written, and how many it has."""


def silent(stage: str, done: int, total: int) -> None:
    """A progress that says nothing."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows by table: how many the marketplace has, and how many of them were new."""

    rows: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a stage; `done` counts its rows up to their end."""

    stage: Stage
    rows: Sequence[Row]
    done: int
    total: int


async def load(
    worker_url: str,
    products: int = 3000,
    progress: Progress = silent,
    *,
    subjects: Mapping[str, str] | None = None,
) -> Summary:
    """Write the marketplace in one transaction. `subjects`: see `link_accounts`."""
    summary = Summary()
    batches = _batches(generate(products))
    # By themselves: making a partition locks out whoever reads orders until its transaction ends.
    async with bulk_load(worker_url) as bulk:
        await bulk.ensure_months(ORDER_MONTHS)
    async with bulk_load(worker_url) as bulk:
        # the next rows are made in a thread while the database is busy with these
        batch = await asyncio.to_thread(next, batches, None)
        while batch is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            name = batch.stage.name
            new = await bulk.insert(batch.stage.table, batch.stage.columns, batch.rows)
            summary.rows[name] = batch.done
            summary.new[name] = summary.new.get(name, 0) + new
            progress(name, batch.done, batch.total)
            batch = await coming
        if any(summary.new.values()):
            await bulk.analyze()
    await link_accounts(worker_url, subjects or {})
    return summary


async def link_accounts(worker_url: str, subjects: Mapping[str, str]) -> None:
    """Give the demo accounts their subjects (Cognito's `sub`) by mail address. Does nothing where they have them."""
    if not subjects:
        return
    connection = await asyncpg.connect(worker_url, timeout=CONNECT_TIMEOUT_S)
    try:
        await connection.executemany(
            "UPDATE accounts.users SET cognito_sub = $2, is_admin = $3 WHERE id = $1 AND cognito_sub IS DISTINCT FROM $2",
            [(DEMO_USERS[email], subject, email == ADMIN) for email, subject in subjects.items()],
        )
    finally:
        await connection.close()


def _batches(marketplace: Marketplace) -> Iterator[Batch]:
    for stage in marketplace.stages():
        rows, done, total = iter(stage.rows()), 0, stage.total()
        while some := list(islice(rows, BATCH)):
            done += len(some)
            yield Batch(stage, some, done, total)
