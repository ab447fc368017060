"""What is decided to go back goes back, once: real PostgreSQL, a real process that speaks Stripe's API."""

import asyncio
import json
from uuid import UUID

import pytest

from adapters.postgres.database import Database
from adapters.postgres.orders_refunding import PostgresRefundBook
from composition.paying import PaymentTools
from domain.payments.model import IntentId, Refund, RefundId, RefundStatus
from domain.payments.refunds import RefundDesk
from domain.shared.ids import uuid7
from domain.shared.money import Money
from tests.payments.conftest import Till
from tests.payments.loops import Door, at_work, told_of, until
from tests.payments.scene import Placed


@pytest.fixture
def desk(till: Till, database: Database) -> RefundDesk:
    return RefundDesk(till.provider, PostgresRefundBook(database), till.clock)


async def sold(till: Till, currency: str = "JPY") -> Placed:
    placed = await till.scene.place(currency)
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    await till.finaliser.settle(placed.id)
    return placed


async def decide(till: Till, placed: Placed, amount: int) -> UUID:
    """As whoever cancels or takes something back writes it."""
    refund, payment = uuid7(), await till.scene.payment(placed)
    async with till.scene.transaction():
        await till.scene.execute(
            "INSERT INTO orders.refunds (id, order_id, payment_id, seller_id, amount, currency, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6, 'goodwill')",
            refund,
            placed.id,
            payment["id"],
            placed.seller,
            amount,
            placed.amount.currency,
        )
        item = (await till.scene.fetch("SELECT id FROM orders.order_items WHERE order_id = $1", placed.id))[0][0]
        await till.scene.execute(
            "INSERT INTO orders.refund_parts (refund_id, order_item_id, amount, tax_percent) VALUES ($1, $2, $3, 10)",
            refund,
            item,
            amount,
        )
    return refund


async def status(till: Till, refund: UUID) -> str:
    row = (await till.scene.fetch("SELECT * FROM orders.refunds WHERE id = $1", refund))[0]
    return str(row["status"])


async def went_back(till: Till, placed: Placed) -> int:
    charge = till.sandbox.get("/v1/charges", payment_intent=await till.intent_id(placed)).json()["data"][0]
    return int(charge["amount_refunded"])


@pytest.mark.parametrize("currency", ["JPY", "USD"])
async def test_in_parts_each_once_until_all_is_back(till: Till, desk: RefundDesk, currency: str) -> None:
    placed = await sold(till, currency)
    first = await decide(till, placed, 501)
    await asyncio.gather(desk.work(), desk.work())
    assert (await status(till, first), await went_back(till, placed)) == ("succeeded", 501)
    assert (await till.scene.books(placed)).payment == "succeeded"
    second = await decide(till, placed, placed.amount.minor - 501)
    await desk.work()
    await desk.work()
    assert (await status(till, second), await went_back(till, placed)) == ("succeeded", placed.amount.minor)
    books = await till.scene.books(placed)
    assert (books.payment, books.events) == ("refunded", ["OrderPaid", "RefundSucceeded", "RefundSucceeded"])


async def test_the_seller_is_told_of_it_and_what_is_told_holds_no_person(till: Till, desk: RefundDesk) -> None:
    placed = await sold(till)
    refund = await decide(till, placed, 500)
    await desk.work()
    rows = await till.scene.fetch(
        "SELECT stream, payload FROM events.outbox WHERE type = 'RefundSucceeded' AND payload ->> 'refundId' = $1"
        " ORDER BY stream",
        str(refund),
    )
    assert [row["stream"] for row in rows] == [f"order/{placed.id}", f"seller/{placed.seller}"]
    assert json.loads(rows[0]["payload"]) == {
        "refundId": str(refund),
        "orderId": str(placed.id),
        "orderStatus": "processing",
        "paymentStatus": "succeeded",
        "amount": 500,
        "currency": "JPY",
        "reason": "goodwill",
    }


async def test_a_worker_gives_back_as_soon_as_it_is_decided(till: Till, tools: PaymentTools) -> None:
    placed = await sold(till)
    async with at_work(tools):
        refund = await decide(till, placed, 500)
        await until(lambda: _has_succeeded(till, refund))
    assert await went_back(till, placed) == 500


async def _has_succeeded(till: Till, refund: UUID) -> bool:
    return await status(till, refund) == "succeeded"


async def test_late_money_goes_back_by_itself(till: Till, desk: RefundDesk) -> None:
    """Cancelled by its buyer in one tab, paid in another."""
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    await till.pay(placed)
    await till.scene.cancel(placed)
    await till.finaliser.settle(placed.id)
    await desk.work()
    assert await went_back(till, placed) == placed.amount.minor
    books = await till.scene.books(placed)
    assert (books.order, books.payment, books.events) == ("cancelled", "refunded", ["RefundSucceeded"])


