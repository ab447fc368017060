"""Refunds by people at Stripe and by us, in any order: what went back there, what the books say and the ledger are one number."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.orders_made_there import PostgresMadeThere
from adapters.postgres.orders_refunding import PostgresRefundBook
from composition.paying import PaymentTools
from domain.payments.refunds import OUTAGE_REST
from tests.payments.conftest import Till
from tests.payments.loops import Door, told_of, until
from tests.payments.scene import MovingClock, Placed
from tests.payments.test_refunds import decide, sold, status, went_back

Later = tuple[PaymentTools, MovingClock]
ALL, SOME = 2000, 500


class Course:
    """One order, one cause to give money back, and somebody at Stripe's dashboard."""

    def __init__(self, till: Till, later: Later, door: Door, placed: Placed, amount: int) -> None:
        self.till, self.door, self.placed, self.amount = till, door, placed, amount
        self.tools, self.clock = later
        self.told: set[str] = set()

    async def by_hand(self) -> None:
        form = {"payment_intent": await self.till.intent_id(self.placed), "amount": self.amount}
        self.till.sandbox.post("/v1/refunds", **form)

    async def decided(self) -> None:
        await decide(self.till, self.placed, self.amount)

    async def carried_out(self) -> None:
        self.clock.move(seconds=OUTAGE_REST.total_seconds())
        await self.tools.refunds.work()

    async def answer_lost(self) -> None:
        self.till.sandbox.post("/_sandbox/faults", kind="lost_answer", path="/v1/refunds")
        await self.carried_out()
        self.till.sandbox.post("/_sandbox/faults/clear")

    async def heard(self) -> None:
        """All that Stripe told of it by now, twice."""
        intent_id = await self.till.intent_id(self.placed)
        told = [each for each in told_of(self.till.sandbox, intent_id) if each["id"] not in self.told]
        self.told |= {each["id"] for each in told}
        for event in told:
            await self.door.put_in(event)
        keys = [event["id"] for event in told]

        async def is_done() -> bool:
            await self.tools.inbox.work()
            read = "SELECT count(*) FROM payments.webhook_events WHERE event_id = ANY ($1) AND handled_at IS NULL"
            return (await self.till.scene.fetch(read, keys))[0][0] == 0

        await until(is_done)
        await self.tools.refunds.follow(intent_id)

    async def balances(self) -> int:
        """How much went back: the same wherever one looks."""
        there = await went_back(self.till, self.placed)
        rows = await self.till.scene.fetch("SELECT * FROM orders.refunds WHERE order_id = $1", self.placed.id)
        assert {row["status"] for row in rows} <= {"succeeded"}, rows
        assert sum(row["amount"] for row in rows) == there
        read = "SELECT coalesce(sum(unbooked), 0) FROM payments.refunds_made_there WHERE order_id = $1"
        assert (await self.till.scene.fetch(read, self.placed.id))[0][0] == 0
        payment = (await self.till.scene.books(self.placed)).payment
        assert payment == ("refunded" if there == self.placed.amount.minor else "succeeded")
        return there


STEPS: dict[str, Callable[[Course], Awaitable[None]]] = {
    "hand": Course.by_hand,
    "decided": Course.decided,
    "heard": Course.heard,
    "carried out": Course.carried_out,
    "answer lost": Course.answer_lost,
}


def courses() -> list[tuple[str, ...]]:
    """Every order of the four in which what comes of something comes after it."""
    found = []
    for asked in ("carried out", "answer lost"):
        for course in itertools.permutations(("hand", "decided", "heard", asked)):
            place = {step: at for at, step in enumerate(course)}
            if place["decided"] < place[asked] and place["hand"] < place["heard"]:
                found.append(course)
    return found


def is_one(course: Sequence[str]) -> bool:
    """Whether the hand was there before we asked, and before the books had it as something of its own."""
    at = {step: place for place, step in enumerate(course)}
    asked = at.get("carried out", at.get("answer lost", 0))
    return at["hand"] < asked and not at["heard"] < at["decided"]


@pytest.mark.parametrize("course", courses(), ids=" - ".join)
async def test_one_cause_is_paid_once(course: tuple[str, ...], till: Till, later: Later, door: Door) -> None:
    here = Course(till, later, door, await sold(till), SOME)
    for step in course:
        await STEPS[step](here)
    await here.carried_out()
    await here.heard()
    assert await here.balances() == (SOME if is_one(course) else 2 * SOME)
    ledger = await till.scene.ledger(here.placed)
    assert sum(ledger.values()) == 0


