"""What may be done to a placed order, and what comes of it: pure functions of the order as it stands, the viewer and the input.

Raises, all of them: NotFound (not for this viewer), VersionConflict, IllegalMove, InvalidInput.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.orders.actions import SENT, is_cancellable, is_returnable
from domain.orders.cancelling import cancelled
from domain.orders.changes import By, Changes, Restock, ReturnChange, move_items, of_seller, with_refunds
from domain.orders.model import OrderStatus
from domain.orders.open_order import OpenItem, OpenOrder
from domain.orders.refunds import (
    BorneBy,
    RefundDraft,
    RefundPart,
    RefundReason,
    of_amount,
    of_quantity,
    of_shipping,
    of_whole_item,
    spread,
)
from domain.orders.returns import RETURN_WINDOW, Return, ReturnId, ReturnReason
from domain.orders.states import ADMIN, BUYER, RETURN_MOVES, Actor, IllegalMove, ReturnStatus, checked_move
from domain.shared.ids import OrderItemId, SellerId, uuid7
from domain.shared.refusals import InvalidInput, NotFound, Refusal, VersionConflict
from domain.shared.text import line
from domain.shared.viewer import Viewer

MOST_TEXT = 1000
"""Characters of a note."""
REPLACED = "the cart was bought anew"
MOST_NAME = 100
"""Characters of a carrier's name, or of a tracking number."""


class AlreadyShipped(Refusal):
    """Something of the order is on its way: it can be sent back, and cancelled no more."""

    code = "ALREADY_SHIPPED"


class ReturnWindowClosed(Refusal):
    """Too long ago, or it is not known when it was delivered."""

    code = "RETURN_WINDOW_CLOSED"


@dataclass(frozen=True, slots=True)
class Shipment:
    carrier: str
    tracking_number: str


def ship(order: OpenOrder, viewer: Viewer, item_id: OrderItemId, expected_version: int, shipment: Shipment) -> Changes:
    item, by = _item_of_seller(order, viewer, item_id, expected_version)
    carrier = line(shipment.carrier, MOST_NAME, ("carrier",))
    number = line(shipment.tracking_number, MOST_NAME, ("trackingNumber",))
    changes, _ = move_items(order, [item], OrderStatus.SHIPPED, by)
    return replace(changes, items=[replace(each, carrier=carrier, tracking_number=number) for each in changes.items])


def deliver(order: OpenOrder, viewer: Viewer, item_id: OrderItemId, expected_version: int) -> Changes:
    item, by = _item_of_seller(order, viewer, item_id, expected_version)
    return move_items(order, [item], OrderStatus.DELIVERED, by)[0]


def cancel_item(
    order: OpenOrder, viewer: Viewer, item_id: OrderItemId, expected_version: int, reason: str | None
) -> Changes:
    """Before it was shipped: its part goes back, and it goes back on the shelf. Not what is unpaid: that is the buyer's."""
    item, by = _item_of_seller(order, viewer, item_id, expected_version)
    if item.status is OrderStatus.PENDING:
        raise IllegalMove(source=item.status.value, target=OrderStatus.CANCELLED.value)
    return _cancelled(order, [item], by, _text(reason, "reason"))


def cancel_order(order: OpenOrder, viewer: Viewer, expected_version: int, reason: str | None) -> Changes:
    """All that is left of it, while nothing was shipped. Raises AlreadyShipped."""
    by = _acting(order.actors(viewer) & {BUYER, ADMIN}, viewer)
    if order.version != expected_version:
        raise VersionConflict
    if not SENT.isdisjoint(item.status for item in order.items):
        raise AlreadyShipped
    if not is_cancellable([item.status for item in order.items]):
        raise IllegalMove(source=order.status.value, target=OrderStatus.CANCELLED.value)
    return _cancelled(order, [item for item in order.items if item.is_alive], by, _text(reason, "reason"))


