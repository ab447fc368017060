"""Any course that an order can take, on a real database: what is offered happens, what is not is refused, the books balance."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import settings as program
from domain.orders.actions import ItemAction, OrderAction, ReturnAction
from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.returns import ReturnReason
from domain.shared.ids import uuid7
from domain.shared.refusals import Refusal
from domain.shared.viewer import Viewer
from tests.orders.life import Life, Line, begun

LINES = st.lists(st.builds(Line, st.integers(0, 1), st.integers(1, 3), st.integers(1, 2_000)), min_size=1, max_size=3)
PLACE = st.integers(0, 2)


class Course(RuleBasedStateMachine):
    urls: ClassVar[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.life: Life | None = None

    def teardown(self) -> None:
        if self.life is not None:
            self.runner.run(self.life.end())
        self.runner.close()

    @initialize(
        lines=LINES,
        fees=st.tuples(*[st.integers(0, 800)] * 2),
        currency=st.sampled_from(["JPY", "USD"]),
        far=st.lists(st.sampled_from((0, 1, 2, 2, 2)), min_size=3, max_size=3),
        is_paid=st.sampled_from((True, True, True, True, False)),
    )
    def place(self, lines: list[Line], fees: tuple[int, int], currency: str, far: list[int], is_paid: bool) -> None:
        """Somewhere on its way: most courses would end long before."""
        self.life = begun(self.runner, self.urls, lines, list(fees), currency)
        if is_paid:
            self.pay()
            for place, steps in enumerate(far[: len(lines)]):
                for step in (self.ship, self.deliver)[:steps]:
                    step(place)

    @precondition(lambda self: self.life is not None)
    @invariant()
    def books_balance(self) -> None:
        self.runner.run(self.here.check())

    @property
    def here(self) -> Life:
        assert self.life is not None
        return self.life

    def happens(self, is_offered: bool, deed: Callable[[str], Awaitable[object]], *, has_key: bool = False) -> None:
        """It happens just where it was offered; a second time under the same key it changes nothing."""
        key, code = f"k-{uuid7()}", ""
        try:
            self.runner.run(wrapped(deed(key)))
        except Refusal as refusal:
            code = refusal.code
        assert (code == "") is is_offered, code
        assert code in {"", "ILLEGAL_MOVE", "ALREADY_SHIPPED", "NOT_PAID", "REFUND_EXCEEDS", "BAD_USER_INPUT"}
        if has_key and not code:
            before = self.runner.run(self.here.seen())
            self.runner.run(wrapped(deed(key)))
            assert self.runner.run(self.here.seen()) == before

    def item(self, place: int) -> tuple[Any, Viewer]:
        _, items, _ = self.runner.run(self.here.seen())
        item = items[place % len(items)]
        return item, self.here.clerks[self.here.sellers.index(item.seller_id)]

    def offered(self, viewer: Viewer, item: Any) -> Any:
        [found] = self.runner.run(wrapped(self.here.records.actions_of_items(viewer, [item])))
        return found

    @rule()
    def pay(self) -> None:
        self.runner.run(self.here.pay())

    @rule(place=PLACE)
    def ship(self, place: int) -> None:
        item, clerk = self.item(place)
        shipment = Shipment("ヤマト運輸", "1234")
        self.happens(
            ItemAction.SHIP in self.offered(clerk, item),
            lambda _: self.here.fulfilment.ship(clerk, item.id, item.version, shipment),
        )

    @rule(place=PLACE)
    def deliver(self, place: int) -> None:
        item, clerk = self.item(place)
        self.happens(
            ItemAction.DELIVER in self.offered(clerk, item),
            lambda _: self.here.fulfilment.deliver(clerk, item.id, item.version),
        )

    @rule(place=PLACE)
    def cancel_item(self, place: int) -> None:
        item, clerk = self.item(place)
        self.happens(
            ItemAction.CANCEL in self.offered(clerk, item),
            lambda key: self.here.fulfilment.cancel_item(clerk, item.id, item.version, None, key),
            has_key=True,
        )

    @rule(sure=st.integers(0, 3))
    def cancel(self, sure: int) -> None:
        if sure:  # it would end most courses
            return
        order, _, _ = self.runner.run(self.here.seen())
        [offered] = self.runner.run(wrapped(self.here.records.actions_of_orders(self.here.buyer, [order])))
        self.happens(
            OrderAction.CANCEL in offered,
            lambda key: self.here.fulfilment.cancel_order(self.here.buyer, order.id, order.version, None, key),
            has_key=True,
        )

    @rule(place=PLACE, quantity=st.integers(1, 3))
    def ask_for_return(self, place: int, quantity: int) -> None:
        item, _ = self.item(place)
        offered = ItemAction.REQUEST_RETURN in self.offered(self.here.buyer, item)
        left = item.quantity - self.runner.run(self.returning(item.id))
        self.happens(
            offered and quantity <= left,
            lambda key: self.here.fulfilment.request_return(
                self.here.buyer, item.id, quantity, ReturnReason.UNWANTED, None, key
            ),
            has_key=True,
        )

    async def returning(self, item: Any) -> int:
        return int(
            await self.here.connection.fetchval(
                "SELECT coalesce(sum(quantity), 0) FROM orders.returns WHERE order_item_id = $1 AND status <> 'refused'",
                item,
            )
        )

    @rule(place=PLACE, action=st.sampled_from(ReturnAction), restock=st.booleans())
    def answer_return(self, place: int, action: ReturnAction, restock: bool) -> None:
        _, _, returns = self.runner.run(self.here.seen())
        if not returns:
            return
        asked = returns[place % len(returns)]
        clerk, desk = self.here.clerks[self.here.sellers.index(asked.seller_id)], self.here.fulfilment
        [offered] = self.runner.run(wrapped(self.here.records.actions_of_returns(clerk, [asked])))
        deeds: dict[ReturnAction, Callable[[str], Awaitable[object]]] = {
            ReturnAction.ACCEPT: lambda _: desk.accept_return(clerk, asked.id, asked.version),
            ReturnAction.REFUSE: lambda _: desk.refuse_return(clerk, asked.id, asked.version, "古い"),
            ReturnAction.RECEIVE: lambda key: desk.receive_return(
                clerk, asked.id, asked.version, restock=restock, key=key
            ),
        }
        self.happens(action in offered, deeds[action], has_key=action is ReturnAction.RECEIVE)

    @rule(amount=st.integers(1, 3_000), borne_by=st.sampled_from(BorneBy))
    def give_back(self, amount: int, borne_by: BorneBy) -> None:
        order, _, _ = self.runner.run(self.here.seen())
        [left] = self.runner.run(wrapped(self.here.records._records.standing_of_orders(self.here.admin, [order.id])))
        request = RefundRequest(RefundReason.GOODWILL, borne_by, amount=amount)
        self.happens(
            left is not None and amount <= left.left,
            lambda key: self.here.fulfilment.refund(self.here.admin, order.id, order.version, request, key),
            has_key=True,
        )

    @rule(place=PLACE)
    def lose(self, place: int) -> None:
        order, _, _ = self.runner.run(self.here.seen())
        item, _ = self.item(place)
        request = RefundRequest(RefundReason.LOST, BorneBy.SELLER, item.id)
        self.happens(
            item.fulfillment_status == "shipped",
            lambda key: self.here.fulfilment.refund(self.here.admin, order.id, order.version, request, key),
            has_key=True,
        )

    @rule(succeeded=st.booleans())
    def hear_of_a_refund(self, succeeded: bool) -> None:
        self.runner.run(self.here.settle_refund(succeeded=succeeded))

    @rule(amount=st.integers(1, 3_000), is_whole=st.booleans())
    def give_back_by_hand(self, amount: int, is_whole: bool) -> None:
        self.runner.run(self.here.refund_by_hand(self.here.total if is_whole else amount))

    @rule()
    def come_back(self) -> None:
        self.runner.run(self.here.refund_comes_back())


async def wrapped(deed: Awaitable[Any]) -> Any:
    return await deed


def test_any_course_of_an_order(settings: program.Settings) -> None:
    Course.urls = (settings.database_url.get_secret_value(), settings.database_worker_url.get_secret_value())
    run_state_machine_as_test(Course, settings=OFTEN)  # type: ignore[no-untyped-call]


OFTEN = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each step is a dozen statements: to shrink a course takes minutes
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
