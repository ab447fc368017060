"""The state machines of orders, as data: the domain, the database (`orders.moves`) and `availableActions` follow the same.

An order has no moves of its own: its state is derived from its items'.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from domain.orders.model import OrderStatus, PaymentStatus
from domain.shared.refusals import Refusal

ItemStatus = OrderStatus
"""The document has one set of states for an order and for each of its items."""


class ReturnStatus(StrEnum):
    """States of a return: so many of an item on their way back to the seller."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RECEIVED = "received"
    REFUNDED = "refunded"


class RefundState(StrEnum):
    """States of a refund of ours: written with its cause, carried out at the provider afterwards."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Actor(StrEnum):
    """In which part somebody acts on an order."""

    BUYER = "buyer"
    SELLER = "seller"
    ADMIN = "admin"
    SYSTEM = "system"
    """The program itself: what a payment, a deadline or the provider brings about."""


class IllegalMove(Refusal):
    """Something is not in a state from which it can go there, or not by this person."""

    code = "ILLEGAL_MOVE"


S = TypeVar("S", OrderStatus, PaymentStatus, ReturnStatus, RefundState)


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """One step that is allowed. `event` is the type of what is told of it; None where the order's own event tells it."""

    source: S
    target: S
    by: frozenset[Actor]
    event: str | None = None


def _by(*actors: Actor) -> frozenset[Actor]:
    return frozenset(actors)


BUYER, SELLER, ADMIN, SYSTEM = Actor.BUYER, Actor.SELLER, Actor.ADMIN, Actor.SYSTEM

ITEM_MOVES: Sequence[Move[OrderStatus]] = (
    # Paid: `OrderPaid` tells it of all items at once.
    Move(ItemStatus.PENDING, ItemStatus.PROCESSING, _by(SYSTEM)),
    # Not by the seller: what is asked of the buyer is not changed while it is being paid.
    Move(ItemStatus.PENDING, ItemStatus.CANCELLED, _by(BUYER, ADMIN, SYSTEM), "OrderItemCancelled"),
    Move(ItemStatus.PROCESSING, ItemStatus.SHIPPED, _by(SELLER, ADMIN), "OrderItemShipped"),
    Move(ItemStatus.PROCESSING, ItemStatus.CANCELLED, _by(BUYER, SELLER, ADMIN, SYSTEM), "OrderItemCancelled"),
    Move(ItemStatus.SHIPPED, ItemStatus.DELIVERED, _by(SELLER, ADMIN), "OrderItemDelivered"),
    # Lost on its way.
    Move(ItemStatus.SHIPPED, ItemStatus.REFUNDED, _by(ADMIN), "OrderItemRefunded"),
    # All of it came back.
    Move(ItemStatus.DELIVERED, ItemStatus.REFUNDED, _by(SELLER, ADMIN), "OrderItemRefunded"),
)

PAYMENT_MOVES: Sequence[Move[PaymentStatus]] = (
    Move(PaymentStatus.PENDING, PaymentStatus.PROCESSING, _by(SYSTEM)),
    # One that was never tried, or failed for good, ends with its order; otherwise it would stay open for ever. By the program
    # alone, when the provider takes no money for it any more: whoever cancels an order leaves its payment as it is.
    Move(PaymentStatus.PENDING, PaymentStatus.CANCELLED, _by(SYSTEM)),
    Move(PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, _by(SYSTEM), "OrderPaid"),
    Move(PaymentStatus.PROCESSING, PaymentStatus.FAILED, _by(SYSTEM), "OrderPaymentFailed"),
    Move(PaymentStatus.PROCESSING, PaymentStatus.CANCELLED, _by(SYSTEM)),
    Move(PaymentStatus.FAILED, PaymentStatus.PROCESSING, _by(SYSTEM)),
    Move(PaymentStatus.FAILED, PaymentStatus.CANCELLED, _by(SYSTEM)),
    # All of it went back.
    Move(PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED, _by(SYSTEM)),
    # Some of it came back.
    Move(PaymentStatus.REFUNDED, PaymentStatus.SUCCEEDED, _by(SYSTEM)),
)

