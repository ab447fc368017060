"""The adapter of Stripe, through Stripe's own library, on a sandbox process of its own."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import stripe

from adapters.stripe.connection import StripeConnection
from adapters.stripe.faults import in_our_terms
from adapters.stripe.payments import StripePayments
from domain.payments.model import IntentId, IntentStatus, PaymentIntent, RefundId, RefundStatus
from domain.payments.refusals import PaymentConflict, PaymentReason, PaymentRefused
from domain.shared.ids import OrderId, uuid7
from domain.shared.languages import Language
from domain.shared.messages import TEXTS
from domain.shared.money import Money
from domain.shared.refusals import NotFound, Refusal, Unavailable
from tests.sandbox.running import KEY, Sandbox, running

YEN = Money(1980, "JPY")
PATIENT_MS = 20_000


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe") / "data") as started:
        yield started


@pytest.fixture
async def payments(sandbox: Sandbox) -> AsyncIterator[StripePayments]:
    connection = StripeConnection(KEY, api_base=sandbox.url, timeout_ms=PATIENT_MS)
    yield StripePayments(connection)
    sandbox.post("/_sandbox/faults/clear")
    await connection.close()


def order() -> OrderId:
    return OrderId(uuid7())


def refund() -> RefundId:
    return RefundId(uuid7())


def pay(sandbox: Sandbox, intent: PaymentIntent, card: str = "pm_card_visa") -> None:
    """What the customer's browser does."""
    sandbox.post(f"/v1/payment_intents/{intent.id}/confirm", payment_method=card)


async def paid(sandbox: Sandbox, payments: StripePayments, amount: Money = YEN) -> PaymentIntent:
    intent = await payments.create_intent(order(), amount)
    pay(sandbox, intent)
    return intent


class TestIntents:
    async def test_an_intent_is_of_its_order(self, payments: StripePayments) -> None:
        of = order()
        made = await payments.create_intent(of, YEN)
        assert (made.order_id, made.amount, made.received) == (of, YEN, Money(0, "JPY"))
        assert (made.status, made.charge_id) == (IntentStatus.REQUIRES_PAYMENT_METHOD, None)
        assert made.client_secret.startswith(made.id)
        assert made.client_secret not in repr(made)
        assert await payments.intent(made.id) == made
        assert list(await payments.intents_of(of)) == [made]

    async def test_asked_twice_it_is_made_once(self, payments: StripePayments) -> None:
        of = order()
        both = await asyncio.gather(
            payments.create_intent(of, YEN), payments.create_intent(of, YEN), return_exceptions=True
        )
        made = [each for each in both if isinstance(each, PaymentIntent)]
        assert {type(each) for each in both} <= {PaymentIntent, Unavailable}  # Unavailable: the first still ran
        assert (await payments.create_intent(of, YEN)).id == made[0].id
        assert len(await payments.intents_of(of)) == 1

    async def test_another_amount_for_the_same_order_is_a_conflict(self, payments: StripePayments) -> None:
        of = order()
        await payments.create_intent(of, YEN)
        with pytest.raises(PaymentConflict):
            await payments.create_intent(of, Money(1981, "JPY"))
        with pytest.raises(PaymentConflict):
            await payments.create_intent(of, Money(1980, "USD"))

    async def test_dollars_are_cents(self, sandbox: Sandbox, payments: StripePayments) -> None:
        made = await paid(sandbox, payments, Money(1980, "USD"))
        found = await payments.intent(made.id)
        assert found is not None
        assert (found.status, str(found.received.amount)) == (IntentStatus.SUCCEEDED, "19.80")
        assert found.charge_id is not None

    async def test_a_decline_says_why(self, sandbox: Sandbox, payments: StripePayments) -> None:
        made = await payments.create_intent(order(), YEN)
        pay(sandbox, made, "pm_card_chargeDeclinedInsufficientFunds")
        found = await payments.intent(made.id)
        assert found is not None
        assert (found.status, found.decline_code) == (IntentStatus.REQUIRES_PAYMENT_METHOD, "insufficient_funds")

    async def test_the_customer_may_have_to_act(self, sandbox: Sandbox, payments: StripePayments) -> None:
        made = await payments.create_intent(order(), YEN)
        pay(sandbox, made, "pm_card_authenticationRequired")
        found = await payments.intent(made.id)
        assert found is not None
        assert (found.status, found.decline_code) == (IntentStatus.REQUIRES_ACTION, None)
        sandbox.post(f"/_sandbox/payment_intents/{made.id}/authenticate", succeed="false")
        failed = await payments.intent(made.id)
        assert failed is not None
        assert failed.decline_code == "payment_intent_authentication_failure"  # no bank has declined anything

    async def test_what_is_not_there_is_none(self, payments: StripePayments) -> None:
        assert await payments.intent(IntentId("pi_none")) is None
        assert list(await payments.intents_of(order())) == []

    async def test_what_is_not_ours_has_no_order(self, sandbox: Sandbox, payments: StripePayments) -> None:
        for metadata in ({}, {"metadata[order_id]": "not of ours"}):
            made = sandbox.post("/v1/payment_intents", amount=500, currency="jpy", **metadata).json()
            found = await payments.intent(IntentId(made["id"]))
            assert found is not None
            assert found.order_id is None

    async def test_cancelled_is_cancelled_however_often(self, payments: StripePayments) -> None:
        made = await payments.create_intent(order(), YEN)
        first, again = await payments.cancel_intent(made.id), await payments.cancel_intent(made.id)
        assert first == again
        assert first.status is IntentStatus.CANCELED

    async def test_what_is_paid_is_not_cancelled(self, sandbox: Sandbox, payments: StripePayments) -> None:
        made = await paid(sandbox, payments)
        with pytest.raises(PaymentRefused) as refused:
            await payments.cancel_intent(made.id)
        assert refused.value.reason is PaymentReason.STATE
        with pytest.raises(NotFound):
            await payments.cancel_intent(IntentId("pi_none"))

    async def test_an_amount_below_stripes_least_is_refused(self, payments: StripePayments) -> None:
        with pytest.raises(PaymentRefused) as refused:
            await payments.create_intent(order(), Money(49, "JPY"))
        assert refused.value.reason is PaymentReason.AMOUNT


