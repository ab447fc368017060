"""Changes captured by logical decoding: what is told, from where again, what never leaves the database, what is let go."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from adapters.debezium import change_of, record_of
from adapters.postgres import events_capture_rows
from adapters.postgres.capture_patience import Patience
from adapters.postgres.capture_state import capture_state
from adapters.postgres.database import Database
from adapters.postgres.events_capture import PostgresChangeLog
from adapters.postgres.migrate import upgrade_async
from domain.capture.model import CAPTURED, Change, Operation
from domain.capture.ports import CaptureLost, CaptureState, CaptureStuck
from domain.capture.service import Capture
from domain.shared.ids import uuid7
from domain.shared.refusals import Unavailable
from infra.embedded import postgres
from tests.own_postgres import own_postgres
from tests.postgres.conftest import Addresses, Server
from tests.postgres.market import open_market
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop, connect


class Cut(Exception):
    """The way to the stream is."""


class Told:
    """A stream that remembers."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.fails_after: int | None = None

    async def put(self, changes: Sequence[Change]) -> None:
        if self.fails_after is not None and len(self.changes) + len(changes) > self.fails_after:
            raise Cut
        self.changes += [change_of(record_of(each)) for each in changes]

    def of(self, key: UUID) -> list[Change]:
        return [each for each in self.changes if str(key) in each.key.values()]


@pytest.fixture(scope="module")
async def addresses(server: Server) -> Addresses:
    addresses = await server.new_database()
    await upgrade_async(addresses.owner)
    return addresses


@pytest.fixture
async def worker(addresses: Addresses) -> AsyncIterator[Any]:
    connection = await connect(addresses.worker, synchronous_commit="on")  # decoding goes as far as the log is flushed
    yield connection
    await connection.close()


@pytest.fixture
async def owner_of_all(server: Server, addresses: Addresses) -> AsyncIterator[Any]:
    """The superuser, whom no policy keeps from a row."""
    connection = await connect(server.superuser_url(addresses.app.rsplit("/", 1)[1]))
    yield connection
    await connection.close()


@pytest.fixture
async def log(addresses: Addresses) -> AsyncIterator[PostgresChangeLog]:
    log = PostgresChangeLog(addresses.worker, f"torii_{uuid7().hex[-12:]}")
    yield log
    await log.close()
    await log.drop()


async def standing(addresses: Addresses, log: PostgresChangeLog) -> CaptureState:
    """As a gateway sees it, whose role may read no slot."""
    database = Database(addresses.app, pool_size=1, timeout_ms=30_000)
    try:
        return await capture_state(database, log._slot)
    finally:
        await database.close()


async def until_told(capture: Capture) -> None:
    while await capture.pump():
        pass


async def test_rows_that_are_there_and_then_each_change_are_told(log: PostgresChangeLog, shelf: Shelf) -> None:
    before = await shelf.product(name="茶碗", attributes={"色": "赤"})
    told = Told()
    capture = Capture(log, told)
    await until_told(capture)
    [row] = told.of(before)
    assert (row.table, row.operation, row.transaction) == ("catalog.products", Operation.READ, 0)
    assert row.after is not None
    assert row.after["name"] == "茶碗"

    told.changes.clear()
    key = await shelf.product(name="急須", base_price=1500)
    await shelf.change("products", key, sale_price=1200)
    await shelf.delete("products", key)
    await until_told(capture)
    made, changed, gone = told.of(key)
    assert [each.operation for each in (made, changed, gone)] == [Operation.CREATE, Operation.UPDATE, Operation.DELETE]
    assert made.after is not None
    assert changed.after is not None
    assert (made.after["base_price"], made.after["sale_price"], made.after["currency"]) == (1500, None, "JPY")
    assert (changed.after["sale_price"], changed.after["version"]) == (1200, 2)
    assert str(made.after["created_at"]).endswith("Z")
    assert (gone.after, gone.before) == (None, {"id": str(key)})
    assert made.position < changed.position < gone.position
    told.changes.clear()
    await until_told(capture)
    assert told.changes == []


async def test_what_was_not_put_comes_again(log: PostgresChangeLog, shelf: Shelf) -> None:
    told = Told()
    await until_told(Capture(log, told))
    told.changes.clear()
    keys = [await shelf.product() for _ in range(3)]
    told.fails_after = 0
    with pytest.raises(Cut):
        await Capture(log, told).pump()
    told.fails_after = None
    await until_told(Capture(log, told))
    assert [len(told.of(key)) for key in keys] == [1, 1, 1]