def give_way(order: OpenOrder) -> Changes:
    """Unpaid, and its cart is bought as it is by now: what it set aside is let go. Money that comes all the same goes back."""
    by = By(None, frozenset({Actor.SYSTEM}))
    return _cancelled(order, [item for item in order.items if item.is_alive], by, REPLACED)


def _cancelled(order: OpenOrder, items: Sequence[OpenItem], by: By, note: str | None) -> Changes:
    changes, after = cancelled(order, items, by, note)
    payment = order.payment
    # of what the bank has taken there is nothing to give back: nor is it a reason to send the goods
    if changes.releases or (payment is not None and payment.disputed and not payment.left):
        return changes
    drafts = []
    for seller_id in dict.fromkeys(item.seller_id for item in items):
        parts = [part for item in items if item.seller_id == seller_id for part in of_whole_item(item)]
        part = order.parts.get(seller_id)
        never_shipped = all(item.status is OrderStatus.CANCELLED for item in after.items_of(seller_id))
        if part is not None and never_shipped:
            parts += of_shipping(part)
        if parts:
            drafts.append(RefundDraft(seller_id, RefundReason.CANCELLED, parts, note=note))
    return with_refunds(changes, order, drafts)


def request_return(
    order: OpenOrder,
    viewer: Viewer,
    item_id: OrderItemId,
    quantity: int,
    reason: ReturnReason,
    comment: str | None,
    now: datetime,
) -> Changes:
    """The buyer asks for it within 30 days; an admin may for the buyer at any time. Raises ReturnWindowClosed."""
    by = _acting(order.actors(viewer) & {BUYER, ADMIN}, viewer)
    item = order.item(item_id)
    if item.status is not OrderStatus.DELIVERED:
        raise IllegalMove(source=item.status.value, target=ReturnStatus.REQUESTED.value)
    if not is_returnable(item.delivered_at, now, by.actors):
        raise ReturnWindowClosed(days=RETURN_WINDOW.days)
    if not 1 <= quantity <= item.returnable:
        raise InvalidInput(key="return_quantity", left=item.returnable, field=("quantity",))
    asked = Return(
        ReturnId(uuid7()),
        item.id,
        order.id,
        item.seller_id,
        quantity,
        reason,
        _text(comment, "comment"),
        ReturnStatus.REQUESTED,
        None,
        None,
        1,
        now,
        now,
        order.user_id,
    )
    more = {"itemId": str(item.id), "returnId": str(asked.id), "quantity": quantity}
    events = of_seller(order, item.seller_id, "ReturnRequested", more | {"returnStatus": asked.status.value})
    return Changes(order.id, by.among(by.actors), new_returns=[asked], events=events)


def accept_return(order: OpenOrder, viewer: Viewer, return_id: ReturnId, expected_version: int) -> Changes:
    return _move_return(order, viewer, return_id, expected_version, ReturnStatus.ACCEPTED)[0]


def refuse_return(
    order: OpenOrder, viewer: Viewer, return_id: ReturnId, expected_version: int, note: str | None
) -> Changes:
    return _move_return(order, viewer, return_id, expected_version, ReturnStatus.REFUSED, _text(note, "note"))[0]


def receive_return(
    order: OpenOrder, viewer: Viewer, return_id: ReturnId, expected_version: int, *, restock: bool
) -> Changes:
    """The goods are back: their price goes back to the buyer, and they on the shelf if the seller says so.

    Once all of an item came back, the item is refunded.
    """
    changes, found, by = _move_return(order, viewer, return_id, expected_version, ReturnStatus.RECEIVED)
    item = order.item(found.item_id)
    parts = of_quantity(item, found.quantity)
    received = replace(changes, returns=[replace(each, is_restocked=restock) for each in changes.returns])
    if restock:
        received = replace(received, restocks=[Restock(item.product_id, item.variation_id, found.quantity)])
    if item.refunded_quantity + found.quantity >= item.quantity and item.status is OrderStatus.DELIVERED:
        moved, _ = move_items(order, [item], OrderStatus.REFUNDED, by)
        received = replace(received, status=moved.status, items=moved.items, events=[*received.events, *moved.events])
    if not parts:  # its price went back before: there is nothing to wait for
        ended = ReturnChange(found.id, ReturnStatus.RECEIVED, ReturnStatus.REFUNDED)
        return replace(received, returns=[*received.returns, ended])
    draft = RefundDraft(item.seller_id, RefundReason.RETURNED, parts, return_id=found.id)
    return with_refunds(received, order, [draft])


