"""Buyers who have their bank take a payment back: the books follow the money, whatever is told in which order and how often."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.orders_disputes import PostgresDisputeBook
from adapters.postgres.orders_records import PostgresOrderRecords
from composition.paying import PaymentTools
from domain.orders.decisions import RefundRequest, refund
from domain.orders.open_order import OpenOrder
from domain.orders.refunds import BorneBy, PaymentDisputed, RefundExceeds, RefundReason
from domain.payments.model import Dispute
from domain.shared.ids import UserId
from domain.shared.viewer import Role, Viewer
from tests.payments.conftest import Till
from tests.payments.loops import Door, Event, told_of, until
from tests.payments.scene import Placed
from tests.payments.test_refunds import decide, sold, status

ALL = 2000


class Bank:
    """What a buyer and the bank do, and what comes of it here."""

    def __init__(self, till: Till, tools: PaymentTools, door: Door, database: Database) -> None:
        self.till, self.tools, self.door, self.database = till, tools, door, database

    async def disputed(self, placed: Placed, **form: Any) -> str:
        made = self.till.sandbox.post(f"/_sandbox/payment_intents/{await self.till.intent_id(placed)}/dispute", **form)
        assert made.status_code == 200, made.text
        return str(made.json()["id"])

    def answered(self, dispute: str, text: str) -> None:
        form = {"evidence[uncategorized_text]": text}
        assert self.till.sandbox.post(f"/v1/disputes/{dispute}", **form).status_code == 200

    async def told(self, placed: Placed) -> Sequence[Event]:
        return told_of(self.till.sandbox, await self.till.intent_id(placed))

    async def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            await self.door.put_in(event)
        keys = [event["id"] for event in events]

        async def is_done() -> bool:
            await self.tools.inbox.work()
            read = "SELECT count(*) FROM payments.webhook_events WHERE event_id = ANY ($1) AND handled_at IS NULL"
            return (await self.till.scene.fetch(read, keys))[0][0] == 0

        await until(is_done)

    async def follow(self, placed: Placed) -> None:
        await self.hear(await self.told(placed))

    async def rows(self, placed: Placed) -> list[tuple[int, str, bool]]:
        read = "SELECT amount, status, is_withdrawn FROM orders.disputes WHERE order_id = $1 ORDER BY opened_at, id"
        return [tuple(row) for row in await self.till.scene.fetch(read, placed.id)]

    async def ledger(self, placed: Placed) -> dict[str, int]:
        found = await self.till.scene.ledger(placed)
        assert sum(found.values()) == 0
        return {name.replace(str(placed.seller), "it"): amount for name, amount in found.items() if amount}

    async def asked(self, placed: Placed, amount: int) -> OpenOrder:
        """What an admin is told who gives so much back. Raises what is refused."""
        from adapters.postgres.orders_open import open_order

        admin = Viewer(Role.ADMIN)
        async with self.database.till(admin) as connection:
            order = await open_order(connection, placed.id)
        assert order is not None
        refund(order, admin, order.version, RefundRequest(RefundReason.GOODWILL, BorneBy.SELLER, amount=amount))
        return order


@pytest.fixture
def bank(till: Till, tools: PaymentTools, door: Door, database: Database) -> Bank:
    return Bank(till, tools, door, database)


SOLD = {"buyer_receipts": -ALL, "seller:it:payable": 1800, "marketplace:commission": 200}


async def test_what_is_taken_is_the_sellers_until_it_comes_back(bank: Bank, till: Till) -> None:
    placed = await sold(till)
    dispute = await bank.disputed(placed)
    await bank.follow(placed)
    assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, "needs_response", True)], {})
    bank.answered(dispute, "winning_evidence")
    await bank.follow(placed)
    assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, "won", False)], SOLD)


async def test_the_test_card_of_stripe_does_it_too(bank: Bank, till: Till) -> None:
    placed = await till.scene.place()
    await till.finaliser.settle(placed.id)
    await till.pay(placed, "pm_card_createDispute")
    await bank.follow(placed)  # nobody had heard that it was paid
    assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, "needs_response", True)], {})


async def test_an_inquiry_takes_nothing_and_keeps_nobody_from_giving_back(bank: Bank, till: Till) -> None:
    placed = await sold(till)
    await bank.disputed(placed, inquiry="true")
    await bank.follow(placed)
    assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, "warning_needs_response", False)], SOLD)
    await bank.asked(placed, 500)


async def test_in_any_order_and_twice_it_comes_to_the_same(bank: Bank, till: Till) -> None:
    chance = random.Random(20260101)
    for outcome, text, ledger in (("won", "winning_evidence", SOLD), ("lost", "losing_evidence", {})):
        placed = await sold(till)
        bank.answered(await bank.disputed(placed), text)
        events = [event for event in await bank.told(placed) if "dispute" in event["type"]]
        assert len(events) == (4 if outcome == "won" else 3)
        for order in chance.sample(list(itertools.permutations(events)), 2):
            for event in order:
                await bank.hear([event])
        await bank.hear(events)
        assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, outcome, outcome == "lost")], ledger)


async def test_an_older_look_changes_nothing(bank: Bank, till: Till, database: Database) -> None:
    """Two workers look; the one who looked first writes last."""
    placed, book = await sold(till), PostgresDisputeBook(database)
    dispute = await bank.disputed(placed)
    looks: list[Sequence[Dispute]] = [await till.provider.disputes_of(await till.intent_id(placed))]
    bank.answered(dispute, "winning_evidence")
    looks.append(await till.provider.disputes_of(await till.intent_id(placed)))
    for look in (looks[0], looks[1], looks[0], looks[1]):
        await book.write(placed.id, look)
    assert (await bank.rows(placed), await bank.ledger(placed)) == ([(ALL, "won", False)], SOLD)


async def test_nothing_is_given_back_while_it_is_open_nor_what_is_lost(bank: Bank, till: Till) -> None:
    placed = await sold(till)
    dispute = await bank.disputed(placed)
    await bank.follow(placed)
    with pytest.raises(PaymentDisputed):
        await bank.asked(placed, 100)
    bank.answered(dispute, "losing_evidence")
    await bank.follow(placed)
    with pytest.raises(RefundExceeds):
        await bank.asked(placed, 100)


async def test_a_refund_that_it_stopped_goes_when_it_is_won(bank: Bank, till: Till, tools: PaymentTools) -> None:
    placed = await sold(till)
    decided = await decide(till, placed, 500)
    dispute = await bank.disputed(placed)
    await tools.refunds.work()
    row = (await till.scene.fetch("SELECT * FROM orders.refunds WHERE id = $1", decided))[0]
    assert (row["status"], row["problem"]) == ("failed", "PAYMENT_DISPUTED")
    bank.answered(dispute, "winning_evidence")
    await bank.follow(placed)

    async def went() -> bool:
        await tools.refunds.work()
        return await status(till, decided) == "succeeded"

    await until(went)


async def test_what_went_back_before_is_not_taken_from_the_seller_again(
    bank: Bank, till: Till, tools: PaymentTools
) -> None:
    placed = await sold(till)
    till.sandbox.post("/v1/refunds", payment_intent=await till.intent_id(placed), amount=500)
    await tools.refunds.follow(await till.intent_id(placed))
    await bank.disputed(placed)
    await bank.follow(placed)
    # the marketplace bore the refund, and bears what the bank takes beyond what was left
    assert await bank.ledger(placed) == {
        "buyer_receipts": 500,
        "seller:it:payable": 450,
        "marketplace:commission": 50,
        "marketplace:refunds": -500,
        "marketplace:disputes": -500,
    }


async def test_admins_see_it_in_the_timeline_and_in_the_list_and_buyers_do_not(
    bank: Bank, till: Till, database: Database
) -> None:
    placed, records = await sold(till), PostgresOrderRecords(database)
    dispute = await bank.disputed(placed)
    await bank.follow(placed)
    listed = [each for each in await PostgresDisputeBook(database).troubles(1000) if each.id == placed.id]
    assert [each.problem.split(", to be")[0] for each in listed] == [
        f"{dispute}: 2000 JPY (minor units), taken, fraudulent, needs_response"
    ]
    bank.answered(dispute, "losing_evidence")
    await bank.follow(placed)
    buyer = (await till.scene.fetch("SELECT user_id FROM orders.orders WHERE id = $1", placed.id))[0][0]
    seen = []
    for viewer in (Viewer(Role.ADMIN), Viewer(Role.USER, UserId(buyer))):
        [timeline] = await records.timeline_of(viewer, [placed.id])
        seen.append([each.type for each in timeline if each.type.startswith("Dispute")])
    assert seen == [["DisputeOpened", "DisputeLost"], []]
    assert placed.id not in {each.id for each in await PostgresDisputeBook(database).troubles(1000)}
