"""Refunds that people make in Stripe's dashboard: in the books once each, whatever is told in which order and how often."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.orders_made_there import PostgresMadeThere
from adapters.postgres.orders_refunding import PostgresRefundBook
from composition.paying import PaymentTools
from domain.payments.model import RefundId
from tests.payments.conftest import Till
from tests.payments.loops import Door, told_of, until
from tests.payments.scene import Placed
from tests.payments.test_refunds import decide, sold, status

Heard = Callable[[Placed], Any]


@pytest.fixture
def hear(till: Till, tools: PaymentTools, door: Door) -> Heard:
    """All that Stripe tells of a payment, some of it twice, is acted on."""

    async def hear(placed: Placed) -> None:
        told = told_of(till.sandbox, await till.intent_id(placed))
        for event in (*told, told[-1]):
            await door.put_in(event)
        keys = [event["id"] for event in told]

        async def is_done() -> bool:
            await tools.inbox.work()
            read = "SELECT count(*) FROM payments.webhook_events WHERE event_id = ANY ($1) AND handled_at IS NULL"
            return (await till.scene.fetch(read, keys))[0][0] == 0

        await until(is_done)

    return hear


async def by_hand(till: Till, placed: Placed, **amount: int) -> str:
    made = till.sandbox.post("/v1/refunds", payment_intent=await till.intent_id(placed), **amount)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


async def test_it_is_in_the_refunds_and_in_the_ledger_once(till: Till, hear: Heard) -> None:
    placed = await sold(till)
    await by_hand(till, placed, amount=500)
    for _ in range(2):
        await hear(placed)
    assert await till.scene.refunds(placed) == [(500, "JPY", "manual", "succeeded")]
    ledger = await till.scene.ledger(placed)
    assert sum(ledger.values()) == 0
    assert (ledger["buyer_receipts"], ledger["marketplace:refunds"]) == (
        -1500,
        -500,
    )  # the seller keeps what is its own
    assert (await till.scene.books(placed)).events == ["OrderPaid", "RefundSucceeded"]
    await by_hand(till, placed)
    await hear(placed)
    assert [row[0] for row in await till.scene.refunds(placed)] == [500, 1500]
    assert (await till.scene.books(placed)).payment == "refunded"


async def test_one_that_is_heard_of_by_many_at_once(till: Till, tools: PaymentTools) -> None:
    placed = await sold(till)
    await by_hand(till, placed, amount=700)
    intent_id = await till.intent_id(placed)
    await asyncio.gather(*(tools.refunds.follow(intent_id) for _ in range(6)))
    assert await till.scene.refunds(placed) == [(700, "JPY", "manual", "succeeded")]


async def test_what_was_decided_here_is_not_booked_again(till: Till, tools: PaymentTools, hear: Heard) -> None:
    placed = await sold(till)
    refund = await decide(till, placed, 300)
    while await status(till, refund) != "succeeded":
        await tools.refunds.work()
    await by_hand(till, placed, amount=200)
    await hear(placed)
    assert sorted((row[0], row[2]) for row in await till.scene.refunds(placed)) == [(200, "manual"), (300, "goodwill")]


async def test_one_made_before_anybody_heard_that_it_was_paid(till: Till, tools: PaymentTools, door: Door) -> None:
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    await by_hand(till, placed, amount=400)
    told = [each for each in told_of(till.sandbox, await till.intent_id(placed)) if each["type"] == "charge.refunded"]
    for event in told:
        await door.put_in(event)

    async def is_booked() -> bool:
        await tools.inbox.work()
        return await till.scene.refunds(placed) == [(400, "JPY", "manual", "succeeded")]

    await until(is_booked)
    assert (await till.scene.books(placed)).payment == "succeeded"


async def test_what_failed_here_and_was_given_back_by_hand_is_one(till: Till, hear: Heard, database: Database) -> None:
    placed = await sold(till)
    refund = await decide(till, placed, placed.amount.minor)
    book = PostgresRefundBook(database)
    await book.settle(RefundId(refund), succeeded=False, provider_id=None, problem="PAYMENT_REFUSED")
    await by_hand(till, placed)  # all of it
    await hear(placed)
    assert await till.scene.refunds(placed) == [(placed.amount.minor, "JPY", "goodwill", "succeeded")]
    assert (await till.scene.books(placed)).payment == "refunded"


async def test_what_the_books_have_no_place_for_is_for_people(
    till: Till, tools: PaymentTools, hear: Heard, database: Database
) -> None:
    placed = await sold(till)
    await by_hand(till, placed, amount=1800)
    refund = await decide(till, placed, 600)
    while await status(till, refund) != "failed":
        await tools.refunds.work()
    await hear(placed)
    assert [(row[0], row[2]) for row in await till.scene.refunds(placed)] == [(600, "goodwill"), (1400, "manual")]
    [problem] = [each for each in await PostgresMadeThere(database).troubles(1000) if each.id == placed.id]
    assert "400 of 1800" in problem.problem
    await hear(placed)
    assert len(await till.scene.refunds(placed)) == 2
