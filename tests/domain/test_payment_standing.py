"""What follows from what the provider says of a payment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.ports import SettlementKind
from domain.payments.model import IntentId, IntentStatus, PaymentIntent
from domain.payments.refusals import PaymentReason
from domain.payments.standing import UNANSWERED, Decision, OrderStep, Standing, decide, settlement
from domain.shared.ids import OrderId, uuid7
from domain.shared.money import Money

NOW = datetime(2026, 4, 1, 3, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=31)
YEN, CENTS = Money(1980, "JPY"), Money(1980, "USD")
INTENT = IntentId("pi_1")
P = PaymentStatus


def standing(
    status: PaymentStatus = P.PENDING, order: OrderStatus = OrderStatus.PENDING, **changes: object
) -> Standing:
    made = Standing(
        OrderId(uuid7(NOW)), order, NOW, NOW + timedelta(minutes=30), uuid7(NOW), status, YEN, intent_id=INTENT
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def intent(status: IntentStatus, amount: Money = YEN, reason: PaymentReason | None = None) -> PaymentIntent:
    received = amount if status is IntentStatus.SUCCEEDED else Money(0, amount.currency)
    return PaymentIntent(INTENT, None, amount, received, status, NOW, None, None, "secret", reason)


OPEN = (IntentStatus.REQUIRES_PAYMENT_METHOD, IntentStatus.REQUIRES_CONFIRMATION, IntentStatus.REQUIRES_ACTION)


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        (P.PENDING, (P.PROCESSING, P.SUCCEEDED)),
        (P.PROCESSING, (P.SUCCEEDED,)),
        (P.FAILED, (P.PROCESSING, P.SUCCEEDED)),
    ],
)
@pytest.mark.parametrize("amount", [YEN, CENTS])
def test_what_is_paid_is_paid_by_moves_that_are_allowed(
    status: PaymentStatus, steps: Sequence[PaymentStatus], amount: Money
) -> None:
    found = decide(standing(status, amount=amount), intent(IntentStatus.SUCCEEDED, amount), NOW)
    assert found == Decision(tuple(steps), OrderStep.PAID, INTENT, is_settled=True)


def test_what_is_paid_after_its_time_but_before_its_release_is_paid() -> None:
    assert decide(standing(), intent(IntentStatus.SUCCEEDED), LATER).order is OrderStep.PAID


@pytest.mark.parametrize("status", [P.PENDING, P.PROCESSING, P.FAILED, P.CANCELLED])
def test_what_is_paid_after_its_release_goes_back_and_frees_nothing_again(status: PaymentStatus) -> None:
    found = decide(standing(status, OrderStatus.CANCELLED), intent(IntentStatus.SUCCEEDED), LATER)
    assert (found.order, found.refund, found.is_settled) == (OrderStep.NONE, YEN, True)
    # a payment that was given up stays so: what came, and went back, is in the refund
    assert found.after(standing(status)).status is (P.CANCELLED if status is P.CANCELLED else P.SUCCEEDED)


@pytest.mark.parametrize("odd", [Money(1979, "JPY"), CENTS])
@pytest.mark.parametrize("status", IntentStatus)
def test_a_payment_over_something_else_pays_for_nothing_and_is_not_handed_out(status: IntentStatus, odd: Money) -> None:
    found = decide(standing(), intent(status, odd), NOW)
    if status is IntentStatus.CANCELED:
        assert (found.order, found.is_settled) == (OrderStep.RELEASED, True)
        return
    assert found == Decision(intent_id=INTENT, problem=found.problem)
    assert str(odd.amount) in (found.problem or "")
    told = settlement(found.after(standing()), intent(status, odd))
    assert (told.kind, told.client_secret) == (SettlementKind.PROCESSING, None)
    over = decide(standing(), intent(status, odd), LATER)
    assert over.refund is None  # it never was in these books
    assert over.gives_back is (status is IntentStatus.SUCCEEDED)
    assert over.abandons is (status in OPEN)


def test_a_part_of_the_money_is_not_the_money() -> None:
    part = replace(intent(IntentStatus.SUCCEEDED), received=Money(1979, "JPY"))
    assert decide(standing(), part, NOW).problem == "1979 JPY was paid at the provider, and 1980 JPY is due"
    late = decide(standing(), part, LATER)
    assert (late.order, late.gives_back, late.steps) == (OrderStep.RELEASED, True, ())
    ended = decide(late.after(standing()), part, LATER, is_given_back=True)
    assert (ended.steps[-1], ended.problem, ended.is_settled) == (P.CANCELLED, None, True)


def test_who_does_not_answer_puts_nothing_right() -> None:
    assert decide(standing(problem="odd"), None, NOW, is_silent=True).problem == "odd"
    assert decide(standing(problem="odd"), intent(IntentStatus.REQUIRES_PAYMENT_METHOD), NOW).problem is None


@pytest.mark.parametrize("status", [P.PENDING, P.PROCESSING, P.FAILED])
def test_an_intent_that_was_cancelled_releases_its_order(status: PaymentStatus) -> None:
    found = decide(standing(status), intent(IntentStatus.CANCELED), NOW)
    assert (found.steps[-1], found.order, found.is_settled) == (P.CANCELLED, OrderStep.RELEASED, True)


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize(
    ("order", "at"), [(OrderStatus.PENDING, LATER), (OrderStatus.CANCELLED, NOW), (OrderStatus.CANCELLED, LATER)]
)
def test_nobody_can_go_on_paying_what_is_over(status: IntentStatus, order: OrderStatus, at: datetime) -> None:
    found = decide(standing(order=order), intent(status), at)
    assert found == Decision(intent_id=INTENT, abandons=True)  # released only once it is cancelled there


def test_a_decline_can_be_tried_again() -> None:
    declined = intent(IntentStatus.REQUIRES_PAYMENT_METHOD, reason=PaymentReason.FUNDS)
    found = decide(standing(), declined, NOW)
    assert (found.steps, found.order, found.is_settled) == ((P.PROCESSING, P.FAILED), OrderStep.NONE, False)
    told = settlement(found.after(standing()), declined)
    assert (told.kind, told.client_secret, told.reason) == (SettlementKind.FAILED, "secret", PaymentReason.FUNDS)
    assert decide(standing(P.FAILED), declined, NOW).steps == ()  # heard of twice, it is one failure


def test_a_bank_that_asks_the_buyer_is_a_try_under_way() -> None:
    asking = intent(IntentStatus.REQUIRES_ACTION)
    assert decide(standing(P.FAILED), asking, NOW).steps == (P.PROCESSING,)
    assert settlement(standing(P.PROCESSING), asking).kind is SettlementKind.ACTION_REQUIRED


@pytest.mark.parametrize("status", [IntentStatus.PROCESSING, IntentStatus.REQUIRES_CAPTURE])
def test_money_on_its_way_is_waited_for_but_not_for_ever(status: IntentStatus) -> None:
    assert decide(standing(), intent(status), LATER) == Decision((P.PROCESSING,), intent_id=INTENT)
    at_last = NOW + timedelta(minutes=30) + UNANSWERED
    found = decide(standing(P.PROCESSING), intent(status), at_last)
    assert (found.order, found.is_settled) == (OrderStep.RELEASED, False)  # it may come yet, and then goes back


def test_while_the_provider_is_silent_stock_is_held_a_little_longer() -> None:
    at_last = NOW + timedelta(minutes=30) + UNANSWERED
    assert decide(standing(), None, at_last - timedelta(seconds=1), is_silent=True) == Decision()
    assert decide(standing(), None, at_last, is_silent=True) == Decision(order=OrderStep.RELEASED)


def test_what_was_never_asked_for_is_released_at_once() -> None:
    nothing = standing(intent_id=None)
    assert decide(nothing, None, NOW) == Decision()
    assert decide(nothing, None, LATER) == Decision((P.CANCELLED,), OrderStep.RELEASED, is_settled=True)


def test_another_intent_than_the_orders_changes_nothing() -> None:
    other = replace(intent(IntentStatus.SUCCEEDED), id=IntentId("pi_2"))
    assert decide(standing(), other, NOW) == Decision(is_stray=True)
    released = standing(P.CANCELLED, OrderStatus.CANCELLED, intent_id=None, is_settled=True)
    assert decide(released, other, NOW) == Decision(is_stray=True)


@pytest.mark.parametrize("order", OrderStatus)
@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize("said", [*IntentStatus, None])
@pytest.mark.parametrize("at", [NOW, LATER, LATER + UNANSWERED])
def test_what_is_written_is_final_when_it_is_heard_again(
    order: OrderStatus, status: PaymentStatus, said: IntentStatus | None, at: datetime
) -> None:
    """Told twice is as told once, and never is a secret given out of an order that is over."""
    before = standing(status, order)
    what = None if said is None else intent(said)
    first = decide(before, what, at)
    again = decide(first.after(before), what, at)
    assert (again.steps, again.order) == ((), OrderStep.NONE)
    assert not (first.order is OrderStep.PAID and first.refund)
    told = settlement(first.after(before), what)
    if order is not OrderStatus.PENDING or first.order is not OrderStep.NONE:
        assert told.client_secret is None


def test_a_secret_is_of_the_intent_that_is_written_alone() -> None:
    told = settlement(standing(intent_id=IntentId("pi_2")), intent(IntentStatus.REQUIRES_PAYMENT_METHOD))
    assert (told.kind, told.client_secret) == (SettlementKind.PROCESSING, None)
    assert "secret" not in repr(settlement(standing(), intent(IntentStatus.REQUIRES_PAYMENT_METHOD)))
