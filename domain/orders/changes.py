"""What a decision about an order comes to, as data: written in one transaction, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.orders.ledger import Posting, of_refund
from domain.orders.model import OrderStatus
from domain.orders.open_order import OpenItem, OpenOrder
from domain.orders.refunds import RefundDraft, checked
from domain.orders.returns import Return, ReturnId
from domain.orders.states import ITEM_MOVES, Actor, Move, ReturnStatus, checked_move, derived_status
from domain.shared.events import Event
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, VariationId

PREFERRED = (Actor.SELLER, Actor.BUYER, Actor.ADMIN, Actor.SYSTEM)
"""Whoever may do something in several parts does it in the first of these."""


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: a user (None for a guest or the program), and in which parts they may act."""

    user_id: UUID | None
    actors: frozenset[Actor]

    def among(self, allowed: frozenset[Actor]) -> "Doer":
        """In which part it is done; one of the two has it."""
        return Doer(self.user_id, next(actor for actor in PREFERRED if actor in self.actors & allowed))


@dataclass(frozen=True, slots=True)
class Doer:
    user_id: UUID | None
    actor: Actor


PROGRAM = Doer(None, Actor.SYSTEM)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """`carrier` and `tracking_number` of one that is sent."""

    id: OrderItemId
    source: OrderStatus
    target: OrderStatus
    note: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnChange:
    id: ReturnId
    source: ReturnStatus
    target: ReturnStatus
    note: str | None = None
    is_restocked: bool | None = None


@dataclass(frozen=True, slots=True)
class Restock:
    """Units that go back on the shelf."""

    product_id: ProductId
    variation_id: VariationId | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Changes:
    """`status` is the order's new state, where it changes; `releases` lets go of what was set aside for it."""

    order_id: OrderId
    by: Doer
    note: str | None = None
    status: OrderStatus | None = None
    items: Sequence[ItemChange] = ()
    new_returns: Sequence[Return] = ()
    returns: Sequence[ReturnChange] = ()
    refunds: Sequence[RefundDraft] = ()
    postings: Sequence[Posting] = ()
    restocks: Sequence[Restock] = ()
    releases: bool = False
    events: Sequence[Event] = ()

    @property
    def result(self) -> UUID:
        """What the same call shows again: the return that it made, else the order."""
        return self.new_returns[0].id if self.new_returns else self.order_id


def move_items(
    order: OpenOrder, items: Sequence[OpenItem], target: OrderStatus, by: By, note: str | None = None
) -> tuple[Changes, OpenOrder]:
    """The items' moves with what follows from them alone, and the order as it then is. Raises IllegalMove.

    Everything else is added to it by whoever decides.
    """
    moves = [checked_move(ITEM_MOVES, item.status, target, by.actors) for item in items]
    doer = by.among(moves[0].by)
    moved = {item.id for item in items}
    after = replace(
        order,
        items=[replace(item, status=target) if item.id in moved else item for item in order.items],
    )
    status = derived_status(item.status for item in after.items)
    after = replace(after, status=status)
    events = [
        event for item, move in zip(items, moves, strict=True) if move.event for event in _told(after, item, move)
    ]
    return (
        Changes(
            order.id,
            doer,
            note,
            status=None if status is order.status else status,
            items=[ItemChange(item.id, item.status, target, note) for item in items],
            events=events,
        ),
        after,
    )


def _told(order: OpenOrder, item: OpenItem, move: Move[OrderStatus]) -> list[Event]:
    """A seller never hears of what nobody paid for."""
    more = {"itemId": str(item.id), "itemStatus": move.target.value}
    told = of_seller(order, item.seller_id, str(move.event), more)
    return told[:1] if move.source is OrderStatus.PENDING else told


def with_refunds(changes: Changes, order: OpenOrder, drafts: Sequence[RefundDraft]) -> Changes:
    """The changes with refunds and what the ledger says of them. Raises NotPaid, RefundExceeds."""
    drafts = checked(order, drafts)
    postings = [
        posting
        for draft in drafts
        if draft.seller_id in order.parts
        for posting in of_refund(order.id, order.currency, order.parts[draft.seller_id], draft)
    ]
    return replace(changes, refunds=[*changes.refunds, *drafts], postings=[*changes.postings, *postings])


def of_order(order: OpenOrder, type_: str, more: Mapping[str, object] | None = None) -> Event:
    """An event of the order's stream. Payloads have ids, states and amounts; never names or mails."""
    payload = {"orderId": str(order.id), "orderStatus": order.status.value}
    return Event(type_, "order", order.id, payload | dict(more or {}), f"order/{order.id}")


def of_seller(order: OpenOrder, seller_id: SellerId, type_: str, more: Mapping[str, object]) -> list[Event]:
    """What happened to a seller's part: an event of the order's stream, and its twin of the seller's."""
    event = of_order(order, type_, {"sellerId": str(seller_id)} | dict(more))
    twin = replace(event, aggregate_type="seller", aggregate_id=seller_id, stream=f"seller/{seller_id}")
    return [event, twin]
