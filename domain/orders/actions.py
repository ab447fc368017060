"""What a viewer may do next, from the same data as the decisions themselves; the texts of a state machine stay out of clients."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.orders.model import OrderStatus
from domain.orders.returns import RETURN_WINDOW
from domain.orders.states import (
    ADMIN,
    BUYER,
    ENDED,
    ITEM_MOVES,
    RETURN_MOVES,
    SELLER,
    Actor,
    ReturnStatus,
    may_move,
)


class OrderAction(StrEnum):
    CANCEL = "cancel"
    REFUND = "refund"


class ItemAction(StrEnum):
    SHIP = "ship"
    DELIVER = "deliver"
    CANCEL = "cancel"
    REQUEST_RETURN = "request_return"
    REFUND = "refund"


class ReturnAction(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    RECEIVE = "receive"


SELLERS = frozenset({SELLER, ADMIN})
"""Who acts on single items and on returns; a buyer acts on the order, or asks for a return."""
ITEM_TARGETS = {
    ItemAction.SHIP: OrderStatus.SHIPPED,
    ItemAction.DELIVER: OrderStatus.DELIVERED,
    ItemAction.CANCEL: OrderStatus.CANCELLED,
}
RETURN_TARGETS = {
    ReturnAction.ACCEPT: ReturnStatus.ACCEPTED,
    ReturnAction.REFUSE: ReturnStatus.REFUSED,
    ReturnAction.RECEIVE: ReturnStatus.RECEIVED,
}
SENT = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.REFUNDED})
"""Items in these states were on their way at some time."""
PAID = frozenset({OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED})


@dataclass(frozen=True, slots=True)
class ItemStanding:
    """`returnable`: how many are not on their way back yet; `left`: minor units that have not gone back."""

    status: OrderStatus
    delivered_at: datetime | None
    returnable: int
    left: int


def is_cancellable(items: Collection[OrderStatus]) -> bool:
    """Whether an order with these items can be cancelled whole: something is alive, and nothing was ever shipped."""
    return SENT.isdisjoint(items) and any(status not in ENDED for status in items)


def is_returnable(delivered_at: datetime | None, now: datetime, actors: frozenset[Actor]) -> bool:
    """Within 30 days of delivery; an admin may ask for the buyer at any time."""
    return ADMIN in actors or (delivered_at is not None and now - delivered_at <= RETURN_WINDOW)


def actions_of_order(items: Collection[OrderStatus], left: int, actors: frozenset[Actor]) -> tuple[OrderAction, ...]:
    """`left`: minor units that were paid and have not gone back."""
    found = []
    if is_cancellable(items) and not actors.isdisjoint({BUYER, ADMIN}):
        found.append(OrderAction.CANCEL)
    if ADMIN in actors and left > 0:
        found.append(OrderAction.REFUND)
    return tuple(found)


def actions_of_item(item: ItemStanding, actors: frozenset[Actor], now: datetime) -> tuple[ItemAction, ...]:
    sellers = actors & SELLERS
    found = [
        action
        for action, target in ITEM_TARGETS.items()
        # what is unpaid ends with its order
        if item.status is not OrderStatus.PENDING and may_move(ITEM_MOVES, item.status, target, sellers)
    ]
    asks = actors & {BUYER, ADMIN}
    if (
        asks
        and item.status is OrderStatus.DELIVERED
        and item.returnable > 0
        and is_returnable(item.delivered_at, now, asks)
    ):
        found.append(ItemAction.REQUEST_RETURN)
    if ADMIN in actors and item.status in PAID and item.left > 0:
        found.append(ItemAction.REFUND)
    return tuple(found)


def actions_of_return(status: ReturnStatus, actors: frozenset[Actor]) -> tuple[ReturnAction, ...]:
    sellers = actors & SELLERS
    return tuple(action for action, target in RETURN_TARGETS.items() if may_move(RETURN_MOVES, status, target, sellers))
