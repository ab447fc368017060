"""From a written order to what its payment is: real PostgreSQL, a real process that speaks Stripe's API."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.orders.ports import Settlement, SettlementKind
from domain.payments.finaliser import Heard
from domain.payments.model import IntentId, IntentStatus, Refund, RefundStatus
from domain.payments.refusals import PaymentReason, ProviderAway
from domain.payments.standing import UNANSWERED
from domain.shared.ids import OrderId
from domain.shared.refusals import NotFound
from tests.payments.conftest import Till
from tests.payments.scene import BOUGHT, IN_STOCK, Books, Placed, someones_key

UNPAID = Books("pending", ["pending"], "pending", ["held"], IN_STOCK, BOUGHT, [], [])
PAID = Books(
    "processing", ["processing"], "succeeded", ["consumed"], IN_STOCK - BOUGHT, 0, ["processing"], ["OrderPaid"]
)
EXPIRED = Books("cancelled", ["cancelled"], "cancelled", ["released"], IN_STOCK, 0, ["cancelled"], ["OrderExpired"])


async def intents(till: Till, order_id: OrderId) -> int:
    return len(await till.provider.intents_of(order_id))


class TestAsking:
    async def test_the_buyer_gets_what_to_pay_with(self, till: Till) -> None:
        placed = await till.scene.place()
        told = await till.finaliser.settle(placed.id)
        assert told.kind is SettlementKind.ACTION_REQUIRED
        assert (told.client_secret or "").startswith(await till.intent_id(placed))
        assert await till.finaliser.settle(placed.id) == told
        assert await till.scene.books(placed) == UNPAID

    async def test_many_at_once_are_one_intent_and_one_secret(self, till: Till) -> None:
        placed = await till.scene.place()

        async def settle() -> Settlement | None:
            try:
                return await till.finaliser.settle(placed.id)
            except ProviderAway:  # the same call is at work
                return None

        told = {await settle() for _ in range(1)} | set(await asyncio.gather(*(settle() for _ in range(20))))
        assert len({each.client_secret for each in told if each}) == 1
        assert await intents(till, placed.id) == 1

    async def test_nobodys_order(self, till: Till) -> None:
        with pytest.raises(NotFound):
            await till.finaliser.settle(someones_key())

    async def test_what_was_not_bought_here_is_never_asked_for(self, till: Till) -> None:
        placed = await till.scene.place(expires_at=None)
        await till.finaliser.settle(placed.id)
        assert await intents(till, placed.id) == 0


class TestPaid:
    @pytest.mark.parametrize("currency", ["JPY", "USD"])
    @pytest.mark.parametrize("of_variation", [False, True])
    async def test_everything_moves_together_and_once(self, till: Till, currency: str, of_variation: bool) -> None:
        placed = await till.scene.place(currency, of_variation=of_variation)
        await till.finaliser.settle(placed.id)
        await till.pay(placed)
        told = await asyncio.gather(*(till.finaliser.settle(placed.id) for _ in range(5)))
        assert {each.kind for each in told} == {SettlementKind.SUCCEEDED}
        assert {each.client_secret for each in told} == {None}
        assert await till.scene.books(placed) == PAID
        sold = {"buyer_receipts": -2000, f"seller:{placed.seller}:payable": 1800, "marketplace:commission": 200}
        assert await till.scene.ledger(placed) == sold

    async def test_how_it_was_paid_is_kept_without_a_number(self, till: Till) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        await till.pay(placed, "pm_card_jcb")
        await till.finaliser.settle(placed.id)
        payment = await till.scene.payment(placed)
        assert payment["payment_method_details"] == '{"type": "card", "brand": "jcb", "last4": "0505"}'
        assert payment["paid_at"] is not None

    async def test_a_decline_is_told_and_another_try_may_do(self, till: Till) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        await till.pay(placed, "pm_card_chargeDeclinedInsufficientFunds")
        told = await till.finaliser.settle(placed.id)
        assert (told.kind, told.reason) == (SettlementKind.FAILED, PaymentReason.FUNDS)
        assert told.client_secret is not None
        books = await till.scene.books(placed)
        assert (books.payment, books.order, books.reservations) == ("failed", "pending", ["held"])
        await till.pay(placed)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.SUCCEEDED
        assert (await till.scene.books(placed)).events == ["OrderPaymentFailed", "OrderPaid"]

    async def test_a_bank_may_ask_the_buyer(self, till: Till) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        await till.pay(placed, "pm_card_authenticationRequired")
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.ACTION_REQUIRED
        assert (await till.scene.books(placed)).payment == "processing"
        till.sandbox.post(f"/_sandbox/payment_intents/{await till.intent_id(placed)}/authenticate")
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.SUCCEEDED
        assert await till.scene.books(placed) == PAID


class TestOverAnotherAmount:
    async def odd(self, till: Till, *, is_paid: bool = True) -> Placed:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        till.sandbox.post(f"/v1/payment_intents/{await till.intent_id(placed)}", amount=1500)
        if is_paid:
            await till.pay(placed)
        return placed

    async def troubles(self, till: Till, placed: Placed) -> list[str]:
        return [each.problem for each in await till.book.troubles(1000) if each.id == placed.id]

    async def test_it_waits_for_people_and_then_all_of_it_goes_back_once(self, till: Till) -> None:
        placed = await self.odd(till)
        for _ in range(2):
            told = await till.finaliser.settle(placed.id)
            assert (told.kind, told.client_secret) == (SettlementKind.PROCESSING, None)
        assert await till.scene.books(placed) == UNPAID
        [problem] = await self.troubles(till, placed)
        assert problem == "1500 JPY is asked for at the provider, and 2000 JPY is due"
        till.clock.move(minutes=31)
        told_all = await asyncio.gather(*(till.finaliser.settle(placed.id) for _ in range(3)))
        assert {each.kind for each in told_all} == {SettlementKind.FAILED}
        assert await till.scene.books(placed) == EXPIRED
        made = await till.provider.refunds_of(await till.intent_id(placed))
        assert [each.amount.minor for each in made] == [1500]
        assert await self.troubles(till, placed) == []
        assert await till.scene.ledger(placed) == {}
        assert (await till.scene.payment(placed))["paid_at"] is None

    async def test_killed_between_letting_go_and_giving_back_somebody_else_gives_it_back(self, till: Till) -> None:
        placed = await self.odd(till)
        till.clock.move(minutes=31)
        till.sandbox.post("/_sandbox/faults", kind="rate_limit", method="POST", path="/v1/refunds", times=100)
        with pytest.raises(ProviderAway):
            await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed)).reserved == 0
        assert await self.troubles(till, placed) != []
        till.sandbox.post("/_sandbox/faults/clear")
        await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed), await self.troubles(till, placed)) == (EXPIRED, [])

    @pytest.mark.parametrize(("by_hand", "is_over"), [(1500, True), (400, False)])
    async def test_what_somebody_gave_back_by_hand_is_seen(self, till: Till, by_hand: int, is_over: bool) -> None:
        placed = await self.odd(till)
        intent_id = await till.intent_id(placed)
        till.sandbox.post("/v1/refunds", payment_intent=intent_id, amount=by_hand)
        till.clock.move(minutes=31)
        await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed)).reserved == 0
        assert (await self.troubles(till, placed) == []) is is_over
        till.sandbox.post("/v1/refunds", payment_intent=intent_id)  # what is left of it
        await till.book.try_again(till.clock.now())
        await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed), await self.troubles(till, placed)) == (EXPIRED, [])

    @pytest.mark.parametrize("status", [RefundStatus.PENDING, RefundStatus.FAILED])
    async def test_it_is_not_over_before_the_money_is_back(
        self, till: Till, monkeypatch: pytest.MonkeyPatch, status: RefundStatus
    ) -> None:
        """Some banks take days, and some of them refuse in the end."""
        placed = await self.odd(till)
        intent_id, refunds_of = await till.intent_id(placed), till.provider.refunds_of

        async def not_yet(intent_id: IntentId) -> list[Refund]:
            return [replace(each, status=status) for each in await refunds_of(intent_id)]

        till.clock.move(minutes=31)
        with monkeypatch.context() as patched:
            patched.setattr(till.provider, "refunds_of", not_yet)
            await till.finaliser.settle(placed.id)
        assert await self.troubles(till, placed) != []
        await till.book.try_again(till.clock.now())
        await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed), await self.troubles(till, placed)) == (EXPIRED, [])
        assert sum(each.amount.minor for each in await refunds_of(intent_id)) == 1500

    async def test_what_nobody_paid_is_cancelled_like_any_other(self, till: Till) -> None:
        placed = await self.odd(till, is_paid=False)
        await till.finaliser.settle(placed.id)
        assert len(await self.troubles(till, placed)) == 1
        till.clock.move(minutes=31)
        await till.finaliser.settle(placed.id)
        assert (await till.scene.books(placed), await self.troubles(till, placed)) == (EXPIRED, [])

    async def test_what_people_put_right_in_time_pays(self, till: Till) -> None:
        placed = await self.odd(till, is_paid=False)
        await till.finaliser.settle(placed.id)
        till.sandbox.post(f"/v1/payment_intents/{await till.intent_id(placed)}", amount=placed.amount.minor)
        await till.pay(placed)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.SUCCEEDED
        assert (await till.scene.books(placed), await self.troubles(till, placed)) == (PAID, [])


class TestOutOfTime:
    async def test_what_is_not_paid_is_cancelled_there_and_released_here(self, till: Till) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        intent_id = await till.intent_id(placed)
        till.clock.move(minutes=31)
        told = await till.finaliser.settle(placed.id)
        assert (told.kind, told.client_secret) == (SettlementKind.FAILED, None)
        intent = await till.provider.intent(intent_id)
        assert intent is not None
        assert intent.status is IntentStatus.CANCELED
        assert await till.scene.books(placed) == EXPIRED
        await till.finaliser.settle(placed.id)
        assert await till.scene.books(placed) == EXPIRED

    async def test_what_was_paid_at_the_last_moment_is_paid(self, till: Till) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        await till.pay(placed)
        till.clock.move(minutes=31)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.SUCCEEDED
        assert await till.scene.books(placed) == PAID

    async def test_what_nobody_was_asked_to_pay_needs_no_provider(self, till: Till) -> None:
        placed = await till.scene.place()
        till.clock.move(minutes=31)
        till.sandbox.post("/_sandbox/faults", kind="server_error", times=10)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.FAILED
        assert await till.scene.books(placed) == EXPIRED

    @pytest.mark.parametrize("refused", [("GET", "POST"), ("POST",)], ids=["answers nothing", "cancels nothing"])
    async def test_while_the_provider_is_away_stock_is_held_a_little_longer(
        self, till: Till, refused: tuple[str, ...]
    ) -> None:
        placed = await till.scene.place()
        await till.finaliser.settle(placed.id)
        till.clock.move(minutes=31)
        for method in refused:
            till.sandbox.post(
                "/_sandbox/faults", kind="rate_limit", method=method, path="/v1/payment_intents", times=100
            )
        with pytest.raises(ProviderAway):
            await till.finaliser.settle(placed.id)
        assert await till.scene.books(placed) == UNPAID
        till.clock.move(seconds=UNANSWERED.total_seconds())
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.FAILED
        books = await till.scene.books(placed)
        assert (books.order, books.payment, books.reserved) == ("cancelled", "pending", 0)
        till.sandbox.post("/_sandbox/faults/clear")
        await till.finaliser.settle(placed.id)
        assert await till.scene.books(placed) == EXPIRED

    @pytest.mark.parametrize("currency", ["JPY", "USD"])
    async def test_what_is_paid_after_its_release_is_to_go_back(self, till: Till, currency: str) -> None:
        """Stripe was away when time was over, and came back with the money."""
        placed = await till.scene.place(currency)
        await till.finaliser.settle(placed.id)
        await till.pay(placed)
        till.clock.move(minutes=31 + UNANSWERED.total_seconds() / 60)
        till.sandbox.post("/_sandbox/faults", kind="rate_limit", method="GET", times=100)
        await till.finaliser.settle(placed.id)
        till.sandbox.post("/_sandbox/faults/clear")
        await asyncio.gather(*(till.finaliser.settle(placed.id) for _ in range(3)))
        books = await till.scene.books(placed)
        assert books == replace(EXPIRED, payment="succeeded")
        assert await till.scene.ledger(placed) == {}  # it was no sale
        assert await till.scene.refunds(placed) == [(placed.amount.minor, currency, "late_payment", "pending")]


class TestWhoComesNextFinishes:
    async def test_what_was_made_when_its_maker_was_killed(self, till: Till) -> None:
        placed = await till.scene.place()
        made = await till.provider.create_intent(placed.id, placed.amount)
        assert (await till.finaliser.settle(placed.id)).client_secret == made.client_secret

    async def test_an_answer_that_was_lost(self, till: Till) -> None:
        placed = await till.scene.place()
        till.sandbox.post("/_sandbox/faults", kind="lost_answer", path="/v1/payment_intents")
        with pytest.raises(ProviderAway):
            await till.finaliser.settle(placed.id)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.ACTION_REQUIRED
        assert await intents(till, placed.id) == 1

    async def test_a_key_whose_failure_is_remembered_is_given_up(self, till: Till) -> None:
        placed = await till.scene.place()
        till.sandbox.post("/_sandbox/faults", kind="server_error", path="/v1/payment_intents")
        with pytest.raises(ProviderAway):
            await till.finaliser.settle(placed.id)
        assert (await till.finaliser.settle(placed.id)).kind is SettlementKind.ACTION_REQUIRED
        assert (await till.scene.payment(placed))["intent_attempt"] == 2
        assert await intents(till, placed.id) == 1

    async def test_after_a_day_what_was_made_is_looked_up(self, till: Till) -> None:
        """A provider that has forgotten the key would make a second one."""
        placed = await till.scene.place(expires_at=till.clock.now() + timedelta(days=9))
        form = {"amount": placed.amount.minor, "currency": "jpy", "metadata[order_id]": str(placed.id)}
        made = till.sandbox.post("/v1/payment_intents", f"forgotten {placed.id}", **form).json()
        till.clock.move(hours=24)
        await till.finaliser.settle(placed.id)
        assert await till.intent_id(placed) == made["id"]
        assert await intents(till, placed.id) == 1

    async def test_an_intent_that_is_heard_of_before_it_is_written(self, till: Till) -> None:
        placed = await till.scene.place()
        made = await till.provider.create_intent(placed.id, placed.amount, attempt=7)
        assert await till.finaliser.hear(made.id, placed.id) is Heard.SETTLED
        assert await till.intent_id(placed) == made.id

    async def test_an_intent_that_is_made_as_the_order_ends_is_cancelled(self, till: Till) -> None:
        """Released between the question and the answer: nobody gets its secret."""
        placed = await till.scene.place()
        standing = await till.book.begin(placed.id, till.clock.now())
        assert standing is not None
        made = await till.provider.create_intent(placed.id, placed.amount)
        till.clock.move(minutes=31)
        await till.finaliser.settle(placed.id)
        told = await till.finaliser._written(standing, made, till.clock.now())
        assert told.client_secret is None
        found = await till.provider.intent(made.id)
        assert found is not None
        assert found.status is IntentStatus.CANCELED


class TestStrays:
    async def second(self, till: Till, placed: Placed) -> IntentId:
        await till.finaliser.settle(placed.id)
        return (await till.provider.create_intent(placed.id, placed.amount, attempt=9)).id

    async def test_a_second_intent_is_cancelled(self, till: Till) -> None:
        placed = await till.scene.place()
        stray = await self.second(till, placed)
        assert await till.finaliser.hear(stray, placed.id) is Heard.STRAY
        found = await till.provider.intent(stray)
        assert found is not None
        assert found.status is IntentStatus.CANCELED
        assert await till.scene.books(placed) == UNPAID

    async def test_a_second_intent_that_is_paid_is_paid_back_once(self, till: Till) -> None:
        placed = await till.scene.place()
        stray = await self.second(till, placed)
        till.sandbox.post(f"/v1/payment_intents/{stray}/confirm", payment_method="pm_card_visa")
        for _ in range(2):
            assert await till.finaliser.hear(stray, placed.id) is Heard.STRAY
        assert [each.amount for each in await till.provider.refunds_of(stray)] == [placed.amount]
        assert await till.scene.books(placed) == UNPAID

    async def test_what_is_of_nobody_is_let_be(self, till: Till) -> None:
        placed = await till.scene.place()
        other = await till.provider.create_intent(someones_key(), placed.amount)
        assert await till.finaliser.hear(other.id, other.order_id) is Heard.NOT_OURS
        assert await till.finaliser.hear(other.id, placed.id) is Heard.NOT_OURS  # it lies about its order
        assert await till.finaliser.hear(IntentId("pi_none"), None) is Heard.NOT_OURS
        found = await till.provider.intent(other.id)
        assert found is not None
        assert found.status is IntentStatus.REQUIRES_PAYMENT_METHOD
