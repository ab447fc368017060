"""Corners of an order's course, each on a real database, with the books balanced after it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import settings as program
from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.returns import ReturnReason
from domain.orders.states import ReturnStatus
from tests.orders.life import STOCK, Life, Line

Begin = Callable[..., Awaitable[Life]]


@pytest.fixture
async def begin(settings: program.Settings) -> AsyncIterator[Begin]:
    lives = []

    async def begin(lines: list[Line], fees: tuple[int, int] = (0, 0)) -> Life:
        life = Life(settings.database_url.get_secret_value(), settings.database_worker_url.get_secret_value())
        lives.append(life)
        await life.begin(lines, list(fees), "JPY")
        return life

    yield begin
    for life in lives:
        await life.end()


async def stock(life: Life) -> tuple[int, int]:
    row = await life.connection.fetchrow(
        "SELECT stock_quantity, reserved_quantity FROM catalog.products WHERE id = $1", life.products[0]
    )
    return row[0], row[1]


async def delivered(life: Life, place: int = 0) -> Any:
    """An item that has arrived."""
    await life.pay()
    clerk = life.clerks[life.lines[place].of]
    for step in ("ship", "deliver"):
        item = (await life.seen())[1][place]
        if step == "ship":
            await life.fulfilment.ship(clerk, item.id, item.version, Shipment("ヤマト運輸", "1"))
        else:
            await life.fulfilment.deliver(clerk, item.id, item.version)
    return (await life.seen())[1][place]


class TestAStocktakeThatFindsLessThanWasSetAside:
    async def counted(self, life: Life, found: int) -> None:
        await life.connection.execute(
            "UPDATE catalog.products SET stock_quantity = $2 WHERE id = $1", life.products[0], found
        )

    async def test_what_never_was_there_is_not_put_back(self, begin: Begin) -> None:
        life = await begin([Line(0, 5, 100)])
        await self.counted(life, 3)
        await life.pay()
        assert await stock(life) == (0, 0)
        item = (await life.seen())[1][0]
        await life.fulfilment.cancel_item(life.clerks[0], item.id, item.version, None, "k")
        assert await stock(life) == (3, 0)
        await life._check_money(life.connection.fetch)

    async def test_what_came_back_from_a_buyer_is_there(self, begin: Begin) -> None:
        life = await begin([Line(0, 5, 100)])
        await self.counted(life, 3)
        item = await delivered(life)
        asked = await life.fulfilment.request_return(life.buyer, item.id, 4, ReturnReason.UNWANTED, None, "r")
        await life.fulfilment.accept_return(life.clerks[0], asked, 1)
        await life.fulfilment.receive_return(life.clerks[0], asked, 2, restock=True, key="s")
        assert await stock(life) == (4, 0)

    async def test_none_of_it_is_there(self, begin: Begin) -> None:
        life = await begin([Line(0, 2, 100)])
        await self.counted(life, 0)
        await life.pay()
        order = (await life.seen())[0]
        await life.fulfilment.cancel_order(life.buyer, order.id, order.version, None, "k")
        assert await stock(life) == (0, 0)

    async def test_what_is_not_paid_lets_go_of_no_more_than_it_had(self, begin: Begin) -> None:
        life = await begin([Line(0, 5, 100)])
        await self.counted(life, 3)
        order = (await life.seen())[0]
        await life.fulfilment.cancel_order(life.buyer, order.id, order.version, None, "k")
        assert await stock(life) == (3, 0)


async def test_a_return_whose_price_went_back_before_is_over_when_it_is_received(begin: Begin) -> None:
    life = await begin([Line(0, 1, 500)])
    item = await delivered(life)
    asked = await life.fulfilment.request_return(life.buyer, item.id, 1, ReturnReason.DEFECTIVE, None, "r")
    order = (await life.seen())[0]
    goodwill = RefundRequest(RefundReason.GOODWILL, BorneBy.MARKETPLACE, item_id=item.id, amount=500)
    await life.fulfilment.refund(life.admin, order.id, order.version, goodwill, "g")
    await life.fulfilment.accept_return(life.clerks[0], asked, 1)
    await life.fulfilment.receive_return(life.clerks[0], asked, 2, restock=True, key="s")
    _, [item], [found] = await life.seen()
    assert (found.status, item.fulfillment_status) == (ReturnStatus.REFUNDED, "refunded")
    assert await stock(life) == (STOCK, 0)
    await life.check()


async def test_carriage_of_goods_that_cost_nothing_is_taken_back_from_its_seller(begin: Begin) -> None:
    life = await begin([Line(0, 1, 0), Line(1, 1, 1000)], (300, 0))
    await life.pay()
    item = (await life.seen())[1][0]
    await life.fulfilment.cancel_item(life.clerks[0], item.id, item.version, None, "k")
    [[balance]] = await life.records.balances_of(life.admin, [life.sellers[0]])
    assert (balance.shipping.minor, balance.payable.minor) == (300, 0)
    await life.check()


async def test_a_seller_is_told_of_the_own_part_alone(begin: Begin) -> None:
    life = await begin([Line(0, 2, 700), Line(1, 1, 5_000), Line(0, 1, 50)], (300, 0))
    await life.pay()
    told = await life.connection.fetch(
        "SELECT stream, payload FROM events.outbox WHERE type = 'OrderPaid' AND stream = ANY ($1)",
        [f"seller/{seller}" for seller in life.sellers] + [f"order/{life.order}"],
    )
    amounts = {row["stream"]: json.loads(row["payload"])["amount"] for row in told}
    assert amounts == {
        f"order/{life.order}": 6_750,
        f"seller/{life.sellers[0]}": 1_750,
        f"seller/{life.sellers[1]}": 5_000,
    }


async def test_sellers_do_not_hear_of_an_order_that_nobody_paid_for(begin: Begin) -> None:
    life = await begin([Line(0, 1, 500), Line(1, 2, 300)])
    order, _, _ = await life.seen()
    await life.fulfilment.cancel_order(life.buyer, order.id, order.version, None, "k")
    assert await life.told("order") == ["OrderItemCancelled", "OrderItemCancelled", "OrderCancelled"]
    assert await life.told("seller") == []


async def test_sellers_hear_of_one_that_was_paid_for(begin: Begin) -> None:
    life = await begin([Line(0, 1, 500)])
    await life.pay()
    order, _, _ = await life.seen()
    await life.fulfilment.cancel_order(life.buyer, order.id, order.version, None, "k")
    assert await life.told("seller") == ["OrderPaid", "OrderItemCancelled"]
