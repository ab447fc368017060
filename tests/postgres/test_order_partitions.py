"""Orders in monthly partitions: where rows land, how a month is made, and what stays unique across months.

Months of the 2030s and later, so that no other test writes into them; each test has its own.
"""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.postgres.bulk import BulkLoad
from commands import jobs
from domain.shared.clock import SystemClock
from domain.shared.ids import uuid7
from settings import Settings
from tests.postgres.shelf import until_somebody_waits_for
from tests.postgres.shop import Shop, connect
from tests.watch import Watch

YEARS = itertools.count(2031)
DEFAULT = "orders_default"


@pytest.fixture
def month() -> date:
    """June of a year that no other test of this process uses."""
    return date(next(YEARS), 6, 1)


def noon(month: date) -> datetime:
    """A moment in the middle of the month."""
    return datetime(month.year, month.month, 15, 12, tzinfo=UTC)


async def place_of(connection: Any, order: UUID) -> str:
    """The partition that holds an order."""
    name: str = await connection.fetchval("SELECT tableoid::regclass::text FROM orders.orders WHERE id = $1", order)
    return name.removeprefix("orders.")


class TestWhereOrdersLand:
    async def test_in_their_month_where_it_has_a_partition(self, shop: Shop, month: date) -> None:
        assert await shop.ensure_month(month)
        assert await place_of(shop.connection, await shop.order(None, noon(month))) == f"orders_{month:%Y_%m}"

    async def test_in_the_default_partition_where_it_has_none(self, shop: Shop, month: date) -> None:
        assert await place_of(shop.connection, await shop.order(None, noon(month))) == DEFAULT

    async def test_a_month_holds_exactly_the_keys_made_in_it(self, shop: Shop, month: date) -> None:
        following = date(month.year, 7, 1)
        await shop.ensure_month(month)
        await shop.ensure_month(following)
        first = datetime(month.year, 6, 1, tzinfo=UTC)
        end, tick = datetime(month.year, 7, 1, tzinfo=UTC), timedelta(milliseconds=1)
        keys = {
            uuid7(first - tick, -1): DEFAULT,
            uuid7(first, 0): f"orders_{month:%Y_%m}",
            uuid7(end - tick, -1): f"orders_{month:%Y_%m}",
            uuid7(end, 0): f"orders_{following:%Y_%m}",
        }
        for key, place in keys.items():
            await shop.order(None, id=key)
            assert await place_of(shop.connection, key) == place

    async def test_any_day_names_its_month_whatever_the_time_zone_of_the_session(self, shop: Shop, month: date) -> None:
        await shop.connection.execute("SET timezone = 'Pacific/Kiritimati'")
        assert await shop.ensure_month(date(month.year, 6, 30))
        assert not await shop.ensure_month(month)
        order = await shop.order(None, datetime(month.year, 6, 30, 23, 59, tzinfo=UTC))
        assert await place_of(shop.connection, order) == f"orders_{month:%Y_%m}"