async def test_a_transaction_of_many_rows_comes_in_batches(log: PostgresChangeLog, shelf: Shelf, worker: Any) -> None:
    told = Told()
    sizes: list[int] = []
    await until_told(Capture(log, told))
    keys = [await shelf.product() for _ in range(2)]
    await until_told(Capture(log, told))
    told.changes.clear()

    class Counting(Told):
        async def put(self, changes: Sequence[Change]) -> None:
            sizes.append(len(changes))
            await super().put(changes)

    counting = Counting()
    async with worker.transaction():
        for _ in range(300):
            await worker.execute("UPDATE catalog.products SET updated_at = now() WHERE id = ANY ($1)", keys)
    await until_told(Capture(log, counting))
    assert sizes == [500, 100]
    assert len(counting.of(keys[0])) == 300


async def test_one_at_a_time(addresses: Addresses, log: PostgresChangeLog, shelf: Shelf) -> None:
    await until_told(Capture(log, Told()))
    other = PostgresChangeLog(addresses.worker, log._slot)
    await shelf.product()
    async with log.turn() as is_ours, other.turn() as is_others:
        assert (is_ours, is_others) == (True, False)
        assert await Capture(other, Told()).pump() == 0
    await other.close()


async def test_what_nobody_captures_holds_no_log(
    addresses: Addresses, log: PostgresChangeLog, shop: Shop, worker: Any
) -> None:
    capture = Capture(log, Told())
    await until_told(capture)
    for _ in range(20):
        await shop.user()
    before = await worker.fetchval(
        "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1", log._slot
    )
    assert await capture.pump() == 0
    after = await worker.fetchval(
        "SELECT confirmed_flush_lsn > $2 FROM pg_replication_slots WHERE slot_name = $1", log._slot, before
    )
    assert after
    state = await standing(addresses, log)
    assert (state.is_there, state.is_lost, state.most_bytes, state.warnings) == (True, False, 2**30, [])


async def test_the_publication_tells_the_columns_of_the_list_and_no_other(worker: Any) -> None:
    rows = await worker.fetch(
        "SELECT schemaname || '.' || tablename AS name, attnames::text[] AS columns FROM pg_publication_tables"
    )
    assert {row["name"]: set(row["columns"]) for row in rows} == {
        table: set(columns.split()) for table, columns in CAPTURED.items()
    }


async def test_a_slot_that_nobody_read_is_let_go_and_capture_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres.CONFIGURATION, "max_slot_wal_keep_size", "1MB")
    async with own_postgres() as server:
        await server.bootstrap("lost")
        await upgrade_async(server.url("torii_owner", "lost"))
        log = PostgresChangeLog(server.url("torii_worker", "lost"), "torii_lost")
        shop = Shop(await connect(server.url("torii_worker", "lost"), synchronous_commit="on"))
        seller, category = await shop.seller(), await shop.category()
        await until_told(Capture(log, Told()))
        admin = await connect(server.url("postgres", "lost"))
        urls = Addresses(*(server.url(role, "lost") for role in ("torii_owner", "torii_worker", "torii_app")))
        assert (await standing(urls, log)).warnings == []
        await admin.execute("SELECT pg_switch_wal()")
        await shop.product(seller, category)
        [warning] = (await standing(urls, log)).warnings
        assert "of 1,048,576 at most: beyond that changes are lost" in warning
        for _ in range(4):
            await shop.product(seller, category)
            await admin.execute("SELECT pg_switch_wal()")
        await admin.execute("CHECKPOINT")
        with pytest.raises(CaptureLost, match="torii capture restart"):
            await Capture(log, Told()).pump()
        assert (await standing(urls, log)).is_lost
        assert await log.drop()
        told = Told()
        await until_told(Capture(log, told))
        assert len([each for each in told.changes if each.table == "catalog.products"]) == 5
        await admin.close()
        await shop.connection.close()
        await log.close()


def test_what_is_held_back_without_a_bound_is_warned_of() -> None:
    [warning] = CaptureState("torii", is_there=True, held_bytes=1).warnings
    assert "max_slot_wal_keep_size is not set" in warning
    assert CaptureState("torii", is_there=False).warnings == []


COLUMNS = """
    SELECT table_schema || '.' || table_name AS name, column_name FROM information_schema.columns
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'public')
"""