class TestWhatIsLostOnTheWay:
    async def test_an_answer_that_was_lost_gives_back_once(self, till: Till, desk: RefundDesk) -> None:
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        till.sandbox.post("/_sandbox/faults", kind="lost_answer", path="/v1/refunds")
        await desk.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("pending", 500)
        till.clock.move(seconds=15)
        await desk.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("succeeded", 500)

    async def test_a_key_whose_failure_is_remembered_is_given_up(self, till: Till, desk: RefundDesk) -> None:
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        till.sandbox.post("/_sandbox/faults", kind="server_error", path="/v1/refunds")
        await desk.work()
        till.clock.move(seconds=15)
        await desk.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("succeeded", 500)

    async def test_after_a_day_what_was_made_is_looked_up(self, till: Till, desk: RefundDesk) -> None:
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        form = {"payment_intent": await till.intent_id(placed), "amount": 500, "metadata[refund_id]": str(refund)}
        till.sandbox.post("/v1/refunds", f"forgotten {placed.id}", **form)
        till.clock.move(hours=24)
        await desk.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("succeeded", 500)

    async def test_what_a_killed_worker_made_is_found_by_the_message(
        self, till: Till, tools: PaymentTools, door: Door
    ) -> None:
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        intent_id = await till.intent_id(placed)
        form = {"payment_intent": intent_id, "amount": 500, "metadata[refund_id]": str(refund)}
        till.sandbox.post("/v1/refunds", f"refund:{refund}", **form)
        for event in told_of(till.sandbox, intent_id):
            await door.put_in(event)
        await tools.inbox.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("succeeded", 500)


class TestRefused:
    async def test_what_the_provider_refuses_is_for_people_and_can_be_tried_again(
        self, till: Till, desk: RefundDesk
    ) -> None:
        """Somebody gave most of it back by hand, on the provider's own pages."""
        placed = await sold(till)
        till.sandbox.post("/v1/refunds", payment_intent=await till.intent_id(placed), amount=1800)
        refund = await decide(till, placed, 500)
        await desk.work()
        row = (await till.scene.fetch("SELECT * FROM orders.refunds WHERE id = $1", refund))[0]
        assert (row["status"], row["problem"], row["attempt"]) == ("failed", "PAYMENT_REFUSED", 2)
        assert (await till.scene.books(placed)).events == ["OrderPaid", "RefundSucceeded", "RefundFailed"]
        await till.scene.execute("UPDATE orders.refunds SET status = 'pending' WHERE id = $1", refund)
        await desk.work()
        assert (await till.scene.books(placed)).events[2:] == ["RefundFailed", "RefundFailed"]

    async def test_a_payment_that_the_provider_does_not_know(self, till: Till, desk: RefundDesk) -> None:
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        unknown = f"pi_{uuid7().hex}"
        await till.scene.execute(
            "UPDATE orders.order_payments SET stripe_payment_intent_id = $2 WHERE order_id = $1", placed.id, unknown
        )
        await desk.work()
        assert await status(till, refund) == "failed"

    async def test_one_that_is_refused_holds_up_no_other(self, till: Till, desk: RefundDesk) -> None:
        odd, fine = await sold(till), await sold(till)
        till.sandbox.post("/v1/refunds", payment_intent=await till.intent_id(odd), amount=1800)
        refused, carried_out = await decide(till, odd, 500), await decide(till, fine, 500)
        await desk.work()
        assert (await status(till, refused), await status(till, carried_out)) == ("failed", "succeeded")

    async def test_what_came_of_the_try_before_says_nothing_of_this_one(
        self, till: Till, desk: RefundDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The provider lists both, in whatever order; were the old one believed, people would have it paid once more."""
        placed = await sold(till)
        refund, intent_id = await decide(till, placed, 500), await till.intent_id(placed)
        tries = [("re_before", RefundStatus.FAILED), (f"re_{refund.hex}", RefundStatus.SUCCEEDED)]
        made = [Refund(key, intent_id, Money(500, "JPY"), state, RefundId(refund)) for key, state in tries]

        async def both(_: IntentId) -> list[Refund]:
            return made

        monkeypatch.setattr(till.provider, "refunds_of", both)
        await till.scene.execute("UPDATE orders.refunds SET attempt = 2 WHERE id = $1", refund)
        assert await desk.follow(intent_id)
        assert await status(till, refund) == "succeeded"

    async def test_another_try_finds_what_the_one_before_brought_about_after_all(
        self, till: Till, desk: RefundDesk
    ) -> None:
        """Given up here, carried out there: a part of a payment could go back twice."""
        placed = await sold(till)
        refund = await decide(till, placed, 500)
        form = {"payment_intent": await till.intent_id(placed), "amount": 500, "metadata[refund_id]": str(refund)}
        till.sandbox.post("/v1/refunds", f"refund:{refund}", **form)
        await till.scene.execute("UPDATE orders.refunds SET attempt = 2 WHERE id = $1", refund)
        await desk.work()
        assert (await status(till, refund), await went_back(till, placed)) == ("succeeded", 500)
