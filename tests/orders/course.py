"""What can become of an order: each deed happens just where it is offered, and is refused where it is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from domain.orders.actions import ItemAction, OrderAction, ReturnAction
from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.returns import ReturnReason
from domain.shared.ids import uuid7
from domain.shared.refusals import Refusal
from domain.shared.viewer import Viewer
from tests.orders.life import Life

PLACE = st.integers(0, 2)


class Course(RuleBasedStateMachine):
    """Deeds on the order that `life` is about; nothing happens while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.life: Life | None = None

    def teardown(self) -> None:
        if self.life is not None:
            self.runner.run(self.life.end())
        self.runner.close()

    @property
    def has_order(self) -> bool:
        return self.life is not None and hasattr(self.life, "order")

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

    @precondition(lambda self: self.has_order)
    @rule(place=PLACE)
    def ship(self, place: int) -> None:
        item, clerk = self.item(place)
        shipment = Shipment("ヤマト運輸", "1234")
        self.happens(
            ItemAction.SHIP in self.offered(clerk, item),
            lambda _: self.here.fulfilment.ship(clerk, item.id, item.version, shipment),
        )

    @precondition(lambda self: self.has_order)
    @rule(place=PLACE)
    def deliver(self, place: int) -> None:
        item, clerk = self.item(place)
        self.happens(
            ItemAction.DELIVER in self.offered(clerk, item),
            lambda _: self.here.fulfilment.deliver(clerk, item.id, item.version),
        )

    @precondition(lambda self: self.has_order)
    @rule(place=PLACE)
    def cancel_item(self, place: int) -> None:
        item, clerk = self.item(place)
        self.happens(
            ItemAction.CANCEL in self.offered(clerk, item),
            lambda key: self.here.fulfilment.cancel_item(clerk, item.id, item.version, None, key),
            has_key=True,
        )

    @precondition(lambda self: self.has_order)
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

    @precondition(lambda self: self.has_order)
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

    @precondition(lambda self: self.has_order)
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

    @precondition(lambda self: self.has_order)
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

    @precondition(lambda self: self.has_order)
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


async def wrapped(deed: Awaitable[Any]) -> Any:
    return await deed