class TestMovingAMonthOutOfTheDefaultPartition:
    async def test_rows_move_with_all_that_refers_to_them(self, shop: Shop, month: date) -> None:
        order, parts = await whole_order(shop, month)
        assert await place_of(shop.connection, order) == DEFAULT
        assert await shop.ensure_month(month)
        assert await place_of(shop.connection, order) == f"orders_{month:%Y_%m}"
        for table, key in parts.items():
            assert await shop.connection.fetchval(f"SELECT order_id FROM {table} WHERE id = $1", key) == order

    async def test_a_month_that_was_missed_is_moved_out_by_the_next_migrate(
        self, shop: Shop, settings: Settings, month: date
    ) -> None:
        order = await shop.order(None, datetime(month.year, 6, 1, tzinfo=UTC))
        later = await shop.order(None, datetime(month.year, 8, 31, 23, 59, tzinfo=UTC))
        await shop.order(None, id=uuid4())  # of no time: it stays, and is in nobody's way
        await jobs.make_partitions(settings, SystemClock())
        assert await place_of(shop.connection, order) == f"orders_{month:%Y_%m}"
        assert await place_of(shop.connection, later) == f"orders_{month.year}_08"

    async def test_each_month_makes_the_next_ones_before_they_are_there(
        self, shop: Shop, settings: Settings, month: date
    ) -> None:
        watch = Watch(datetime(month.year, 11, 30, 23, 59, tzinfo=UTC))
        await jobs.make_partitions(settings, watch)
        coming = [(month.year, 11), (month.year, 12), (month.year + 1, 1)]
        for year, number in coming:
            assert await place_of(shop.connection, await shop.order(None, noon(date(year, number, 1)))) == (
                f"orders_{year}_{number:02}"
            )
        watch.wind(timedelta(minutes=1))
        await jobs.make_partitions(settings, watch)
        february = await shop.order(None, noon(date(month.year + 1, 2, 1)))
        assert await place_of(shop.connection, february) == f"orders_{month.year + 1}_02"

    async def test_to_look_for_missed_months_reads_no_partition_but_the_default_one(
        self, shop: Shop, month: date
    ) -> None:
        await shop.ensure_month(month)
        await shop.order(None, noon(month))
        await shop.order(None, noon(date(month.year, 7, 1)))
        async with shop.connection.transaction():
            assert date(month.year, 7, 1) in await BulkLoad(shop.connection).months_without_partition()
            touched = await shop.connection.fetch(
                "SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                " WHERE l.pid = pg_backend_pid() AND c.relname LIKE 'orders%' AND c.relkind IN ('r', 'p')"
            )
        assert [row["relname"] for row in touched] == [DEFAULT]

    async def test_foreign_keys_still_hold_afterwards(self, shop: Shop, month: date) -> None:
        order, parts = await whole_order(shop, month)
        await shop.ensure_month(month)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await shop.connection.execute("DELETE FROM orders.orders WHERE id = $1", order)
        buyer = await shop.connection.fetchval("SELECT user_id FROM orders.orders WHERE id = $1", order)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await shop.connection.execute("DELETE FROM accounts.users WHERE id = $1", buyer)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await shop.order(uuid7(), noon(month))
        for table, key in parts.items():
            await shop.connection.execute(f"DELETE FROM {table} WHERE id = $1", key)
        await shop.connection.execute("DELETE FROM orders.orders WHERE id = $1", order)

    async def test_rows_of_other_months_stay(self, shop: Shop, month: date) -> None:
        other = await shop.order(None, datetime(month.year, 7, 1, tzinfo=UTC))
        await shop.order(None, noon(month))
        await shop.ensure_month(month)
        assert await place_of(shop.connection, other) == DEFAULT

    async def test_rules_and_triggers_hold_in_the_new_partition(self, shop: Shop, month: date) -> None:
        order = await shop.order(None, noon(month))
        await shop.ensure_month(month)
        with pytest.raises(asyncpg.CheckViolationError):
            await shop.order(None, noon(month), total_amount=1)
        touched = "UPDATE orders.orders SET metadata = '{}' WHERE id = $1 RETURNING updated_at > created_at"
        assert await shop.connection.fetchval(touched, order)
        with pytest.raises(asyncpg.CheckViolationError, match="history"):
            await shop.connection.execute("UPDATE orders.orders SET status = 'shipped' WHERE id = $1", order)
        with pytest.raises(asyncpg.RestrictViolationError):
            await shop.connection.execute("UPDATE orders.orders SET order_number = 'X' WHERE id = $1", order)

    async def test_an_address_that_is_deleted_leaves_the_order(self, shop: Shop, month: date) -> None:
        user = await shop.user()
        address = await shop.address(user)
        order = await shop.order(user, noon(month), shipping_address_id=address)
        await shop.ensure_month(month)
        await shop.connection.execute("DELETE FROM accounts.addresses WHERE id = $1", address)
        assert await shop.connection.fetchval(
            "SELECT shipping_address_id IS NULL FROM orders.orders WHERE id = $1", order
        )

    async def test_triggers_work_again_in_the_same_transaction(self, shop: Shop, month: date) -> None:
        await shop.order(None, noon(month))
        async with shop.connection.transaction():
            await shop.ensure_month(month)
            assert await shop.connection.fetchval("SELECT current_setting('session_replication_role')") == "origin"
            assert await shop.connection.fetchval("SELECT current_setting('lock_timeout')") == "0"
            order = await shop.order(None, noon(month), order_number=f"again-{month}")
        claimed = "SELECT order_id FROM orders.order_numbers WHERE order_number = $1"
        assert await shop.connection.fetchval(claimed, f"again-{month}") == order