@pytest.mark.parametrize(
    "course", [each for each in courses() if is_one(each) and "carried out" in each], ids=" - ".join
)
async def test_nor_is_all_of_it(course: tuple[str, ...], till: Till, later: Later, door: Door) -> None:
    here = Course(till, later, door, await sold(till), ALL)
    for step in course:
        await STEPS[step](here)
    await here.carried_out()
    await here.heard()
    assert await here.balances() == ALL


async def test_what_is_carried_out_behind_an_adopted_one_is_booked_too(till: Till, later: Later, door: Door) -> None:
    """A request that everybody thought lost arrives after all."""
    here = Course(till, later, door, await sold(till), SOME)
    await here.by_hand()
    refund = await decide(till, here.placed, SOME)
    await here.carried_out()
    form = {"payment_intent": await till.intent_id(here.placed), "amount": SOME, "metadata[refund_id]": str(refund)}
    till.sandbox.post("/v1/refunds", f"refund:{refund}", **form)
    await here.heard()
    assert await here.balances() == 2 * SOME


async def test_the_rest_of_one_by_hand_pays_what_was_refused(till: Till, later: Later, door: Door) -> None:
    here = Course(till, later, door, await sold(till), ALL)
    refund = await decide(till, here.placed, SOME)
    await here.by_hand()
    await here.heard()
    assert (await status(till, refund), len(await till.scene.refunds(here.placed))) == ("pending", 2)
    await here.carried_out()
    assert await here.balances() == ALL


async def test_one_that_waits_for_ours_is_no_trouble_yet(
    till: Till, later: Later, door: Door, database: Database
) -> None:
    here = Course(till, later, door, await sold(till), SOME)
    await here.decided()
    await here.by_hand()
    await here.heard()
    assert await till.scene.refunds(here.placed) == [(SOME, "JPY", "goodwill", "pending")]
    assert here.placed.id not in {each.id for each in await PostgresMadeThere(database).troubles(1000)}


class TestAllOfItByHand:
    async def test_stops_what_was_not_sent(self, till: Till, later: Later, door: Door) -> None:
        placed = await sold(till)
        here = Course(till, later, door, placed, ALL)
        await here.by_hand()
        await here.heard()
        books = await till.scene.books(placed)
        assert (books.order, books.items, books.stock, books.reserved) == ("cancelled", ["cancelled"], 10, 0)
        assert books.events == ["OrderPaid", "RefundSucceeded", "OrderItemCancelled", "OrderCancelled"]
        read = "SELECT type FROM events.outbox WHERE stream = $1 ORDER BY sequence"
        told = [row[0] for row in await till.scene.fetch(read, f"seller/{placed.seller}")]
        assert told == ["OrderPaid", "RefundSucceeded", "OrderItemCancelled"]
        assert {row["note"] for row in await _history(till, placed)} == {"paid", "refunded at the payment provider"}
        # the seller has the goods, and not the money
        assert {name: amount for name, amount in (await till.scene.ledger(placed)).items() if amount} == {}

    async def test_in_two_parts_does_too_and_a_part_changes_amounts_only(
        self, till: Till, later: Later, door: Door
    ) -> None:
        placed = await sold(till)
        for amount, state in ((SOME, "processing"), (ALL - SOME, "cancelled")):
            here = Course(till, later, door, placed, amount)
            await here.by_hand()
            await here.heard()
            assert (await till.scene.books(placed)).items == [state]
        assert {name: amount for name, amount in (await till.scene.ledger(placed)).items() if amount} == {}

    async def test_leaves_what_was_sent(self, till: Till, later: Later, door: Door) -> None:
        placed = await sold(till)
        await _ship(till, placed)
        here = Course(till, later, door, placed, ALL)
        await here.by_hand()
        await here.heard()
        books = await till.scene.books(placed)
        assert (books.order, books.items, books.payment) == ("shipped", ["shipped"], "refunded")
        assert (await till.scene.ledger(placed))["marketplace:refunds"] == -ALL