def _move_return(
    order: OpenOrder,
    viewer: Viewer,
    return_id: ReturnId,
    expected_version: int,
    target: ReturnStatus,
    note: str | None = None,
) -> tuple[Changes, Return, By]:
    found = order.return_(return_id)
    by = _acting(order.actors(viewer, found.seller_id) - {BUYER}, viewer)
    if found.version != expected_version:
        raise VersionConflict
    move = checked_move(RETURN_MOVES, found.status, target, by.actors)
    more = {"itemId": str(found.item_id), "returnId": str(found.id), "returnStatus": target.value}
    events = of_seller(order, found.seller_id, move.event, more) if move.event else []
    change = ReturnChange(found.id, found.status, target, note)
    return Changes(order.id, by.among(move.by), note, returns=[change], events=events), found, by


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What an admin gives back. Without an item it is spread over all that is left; `amount` None is all of an item."""

    reason: RefundReason
    borne_by: BorneBy
    item_id: OrderItemId | None = None
    amount: int | None = None
    note: str | None = None


def refund(order: OpenOrder, viewer: Viewer, expected_version: int, request: RefundRequest) -> Changes:
    """Only an admin's. One that is lost on its way ends with it. Raises NotPaid, RefundExceeds."""
    by = _acting(order.actors(viewer) & {ADMIN}, viewer)
    if order.version != expected_version:
        raise VersionConflict
    note = _text(request.note, "note")
    if request.amount is not None and request.amount <= 0:
        raise InvalidInput(key="refund_amount", field=("amount",))
    changes = Changes(order.id, by.among(by.actors), note)
    if request.reason is RefundReason.LOST:
        if request.item_id is None or request.amount is not None:
            raise InvalidInput(key="refund_lost", field=("orderItemId",))
        item = order.item(request.item_id)
        if item.status is not OrderStatus.SHIPPED:  # what was delivered comes back by a return
            raise IllegalMove(source=item.status.value, target=OrderStatus.REFUNDED.value)
        changes, _ = move_items(order, [item], OrderStatus.REFUNDED, by, note)
    drafts = [
        RefundDraft(seller_id, request.reason, parts, request.borne_by, note)
        for seller_id, parts in _asked(order, request).items()
        if parts
    ]
    return with_refunds(changes, order, drafts)


def _asked(order: OpenOrder, request: RefundRequest) -> dict[SellerId, list[RefundPart]]:
    if request.item_id is not None:
        item = order.item(request.item_id)
        return {item.seller_id: of_whole_item(item) if request.amount is None else of_amount(item, request.amount)}
    if request.amount is None:
        raise InvalidInput(key="refund_amount", field=("amount",))
    return spread(order, request.amount)


def _item_of_seller(order: OpenOrder, viewer: Viewer, item_id: UUID, expected_version: int) -> tuple[OpenItem, By]:
    """An item as its seller, or an admin, means to change it."""
    item = order.item(item_id)
    by = _acting(order.actors(viewer, item.seller_id) - {BUYER}, viewer)
    if item.version != expected_version:
        raise VersionConflict
    return item, by


def _acting(actors: frozenset[Actor], viewer: Viewer) -> By:
    if not actors:
        raise NotFound
    return By(viewer.user_id, actors)


def _text(value: str | None, field: str) -> str | None:
    text = (value or "").strip()
    if len(text) > MOST_TEXT:
        raise InvalidInput(key="too_long", most=MOST_TEXT, field=(field,))
    return text or None