async def whole_order(shop: Shop, month: date) -> tuple[UUID, dict[str, UUID]]:
    """An order of the month, and the key of a row in each table that refers to orders."""
    buyer, seller = await shop.user(), await shop.seller()
    product = await shop.product(seller, await shop.category())
    order = await shop.order(buyer, noon(month), shipping_address_id=await shop.address(buyer))
    return order, {
        "orders.order_items": await shop.item(order, product, seller),
        "orders.order_payments": await shop.payment(order),
        "orders.order_status_histories": await shop.history(order),
        "reviews.seller_reviews": await shop.seller_review(buyer, seller, order),
    }


class TestAtOnce:
    async def test_a_month_is_made_once(self, settings: Settings, month: date) -> None:
        connections = await workers(settings, 4)
        made = await asyncio.gather(*(Shop(connection).ensure_month(month) for connection in connections))
        await close(connections)
        assert sorted(made) == [False, False, False, True]

    async def test_orders_go_on_being_placed_while_their_month_is_made(
        self, shop: Shop, settings: Settings, month: date
    ) -> None:
        connections = await workers(settings, 4)
        buyer, seller = await shop.user(), await shop.seller()
        product = await shop.product(seller, await shop.category())
        made = asyncio.Event()

        async def place(placing: Shop) -> list[UUID]:
            """Whole orders, one transaction each, until some time after the month is there."""
            placed: list[UUID] = []
            left = 5
            while left:
                left -= made.is_set()
                async with placing.connection.transaction():
                    address = await placing.address(buyer)
                    order = await placing.order(buyer, noon(month), shipping_address_id=address)
                    await placing.item(order, product, seller)
                    await placing.history(order)
                placed.append(order)
            return placed

        async def make() -> None:
            while await place_of_any(shop, month) is None:  # some are in the default partition first
                await asyncio.sleep(0)
            assert await shop.ensure_month(month)
            made.set()

        making = asyncio.create_task(make())
        placed = await asyncio.gather(*(place(Shop(connection)) for connection in connections))
        await making
        await close(connections)
        orders = [order for some in placed for order in some]
        homes = await shop.connection.fetch(
            "SELECT DISTINCT tableoid::regclass::text AS home FROM orders.orders WHERE id = ANY ($1)", orders
        )
        assert [row["home"] for row in homes] == [f"orders.orders_{month:%Y_%m}"]
        items = (
            "SELECT count(*) FROM orders.order_items i JOIN orders.orders o ON o.id = i.order_id WHERE o.id = ANY ($1)"
        )
        assert await shop.connection.fetchval(items, orders) == len(orders)

    async def test_whoever_wrote_a_neighbour_and_then_reads_orders_is_no_deadlock(
        self, shop: Shop, settings: Settings, month: date
    ) -> None:
        [busy] = await workers(settings, 1)
        transaction = busy.transaction()
        await transaction.start()
        user = await Shop(busy).user()  # making the partition has to wait for this
        making = asyncio.create_task(shop.ensure_month(month))
        await until_somebody_waits_for(busy)
        await Shop(busy).order(user, noon(month))  # and this for the making, if it keeps what it has
        await transaction.commit()
        assert await making
        await close([busy])

    async def test_nobody_misses_an_order_that_moves(self, shop: Shop, settings: Settings, month: date) -> None:
        orders = [await shop.order(None, noon(month)) for _ in range(3)]
        readers = await workers(settings, 3)
        made = asyncio.Event()

        async def read(connection: Any) -> set[int]:
            counts = set()
            while not made.is_set():
                counts.add(await connection.fetchval("SELECT count(*) FROM orders.orders WHERE id = ANY ($1)", orders))
            return counts

        async def make() -> None:
            await shop.ensure_month(month)
            made.set()

        making = asyncio.create_task(make())
        counts = await asyncio.gather(*(read(connection) for connection in readers))
        await making
        await close(readers)
        assert set().union(*counts) == {3}