class TestRefunds:
    async def test_in_parts_each_once_and_never_above(self, sandbox: Sandbox, payments: StripePayments) -> None:
        made = await paid(sandbox, payments)
        key = refund()
        first = await payments.refund(key, made.id, Money(1000, "JPY"))
        assert (first.amount, first.status) == (Money(1000, "JPY"), RefundStatus.SUCCEEDED)
        assert await payments.refund(key, made.id, Money(1000, "JPY")) == first
        with pytest.raises(PaymentRefused) as refused:
            await payments.refund(refund(), made.id, Money(981, "JPY"))
        assert refused.value.reason is PaymentReason.OTHER  # Stripe has no code for it
        assert (await payments.refund(refund(), made.id, Money(980, "JPY"))).amount.minor == 980
        with pytest.raises(PaymentConflict):
            await payments.refund(key, made.id, Money(1, "JPY"))

    async def test_of_what_was_not_paid(self, payments: StripePayments) -> None:
        made = await payments.create_intent(order(), YEN)
        with pytest.raises(PaymentRefused):
            await payments.refund(refund(), made.id, YEN)
        with pytest.raises(NotFound):
            await payments.refund(refund(), IntentId("pi_none"), YEN)


SAID = "No such card: 4242424242424242 of hanako@example.com"