async def test_no_value_of_a_column_that_is_not_listed_is_on_the_stream(
    log: PostgresChangeLog, shop: Shop, owner_of_all: Any
) -> None:
    told = Told()
    await until_told(Capture(log, told))
    await open_market(shop)
    await until_told(Capture(log, told))
    listed: set[str] = set()
    kept_back: dict[str, set[str]] = {}
    for table, column in await owner_of_all.fetch(COLUMNS):
        values = {
            row[0]
            for row in await owner_of_all.fetch(
                f'SELECT DISTINCT "{column}"::text FROM {table} WHERE length("{column}"::text) > 3'
            )
        }
        if column in CAPTURED.get(table, "").split():
            listed |= values
        else:
            kept_back[f"{table}.{column}"] = values - listed
    seen = {
        str(value) for change in told.changes for row in (change.after, change.before) if row for value in row.values()
    }
    assert len(seen) > 50
    assert all(kept_back[name] for name in ("accounts.users.email", "orders.order_addresses.recipient_name"))
    assert {name: found for name, values in kept_back.items() if (found := (values - listed) & seen)} == {}


async def test_a_row_stands_below_a_change_that_was_open_while_it_was_read(
    log: PostgresChangeLog, shelf: Shelf, worker: Any, owner_of_all: Any
) -> None:
    """The change is further back in the log than the row was read, and is told later."""
    changed, removed = await shelf.product(name="古い"), await shelf.product()
    async with log.turn():
        assert await log.begin()
    told = Told()
    async with worker.transaction():
        await worker.execute("UPDATE catalog.products SET name = '新しい' WHERE id = $1", changed)
        await worker.execute("DELETE FROM catalog.products WHERE id = $1", removed)
        made = await Shelf(Shop(worker), shelf.seller, shelf.category).product()
        await owner_of_all.execute("SELECT pg_log_standby_snapshot()")  # the log goes on
        async with log.turn():
            async for rows in log.rows():
                await told.put(rows)
            await log.told_all()
    await until_told(Capture(log, told))
    for key, operations in ((changed, "ru"), (removed, "rd"), (made, "c")):
        assert "".join(each.operation for each in told.of(key)) == operations
        assert [each.position for each in told.of(key)] == sorted({each.position for each in told.of(key)})
    last = max(told.of(changed), key=lambda each: each.position)
    assert last.after is not None
    assert last.after["name"] == "新しい"


async def test_rows_go_on_from_the_page_that_was_put_last(
    log: PostgresChangeLog, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_capture_rows, "PAGE", 2)
    keys = [await shelf.product() for _ in range(7)]
    told = Told()
    for _ in range(3):  # each time it is cut after three pages more
        told.fails_after = len(told.changes) + 6
        with pytest.raises(Cut):
            await Capture(log, told).pump()
    told.fails_after = None
    await until_told(Capture(log, told))
    assert [len(told.of(key)) for key in keys] == [1] * 7
    everything = [(each.table, str(each.key)) for each in told.changes]
    assert len(everything) == len(set(everything))


async def test_what_begins_anew_stands_above_what_was_told_before(log: PostgresChangeLog, shelf: Shelf) -> None:
    told = Told()
    await until_told(Capture(log, told))
    key = await shelf.product(name="古い")
    await until_told(Capture(log, told))
    await log.drop()
    await until_told(Capture(log, told))
    made, row = told.of(key)
    assert (made.operation, row.operation) == (Operation.CREATE, Operation.READ)
    assert made.position < row.position


async def test_a_transaction_that_takes_longer_than_the_limit_gets_longer_ones(
    addresses: Addresses, worker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    too_short_s = 0.00001  # for any answer of the server's
    log = PostgresChangeLog(addresses.worker, f"torii_{uuid7().hex[-12:]}", Patience(too_short_s))
    stuck = PostgresChangeLog(addresses.worker, log._slot, Patience(too_short_s, too_short_s))
    told = Told()
    await until_read(log, told)
    name = f"窯 {uuid7()}"
    await worker.execute("INSERT INTO catalog.brands (name) SELECT $1 FROM generate_series(1, 3000)", name)
    with pytest.raises(CaptureStuck, match="torii capture restart"):
        await until_read(stuck, told)
    failures = await until_read(log, told)
    assert failures > 0
    assert "did not get through its log in time" in caplog.text
    # a page that the one who is stuck has told, and could not confirm in time, is told again
    assert len({str(each.key) for each in told.changes if each.after and each.after.get("name") == name}) == 3_000
    assert log._patience.limit_s == too_short_s
    await stuck.close()
    await log.close()
    await log.drop()


async def until_read(log: PostgresChangeLog, told: Told) -> int:
    """How often it was not."""
    failures = 0
    async with asyncio.timeout(60):
        while True:
            try:
                await until_told(Capture(log, told))
                return failures
            except Unavailable:  # ran out, or the server is still at what was given up
                failures += 1