async def place_of_any(shop: Shop, month: date) -> str | None:
    lower, upper = uuid7(noon(month), 0), uuid7(noon(month) + timedelta(milliseconds=1), 0)
    some = "SELECT tableoid::regclass::text FROM orders.orders WHERE id >= $1 AND id < $2 LIMIT 1"
    name: str | None = await shop.connection.fetchval(some, lower, upper)
    return name


async def workers(settings: Settings, number: int) -> Sequence[Any]:
    url = settings.database_worker_url.get_secret_value()
    return await asyncio.gather(*(connect(url) for _ in range(number)))


async def close(connections: Sequence[Any]) -> None:
    await asyncio.gather(*(connection.close() for connection in connections))


class TestWhatIsUniqueAcrossMonths:
    async def test_order_numbers(self, shop: Shop, month: date) -> None:
        await shop.ensure_month(month)
        number = f"N-{month}"
        order = await shop.order(None, noon(month), order_number=number)
        with pytest.raises(asyncpg.UniqueViolationError):
            await shop.order(None, noon(date(month.year, 8, 1)), order_number=number)
        await shop.connection.execute("DELETE FROM orders.orders WHERE id = $1", order)
        await shop.order(None, noon(date(month.year, 8, 1)), order_number=number)

    async def test_an_order_number_cannot_be_changed_into_another(self, shop: Shop, month: date) -> None:
        taken, order = f"N-{month}", await shop.order(None, noon(month))
        await shop.order(None, noon(date(month.year, 8, 1)), order_number=taken)
        with pytest.raises(asyncpg.RestrictViolationError):
            await shop.connection.execute("UPDATE orders.orders SET order_number = $2 WHERE id = $1", order, taken)
        with pytest.raises(asyncpg.RestrictViolationError):
            await shop.connection.execute("UPDATE orders.orders SET id = $2 WHERE id = $1", order, uuid7())

    async def test_payment_intents(self, shop: Shop, month: date) -> None:
        await shop.ensure_month(month)
        intent = f"pi_{month}"
        await shop.payment(await shop.order(None, noon(month)), stripe_payment_intent_id=intent)
        later = await shop.order(None, noon(date(month.year, 8, 1)))
        with pytest.raises(asyncpg.UniqueViolationError):
            await shop.payment(later, stripe_payment_intent_id=intent)

    async def test_an_order_has_one_payment(self, shop: Shop, month: date) -> None:
        order = await shop.order(None, noon(month))
        await shop.payment(order)
        with pytest.raises(asyncpg.UniqueViolationError):
            await shop.payment(order)


class TestWhoMay:
    async def test_a_new_partition_is_under_row_level_security_and_grants_nothing(
        self, shop: Shop, app: Any, owner: Any, month: date
    ) -> None:
        await shop.order(None, noon(month))
        await shop.ensure_month(month)
        name = f"orders.orders_{month:%Y_%m}"
        flags = await owner.fetchrow(
            "SELECT relrowsecurity, relforcerowsecurity, relacl FROM pg_class WHERE oid = $1::regclass", name
        )
        assert tuple(flags) == (True, True, None)
        for connection in (app, shop.connection):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {name}")

    async def test_the_gateway_makes_no_partitions(self, app: Any, month: date) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await Shop(app).ensure_month(month)
