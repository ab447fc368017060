"""What Stripe tells, acted on once and in any order: messages as the sandbox makes them, real loops on a real database."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from composition.paying import PaymentTools
from domain.payments.inbox import LEASE, Acting, Subject
from domain.payments.model import IntentId
from domain.shared.clock import SystemClock
from settings import Settings
from tests.payments.conftest import Till
from tests.payments.loops import Door, Event, at_work, told_of, tools_of, until
from tests.payments.scene import MovingClock, Placed
from tests.payments.test_finaliser import EXPIRED, PAID, UNPAID


def made_up(kind: str, about: Any, **changes: Any) -> Event:
    key = f"evt_{random.getrandbits(64):x}"
    return {"id": key, "object": "event", "type": kind, "data": {"object": about}} | changes


async def rows_of(till: Till, events: Sequence[Event]) -> list[Any]:
    read = "SELECT * FROM payments.webhook_events WHERE event_id = ANY ($1)"
    return list(await till.scene.fetch(read, list({each["id"] for each in events})))


async def handled(till: Till, events: Sequence[Event]) -> bool:
    return all(row["handled_at"] is not None for row in await rows_of(till, events))


async def paid(till: Till, currency: str = "JPY") -> Placed:
    """Paid in the buyer's browser; nobody here knows."""
    placed = await till.scene.place(currency)
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    return placed


@pytest.mark.parametrize("seed", range(3))
async def test_each_message_five_times_in_random_order_to_two_workers_is_told_once(
    till: Till, tools: PaymentTools, settings: Settings, door: Door, seed: int
) -> None:
    chance = random.Random(seed)
    orders = [await paid(till, chance.choice(["JPY", "USD"])) for _ in range(4)]
    declined = await till.scene.place()
    await till.finaliser.settle(declined.id)
    await till.pay(declined, "pm_card_chargeDeclined")
    told = [each for placed in [*orders, declined] for each in told_of(till.sandbox, await till.intent_id(placed))] * 5
    assert len(told) == 5 * 5 * 3  # created, charged, and paid or not
    chance.shuffle(told)
    async with tools_of(settings, till.sandbox, SystemClock()) as others, at_work(tools, others):
        await asyncio.gather(*(door.put_in(each) for each in told))
        await until(lambda: handled(till, told))
    for placed in orders:
        assert await till.scene.books(placed) == PAID
    books = await till.scene.books(declined)
    assert (books.order, books.payment, books.events) == ("pending", "failed", ["OrderPaymentFailed"])
    assert {row["outcome"] for row in await rows_of(till, told)} == {"settled"}


async def test_what_a_message_says_is_not_believed(till: Till, tools: PaymentTools, door: Door) -> None:
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    intent_id = await till.intent_id(placed)
    lie = {"object": "payment_intent", "id": intent_id, "status": "succeeded", "amount_received": placed.amount.minor}
    event = made_up("payment_intent.succeeded", lie | {"metadata": {"order_id": str(placed.id)}})
    await door.put_in(event)
    await tools.inbox.work()
    assert await handled(till, [event])
    assert await till.scene.books(placed) == UNPAID


@pytest.mark.parametrize(
    ("kind", "about", "outcome"),
    [
        ("moon.phase_changed", {"object": "moon"}, "ignored"),
        ("customer.created", {"object": "customer", "id": "cus_1"}, "ignored"),
        ("charge.dispute.created", {"object": "dispute", "payment_intent": "pi_1"}, "not ours"),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_of_others"}, "not ours"),
        ("payment_intent.succeeded", {"object": "payment_intent", "metadata": 1}, "ignored"),
        (
            "payment_intent.succeeded",
            {"object": "payment_intent", "id": "pi_x", "metadata": {"order_id": "x"}},
            "not ours",
        ),
        ("charge.succeeded", {"object": "charge", "payment_intent": None}, "ignored"),
        ("charge.succeeded", None, "ignored"),
        ("refund.updated", {"object": "refund", "payment_intent": "pi_of_others"}, "not ours"),
    ],
)
async def test_what_nobody_acts_on_is_marked_so(
    till: Till, tools: PaymentTools, door: Door, kind: str, about: Any, outcome: str
) -> None:
    event = made_up(kind, about)
    await door.put_in(event)
    await tools.inbox.work()
    (row,) = await rows_of(till, [event])
    assert (row["outcome"], row["handled_at"] is not None) == (outcome, True)


class FailingOn:
    """A fault that no back end is to blame for, with one payment."""

    def __init__(self, acting: Acting, intent_id: IntentId) -> None:
        self._acting, self._intent_id = acting, intent_id

    async def on(self, subject: Subject) -> str:
        if subject.intent_id == self._intent_id:
            raise ValueError("odd")
        return await self._acting.on(subject)