class TestThatCameBack:
    """Days after it went the buyer's bank sends it back."""

    async def test_is_owed_and_can_go_once_more(self, till: Till, later: Later, door: Door) -> None:
        placed = await sold(till)
        here = Course(till, later, door, placed, ALL)
        refund = await decide(till, placed, ALL)
        await here.carried_out()
        assert (await till.scene.books(placed)).payment == "refunded"
        await _came_back(till, placed)
        await here.heard()
        row = (await till.scene.fetch("SELECT * FROM orders.refunds WHERE id = $1", refund))[0]
        assert (row["status"], row["provider_id"], row["problem"]) == (
            "failed",
            None,
            "it came back from the buyer's bank",
        )
        books = await till.scene.books(placed)
        assert (books.payment, books.events[-1]) == ("succeeded", "RefundFailed")
        assert await _listed(here, refund)

        assert sum([await each.try_again(here.clock.now()) for each in here.tools.troubled]) >= 1
        await here.carried_out()
        assert await here.balances() == ALL

    async def test_by_hand_is_owed_too_and_paid_by_hand_again_is_one(
        self, till: Till, later: Later, door: Door
    ) -> None:
        placed = await sold(till)
        here = Course(till, later, door, placed, ALL)
        await here.by_hand()
        await here.heard()
        await _came_back(till, placed)
        await here.heard()
        assert await till.scene.refunds(placed) == [(ALL, "JPY", "manual", "failed")]
        ledger = await till.scene.ledger(placed)
        assert (sum(ledger.values()), ledger["buyer_receipts"], ledger["buyers:owed"]) == (0, -ALL, ALL)
        await here.by_hand()
        await here.heard()
        assert await here.balances() == ALL
        assert {name: amount for name, amount in (await till.scene.ledger(placed)).items() if amount} == {}

    async def test_old_news_of_it_do_not_bring_it_back(self, till: Till, later: Later, database: Database) -> None:
        """Somebody looked before it came back, and writes afterwards."""
        placed = await sold(till)
        here = Course(till, later, door=None, placed=placed, amount=SOME)  # type: ignore[arg-type]
        refund = await decide(till, placed, SOME)
        await here.carried_out()
        intent_id = await till.intent_id(placed)
        before = await till.provider.refunds_of(intent_id)
        await _came_back(till, placed)
        await here.tools.refunds.follow(intent_id)
        await PostgresRefundBook(database).book_made_there(placed.id, before)
        assert await status(till, refund) == "failed"


async def _history(till: Till, placed: Placed) -> Any:
    return await till.scene.fetch(
        "SELECT h.note FROM orders.order_item_status_histories h JOIN orders.order_items i ON i.id = h.order_item_id"
        " WHERE i.order_id = $1",
        placed.id,
    )


async def _ship(till: Till, placed: Placed) -> None:
    async with till.scene.transaction():
        for statement in (
            "UPDATE orders.order_items SET fulfillment_status = 'shipped', shipped_at = now() WHERE order_id = $1",
            "UPDATE orders.orders SET status = 'shipped' WHERE id = $1",
            "INSERT INTO orders.order_status_histories (order_id, status, changed_as) VALUES ($1, 'shipped', 'seller')",
            "INSERT INTO orders.order_item_status_histories (order_item_id, status, changed_as)"
            " SELECT id, 'shipped', 'seller' FROM orders.order_items WHERE order_id = $1",
        ):
            await till.scene.execute(statement, placed.id)


async def _came_back(till: Till, placed: Placed) -> None:
    intent_id = await till.intent_id(placed)
    [newest, *_] = till.sandbox.get("/v1/refunds", payment_intent=intent_id).json()["data"]
    assert till.sandbox.post(f"/_sandbox/refunds/{newest['id']}/fail").status_code == 200


async def _listed(here: Course, refund: Any) -> bool:
    found = [trouble for each in here.tools.troubled for trouble in await each.troubles(1000)]
    return any(each.id == refund and each.try_at is None for each in found)


async def test_what_nobody_heard_of_is_asked_for(till: Till, later: Later, door: Door) -> None:
    """A refund that came back, and no message of it ever came."""
    placed = await sold(till)
    here = Course(till, later, door, placed, SOME)
    refund = await decide(till, placed, SOME)
    await here.carried_out()
    await _came_back(till, placed)

    async def is_known() -> bool:
        async for _ in here.tools.missed.fetch():
            pass
        await here.tools.inbox.work()
        return await status(till, refund) == "failed"

    await until(is_known)
    assert await _listed(here, refund)
