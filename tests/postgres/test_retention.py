"""What workers delete for its age, and what they leave: above all what nobody has sent or handled yet."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.postgres.database import Database
from adapters.postgres.events import DONE_ARE_KEPT, forget_done
from adapters.postgres.payments import HANDLED_ARE_KEPT, forget_handled
from adapters.postgres.retention import forget
from adapters.postgres.tables import outbox
from settings import Settings

NOW = datetime(2020, 1, 1, tzinfo=UTC)
"""Long before what other tests write."""
MOMENT = timedelta(seconds=1)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_worker_url.get_secret_value(), timeout_ms=10_000)
    yield database
    await database.close()


async def put_out(worker: Any, done_at: datetime | None) -> UUID:
    found: UUID = await worker.fetchval(
        "INSERT INTO events.outbox (type, aggregate_type, aggregate_id, created_at, sent_at, done_at)"
        " VALUES ('T', 'test', uuidv7(), '2001-01-01', '2001-01-01', $1) RETURNING id",
        done_at,
    )
    return found


async def told(worker: Any, handled_at: datetime | None) -> UUID:
    found: UUID = await worker.fetchval(
        "INSERT INTO payments.webhook_events (event_id, type, payload, received_at, handled_at)"
        " VALUES ($1, 'x', '{}', '2001-01-01', $2) RETURNING id",
        f"evt_{uuid4().hex}",
        handled_at,
    )
    return found


async def test_events_that_all_had_long_ago_go_and_others_stay_however_old(database: Database, worker: Any) -> None:
    old = await put_out(worker, NOW - DONE_ARE_KEPT - MOMENT)
    recent, undone = await put_out(worker, NOW - DONE_ARE_KEPT), await put_out(worker, None)
    assert [gone async for gone in forget_done(database, NOW)] == [1]
    kept = {row["id"] for row in await worker.fetch("SELECT id FROM events.outbox")}
    assert {old, recent, undone} & kept == {recent, undone}
    await worker.execute("DELETE FROM events.outbox WHERE id = ANY ($1)", [recent, undone])


async def test_payment_events_that_were_handled_long_ago_go_and_others_stay(database: Database, worker: Any) -> None:
    old = await told(worker, NOW - HANDLED_ARE_KEPT - MOMENT)
    recent, unhandled = await told(worker, NOW - HANDLED_ARE_KEPT), await told(worker, None)
    assert [gone async for gone in forget_handled(database, NOW)] == [1]
    kept = {row["id"] for row in await worker.fetch("SELECT id FROM payments.webhook_events")}
    assert {old, recent, unhandled} & kept == {recent, unhandled}
    await worker.execute("DELETE FROM payments.webhook_events WHERE id = ANY ($1)", [recent, unhandled])


async def test_it_goes_by_batches_the_oldest_first_and_each_is_done_when_it_is_told(
    database: Database, worker: Any
) -> None:
    times = [NOW - timedelta(days=40, minutes=n) for n in range(7)]
    keys = [await put_out(worker, time) for time in times]
    counts = []
    async for gone in forget(database, outbox.c.done_at, NOW - timedelta(days=30), batch=3):
        counts.append(gone)
        left = {row["id"] for row in await worker.fetch("SELECT id FROM events.outbox WHERE id = ANY ($1)", keys)}
        assert left == set(keys[: 7 - sum(counts)])
    assert counts == [3, 3, 1]


async def test_what_another_worker_is_deleting_is_left_to_it(database: Database, worker: Any) -> None:
    keys = [await put_out(worker, NOW - timedelta(days=40)) for _ in range(2)]
    async with worker.transaction():
        await worker.execute("SELECT FROM events.outbox WHERE id = $1 FOR UPDATE", keys[0])
        assert [gone async for gone in forget_done(database, NOW)] == [1]
    assert [gone async for gone in forget_done(database, NOW)] == [1]


@pytest.mark.parametrize(
    ("table", "time", "index"),
    [
        ("events.outbox", "done_at", "idx_outbox_done_at"),
        ("payments.webhook_events", "handled_at", "idx_webhook_events_handled_at"),
        ("idempotency.keys", "created_at", "idx_keys_created_at"),
    ],
)
async def test_the_oldest_are_found_by_an_index_and_deleted_by_their_place(
    worker: Any, table: str, time: str, index: str
) -> None:
    async with worker.transaction():
        # that it can be: tables as small as these are read whole, and sorted
        await worker.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
        plan = await worker.fetch(
            f"EXPLAIN DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table}"
            f" WHERE {time} < now() ORDER BY {time} LIMIT 1000 FOR UPDATE SKIP LOCKED))"
        )
    told = "\n".join(line for (line,) in plan)
    assert f"Index Scan using {index}" in told
    assert "Tid Scan" in told
    assert "Sort" not in told