RETURN_MOVES: Sequence[Move[ReturnStatus]] = (
    Move(ReturnStatus.REQUESTED, ReturnStatus.ACCEPTED, _by(SELLER, ADMIN), "ReturnAccepted"),
    Move(ReturnStatus.REQUESTED, ReturnStatus.REFUSED, _by(SELLER, ADMIN), "ReturnRefused"),
    Move(ReturnStatus.ACCEPTED, ReturnStatus.RECEIVED, _by(SELLER, ADMIN), "ReturnReceived"),
    Move(ReturnStatus.RECEIVED, ReturnStatus.REFUNDED, _by(SYSTEM)),
    # Its money came back from the buyer's bank, and is to go once more.
    Move(ReturnStatus.REFUNDED, ReturnStatus.RECEIVED, _by(SYSTEM)),
)

REFUND_MOVES: Sequence[Move[RefundState]] = (
    Move(RefundState.PENDING, RefundState.SUCCEEDED, _by(SYSTEM), "RefundSucceeded"),
    Move(RefundState.PENDING, RefundState.FAILED, _by(SYSTEM), "RefundFailed"),
    # Carried out, and come back from the buyer's bank days later.
    Move(RefundState.SUCCEEDED, RefundState.FAILED, _by(SYSTEM), "RefundFailed"),
    # Tried again by hand.
    Move(RefundState.FAILED, RefundState.PENDING, _by(ADMIN)),
)

MACHINES: Mapping[str, tuple[type[StrEnum], Sequence[tuple[StrEnum, StrEnum]]]] = {
    "item": (OrderStatus, [(move.source, move.target) for move in ITEM_MOVES]),
    "payment": (PaymentStatus, [(move.source, move.target) for move in PAYMENT_MOVES]),
    "return": (ReturnStatus, [(move.source, move.target) for move in RETURN_MOVES]),
    "refund": (RefundState, [(move.source, move.target) for move in REFUND_MOVES]),
}
"""The states of each machine and its moves, as the database has them too."""


def find_move(moves: Sequence[Move[S]], source: S, target: S) -> Move[S] | None:
    return next((move for move in moves if move.source is source and move.target is target), None)


def may_move(moves: Sequence[Move[S]], source: S, target: S, actors: Iterable[Actor]) -> bool:
    """Whether somebody who acts in one of these parts may move it."""
    move = find_move(moves, source, target)
    return move is not None and not move.by.isdisjoint(actors)


def checked_move(moves: Sequence[Move[S]], source: S, target: S, actors: Iterable[Actor]) -> Move[S]:
    """The move. Raises IllegalMove."""
    move = find_move(moves, source, target)
    if move is None or move.by.isdisjoint(actors):
        raise IllegalMove(source=source.value, target=target.value)
    return move


ENDED = frozenset({ItemStatus.CANCELLED, ItemStatus.REFUNDED})
"""Items in these states are no longer part of what is on its way to the buyer."""
ADVANCE = (ItemStatus.PENDING, ItemStatus.PROCESSING, ItemStatus.SHIPPED, ItemStatus.DELIVERED)
"""From the least to the most advanced."""


def derived_status(items: Iterable[OrderStatus]) -> OrderStatus:
    """The state of an order with these items: the least advanced of those alive.

    When none is alive: refunded if money of any went back after it was shipped (only then is an item itself refunded),
    else cancelled. Raises ValueError for an order without items.
    """
    found = set(items)
    if not found:
        raise ValueError("an order has items")
    for status in ADVANCE:
        if status in found:
            return status
    return OrderStatus.REFUNDED if OrderStatus.REFUNDED in found else OrderStatus.CANCELLED