def card_error(code: str, decline_code: str | None = None) -> stripe.CardError:
    body = {"error": {"code": code, "message": SAID} | ({"decline_code": decline_code} if decline_code else {})}
    return stripe.CardError(SAID, None, code, json_body=body)


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (card_error("card_declined", "insufficient_funds"), PaymentReason.FUNDS),
            (card_error("expired_card", "expired_card"), PaymentReason.EXPIRED),
            (card_error("incorrect_cvc"), PaymentReason.CARD_DATA),
            (card_error("card_declined", "stolen_card"), PaymentReason.DECLINED),  # a thief is not told
            (card_error("card_declined", "fraudulent"), PaymentReason.DECLINED),
            (card_error("new_of_stripe"), PaymentReason.DECLINED),
            (stripe.CardError(SAID, None, "card_declined"), PaymentReason.DECLINED),
            (stripe.InvalidRequestError(SAID, None, "charge_already_refunded"), PaymentReason.REFUNDED),
            (stripe.InvalidRequestError(SAID, None, "new_of_stripe"), PaymentReason.OTHER),
            (stripe.InvalidRequestError(SAID, None), PaymentReason.OTHER),
        ],
    )
    def test_a_refusal_is_told_in_our_words(self, error: stripe.StripeError, reason: PaymentReason) -> None:
        with pytest.raises(PaymentRefused) as refused, in_our_terms():
            raise error
        assert refused.value.reason is reason
        for language in Language:
            assert refused.value.told(language) == TEXTS[reason.value].told(language, {})

    @pytest.mark.parametrize(
        "error",
        [
            card_error("card_declined"),
            stripe.InvalidRequestError(SAID, None, "resource_missing"),
            stripe.InvalidRequestError(SAID, None),
            stripe.IdempotencyError(SAID),
            stripe.AuthenticationError(SAID),
            stripe.APIConnectionError(SAID),
            stripe.RateLimitError(SAID),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_nothing_of_stripes_own_text_is_logged(
        self, error: stripe.StripeError, caplog: pytest.LogCaptureFixture
    ) -> None:
        try:
            with in_our_terms():
                raise error
        except Refusal:
            logging.getLogger("tests").exception("what a log would have")
        assert "StripeFault" in caplog.text
        assert not any(each in caplog.text for each in ("4242", "hanako", "No such card"))


class TestOutages:
    @pytest.mark.parametrize("kind", ["rate_limit", "server_error", "lost_answer"])
    async def test_are_outages_whatever_stripe_says(
        self, sandbox: Sandbox, payments: StripePayments, kind: str
    ) -> None:
        sandbox.post("/_sandbox/faults", kind=kind)
        with pytest.raises(Unavailable):
            await payments.create_intent(order(), YEN)

    async def test_after_a_lost_answer_the_same_call_gives_what_was_made(
        self, sandbox: Sandbox, payments: StripePayments
    ) -> None:
        of = order()
        sandbox.post("/_sandbox/faults", kind="lost_answer")
        with pytest.raises(Unavailable):
            await payments.create_intent(of, YEN)
        (made,) = await payments.intents_of(of)
        assert await payments.create_intent(of, YEN) == made

    async def test_a_refund_whose_answer_was_lost_is_made_once(
        self, sandbox: Sandbox, payments: StripePayments
    ) -> None:
        made = await paid(sandbox, payments)
        key = refund()
        sandbox.post("/_sandbox/faults", kind="lost_answer", path="/v1/refunds")
        with pytest.raises(Unavailable):
            await payments.refund(key, made.id, Money(600, "JPY"))
        await payments.refund(key, made.id, Money(600, "JPY"))
        charge = sandbox.get("/v1/charges", payment_intent=made.id).json()["data"][0]
        assert charge["amount_refunded"] == 600

    async def test_silence_is_an_outage_in_the_time_that_was_set(
        self, sandbox: Sandbox, payments: StripePayments
    ) -> None:
        await payments.create_intent(order(), YEN)  # the library is imported by now
        connection = StripeConnection(KEY, api_base=sandbox.url, timeout_ms=300)
        sandbox.post("/_sandbox/faults", kind="timeout")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await StripePayments(connection).create_intent(order(), YEN)
        assert time.monotonic() - began < 5  # and not the library's 80 s
        await connection.close()

    async def test_nobody_there(self) -> None:
        connection = StripeConnection(KEY, api_base="http://127.0.0.1:1", timeout_ms=PATIENT_MS)
        with pytest.raises(Unavailable):
            await StripePayments(connection).create_intent(order(), YEN)
        with pytest.raises(Unavailable):
            await connection.check()
        await connection.close()

    async def test_a_key_that_stripe_does_not_know(self, sandbox: Sandbox) -> None:
        connection = StripeConnection("sk_test_wrong", api_base=sandbox.url, timeout_ms=PATIENT_MS)
        with pytest.raises(Unavailable):
            await StripePayments(connection).intent(IntentId("pi_1"))
        with pytest.raises(Unavailable) as outage:
            await connection.check()
        assert "401" in str(outage.value.__cause__)
        await connection.close()


async def test_its_health_is_the_version_and_whether_money_is_real(sandbox: Sandbox, payments: StripePayments) -> None:
    connection = StripeConnection(KEY, api_base=sandbox.url, timeout_ms=PATIENT_MS)
    said = await connection.check()
    assert said.startswith("API 20")
    assert said.endswith("test mode")
    sandbox.post("/_sandbox/faults", kind="server_error", method="GET", path="/v1/balance")
    assert await connection.check() == said  # asked of Stripe twice a minute, no more
    await connection.close()
    again = StripeConnection(KEY, api_base=sandbox.url, timeout_ms=PATIENT_MS)
    with pytest.raises(Unavailable):
        await again.check()
    await again.close()
