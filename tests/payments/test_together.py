"""Money and stock that others are at, too: whoever the database sends back goes again, and one failure stops no other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from asyncpg import DeadlockDetectedError, PostgresError
from sqlalchemy.exc import DBAPIError

from adapters.postgres.again import TRIES, again_where_it_helps
from adapters.postgres.database import Database
from adapters.postgres.orders_fulfilment import PostgresOrderFiles
from adapters.postgres.orders_refunding import TOO_MUCH, PostgresRefundBook
from domain.orders.changes import Changes
from domain.orders.decisions import cancel_item
from domain.orders.open_order import OpenOrder
from domain.orders.ports import SettlementKind
from domain.payments.model import RefundId
from domain.shared.clock import SystemClock
from domain.shared.ids import OrderItemId
from domain.shared.viewer import Role, Viewer
from settings import Settings
from tests.payments.conftest import Till
from tests.payments.scene import Placed
from tests.payments.test_refunds import decide, sold, status
from tests.postgres.shop import connect

ORDER = "SELECT FROM orders.orders WHERE id = $1 FOR UPDATE"
PRODUCT = "SELECT FROM catalog.products WHERE id = $1 FOR UPDATE"
REFUND = "SELECT FROM orders.refunds WHERE id = $1 FOR UPDATE"


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Any]:
    """Somebody who locks in the wrong order."""
    connection = await connect(settings.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


async def crossed(
    till: Till, other: Any, first: tuple[str, Any], placed: Placed, deed: Callable[[], Awaitable[Any]]
) -> Any:
    """The deed has the order's lock and wants what the other has, who wants the order's."""
    async with other.transaction():
        await other.execute(*first)
        running = asyncio.ensure_future(deed())
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))"
        me = other.get_server_pid()
        async with asyncio.timeout(30):
            while not (running.done() or (await till.scene.fetch(waiting, me))[0][0]):
                await asyncio.sleep(0.005)
        with suppress(DeadlockDetectedError):  # either of the two may be sent back
            async with other.transaction():
                await other.execute(ORDER, placed.id)
    return await running


async def test_a_payment_is_settled_all_the_same(till: Till, other: Any) -> None:
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    told = await crossed(till, other, (PRODUCT, placed.product), placed, lambda: till.finaliser.settle(placed.id))
    assert told.kind is SettlementKind.SUCCEEDED
    books = await till.scene.books(placed)
    assert (books.stock, books.reserved, books.events) == (8, 0, ["OrderPaid"])


async def test_an_item_is_cancelled_all_the_same(till: Till, other: Any, database: Database) -> None:
    placed = await sold(till)
    files = PostgresOrderFiles(database, SystemClock())
    item = (await till.scene.fetch("SELECT id, version FROM orders.order_items WHERE order_id = $1", placed.id))[0]
    admin = Viewer(Role.ADMIN)

    def decided(order: OpenOrder) -> Changes:
        return cancel_item(order, admin, OrderItemId(item["id"]), item["version"], None)

    await crossed(till, other, (PRODUCT, placed.product), placed, lambda: files.change(admin, placed.id, decided))
    books = await till.scene.books(placed)
    assert (books.order, books.stock) == ("cancelled", 10)
    assert [row[:1] for row in await till.scene.refunds(placed)] == [(2000,)]


async def test_a_refund_is_written_all_the_same(till: Till, other: Any, database: Database) -> None:
    placed = await sold(till)
    refund = await decide(till, placed, 700)

    async def settle() -> None:
        book = PostgresRefundBook(database)
        await book.settle(RefundId(refund), succeeded=True, provider_id=f"re_{refund}", problem=None)

    await crossed(till, other, (REFUND, refund), placed, settle)
    assert await status(till, refund) == "succeeded"


async def test_who_is_sent_back_again_and_again_gives_up(till: Till) -> None:
    tries = 0

    async def always() -> None:
        nonlocal tries
        tries += 1
        await till.scene.execute("DO $$ BEGIN RAISE deadlock_detected; END $$")

    with pytest.raises(Exception, match="deadlock_detected") as caught:
        await again_where_it_helps(lambda: wrapped(always()))
    assert tries == TRIES
    assert caught.type.__name__ == "DBAPIError"


async def wrapped(deed: Awaitable[None]) -> None:
    """As SQLAlchemy tells of what the driver raises."""
    try:
        await deed
    except PostgresError as error:
        raise DBAPIError("DO", None, error) from error


async def test_a_refund_that_cannot_be_tried_again_keeps_none_from_it(till: Till, database: Database) -> None:
    placed, other = await sold(till), await sold(till)
    stuck, free = await decide(till, placed, 1500), await decide(till, other, 1500)
    book = PostgresRefundBook(database)
    for refund in (stuck, free):
        await book.settle(RefundId(refund), succeeded=False, provider_id=None, problem="payment_refunded")
    await decide(till, placed, 600)  # in its place
    await book.try_again(till.clock.now())
    assert (await status(till, stuck), await status(till, free)) == ("failed", "pending")
    [problem] = [each.problem for each in await book.troubles(1000) if each.id == stuck]
    assert problem == TOO_MUCH