async def test_a_message_that_fails_rests_longer_each_time_and_says_why(
    till: Till, later: tuple[PaymentTools, MovingClock], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, clock = later
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    monkeypatch.setattr(tools.inbox, "_acting", FailingOn(tools.inbox._acting, await till.intent_id(placed)))
    (event,) = [
        e for e in told_of(till.sandbox, await till.intent_id(placed)) if e["type"] == "payment_intent.succeeded"
    ]
    await door.put_in(event)
    for attempt in (1, 2, 3):
        await tools.inbox.work()
        await tools.inbox.work()  # it rests
        (row,) = await rows_of(till, [event])
        assert (row["attempts"], row["handled_at"]) == (attempt, None)
        assert row["problem"].startswith("ValueError in test_inbox.py")
        assert round((row["try_at"] - clock.now()).total_seconds()) == 2**attempt
        clock.move(seconds=2**attempt)
    await till.scene.execute("DELETE FROM payments.webhook_events WHERE event_id = $1", event["id"])


async def test_an_outage_is_over_within_a_minute_of_its_end(
    till: Till, later: tuple[PaymentTools, MovingClock], door: Door
) -> None:
    tools, clock = later
    placed = await paid(till)
    events = told_of(till.sandbox, await till.intent_id(placed))
    for event in events:
        await door.put_in(event)
    till.sandbox.post("/_sandbox/faults", kind="rate_limit", method="GET", times=100)
    for _ in range(3):
        await tools.inbox.work()
        clock.move(seconds=15)
    assert not await handled(till, events)
    till.sandbox.post("/_sandbox/faults/clear")
    await tools.inbox.work()
    assert await till.scene.books(placed) == PAID


async def test_what_a_killed_worker_was_at_is_left_to_others(
    till: Till, later: tuple[PaymentTools, MovingClock], door: Door
) -> None:
    tools, clock = later
    placed = await paid(till)
    events = told_of(till.sandbox, await till.intent_id(placed))
    for event in events:
        await door.put_in(event)
    killed = asyncio.create_task(tools.inbox.work())
    till.sandbox.post("/_sandbox/faults", kind="timeout", method="GET")
    await until(lambda: _taken(till, events))
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    till.sandbox.post("/_sandbox/faults/clear")
    await tools.inbox.work()
    assert not await handled(till, events)  # theirs for a while
    clock.move(seconds=LEASE.total_seconds())
    await tools.inbox.work()
    assert await till.scene.books(placed) == PAID


async def _taken(till: Till, events: Sequence[Event]) -> bool:
    return all(row["attempts"] for row in await rows_of(till, events))


class TestWithoutAMessage:
    async def test_payments_that_nobody_told_of_are_asked_for(
        self, till: Till, later: tuple[PaymentTools, MovingClock]
    ) -> None:
        tools, clock = later
        orders = [await paid(till, currency) for currency in ("JPY", "USD")]
        async for _ in tools.reconciliation.check():
            pass
        assert await till.scene.books(orders[0]) == UNPAID  # messages have their time
        clock.move(minutes=6)
        assert sum([n async for n in tools.reconciliation.check()]) >= 2
        for placed in orders:
            assert await till.scene.books(placed) == PAID

    async def test_orders_out_of_time_end_however_many(
        self, till: Till, later: tuple[PaymentTools, MovingClock]
    ) -> None:
        tools, clock = later
        unpaid, never_asked, at_the_last_moment = [await till.scene.place() for _ in range(3)]
        await till.finaliser.settle(unpaid.id)
        await till.finaliser.settle(at_the_last_moment.id)
        await till.pay(at_the_last_moment)
        clock.move(minutes=29)
        async for _ in tools.reconciliation.expire():  # orders of other tests may be older
            pass
        assert await till.scene.books(unpaid) == await till.scene.books(never_asked) == UNPAID
        clock.move(minutes=2)
        assert sum([n async for n in tools.reconciliation.expire()]) >= 3
        assert await till.scene.books(unpaid) == await till.scene.books(never_asked) == EXPIRED
        assert await till.scene.books(at_the_last_moment) == PAID

    async def test_one_whose_rows_are_broken_holds_up_no_other(
        self, till: Till, later: tuple[PaymentTools, MovingClock]
    ) -> None:
        tools, clock = later
        broken, fine = await till.scene.place(), await till.scene.place()
        await till.scene.execute(
            "INSERT INTO orders.order_items (id, order_id, product_id, seller_id, product_name, currency, quantity,"
            " unit_price, total_price, fulfillment_status) SELECT uuidv7(), order_id, product_id, seller_id, product_name,"
            " currency, quantity, unit_price, total_price, 'shipped' FROM orders.order_items WHERE order_id = $1",
            broken.id,
        )
        clock.move(minutes=31)
        async for _ in tools.reconciliation.expire():
            pass
        assert (await till.scene.books(broken)).reservations == ["held"]
        assert await till.scene.books(fine) == EXPIRED
        await till.scene.execute("UPDATE orders.orders SET expires_at = NULL WHERE id = $1", broken.id)
