"""What a request does to a cart, decided on the cart as it was read.

A change says what must still be so when it is stored, so that two tabs never lose each other's: the store
refuses one that came too late, and the decision is made again on the cart as it is then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.carts.model import (
    MAX_LINES,
    MAX_QUANTITY,
    MAX_SETTLED,
    Bought,
    Cart,
    CartLine,
    CartWarning,
    LineRef,
    WarningCode,
)
from domain.carts.offers import Offer
from domain.carts.refusals import CartFull, LineNotFound
from domain.shared.money import Money
from domain.shared.refusals import VersionConflict


@dataclass(frozen=True, slots=True)
class PutLine:
    """A new line. It must not be in the cart yet."""

    line: CartLine

    @property
    def ref(self) -> LineRef:
        return self.line.ref


@dataclass(frozen=True, slots=True)
class Increase:
    """So many more, on top of however many there are by then. The sum must not pass `at_most`."""

    ref: LineRef
    by: int
    at_most: int
    price: Money


@dataclass(frozen=True, slots=True)
class SetQuantity:
    """So many, whatever there were. `was`, where given, must still be the quantity; `price` renews the snapshot."""

    ref: LineRef
    quantity: int
    was: int | None = None
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """The line goes. It must be in the cart; `was`, where given, must still be the quantity."""

    ref: LineRef
    was: int | None = None


Change = PutLine | Increase | SetQuantity | Remove


@dataclass(frozen=True, slots=True)
class Decision:
    """What to store, all of it or nothing, and what to tell the shopper. No changes: nothing is stored."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[CartWarning, ...] = ()
    merged: tuple[str, ...] = ()
    """Ids of the lines that came, or came to more, from another cart."""
    settled: tuple[UUID, ...] | None = None
    """What the cart remembers of orders from now on, in place of what it was read with."""


def decide_add(cart: Cart, ref: LineRef, quantity: int, stock: int, price: Money, now: datetime) -> Decision:
    """More of a product, capped by what can be sold of it. Raises CartFull."""
    line = cart.line(ref)
    if line is None and len(cart.lines) >= MAX_LINES:
        raise CartFull
    was = 0 if line is None else line.quantity
    most = min(stock, MAX_QUANTITY)
    applied = min(was + quantity, most)
    warnings = _capped(ref, was + quantity, applied)
    if line is None:
        return Decision((PutLine(CartLine(ref.product_id, ref.variation_id, applied, now, now, price)),), warnings)
    if warnings:
        return Decision((SetQuantity(ref, applied, was, price),), warnings)
    return Decision((Increase(ref, quantity, most, price),))


def decide_update(line: CartLine, quantity: int, stock: int) -> Decision:
    """Another quantity of a line, capped by what can be sold."""
    applied = min(quantity, stock, MAX_QUANTITY)
    changes = () if applied == line.quantity else (SetQuantity(line.ref, applied),)
    return Decision(changes, _capped(line.ref, quantity, applied))


def decide_remove(cart: Cart, ref: LineRef) -> Decision:
    """Raises LineNotFound."""
    if cart.line(ref) is None:
        raise LineNotFound
    return Decision((Remove(ref),))


def decide_clear(cart: Cart, expected_version: int) -> Decision:
    """All lines go. Raises VersionConflict when the cart is not the one that was looked at."""
    if cart.version != expected_version:
        raise VersionConflict
    return Decision(tuple(Remove(line.ref) for line in cart.lines))


def decide_merge(cart: Cart, guest: Cart, offers: Mapping[LineRef, Offer | None], now: datetime) -> Decision:
    """Take a guest's lines over: of a line that both carts have the larger quantity, so that a second time changes nothing.

    Each is capped by what can be sold of it. A line that is no longer sold, or that there is no room for, is left behind.
    """
    changes: list[Change] = []
    warnings: list[CartWarning] = []
    room = MAX_LINES - len(cart.lines)
    for line in guest.lines:
        offer, own = offers.get(line.ref), cart.line(line.ref)
        if own is not None and own.quantity >= line.quantity:
            continue
        if offer is None or (own is None and room <= 0):
            warnings.append(CartWarning(WarningCode.LINE_DROPPED, line.id, line.quantity, own.quantity if own else 0))
            continue
        applied = min(line.quantity, offer.stock, MAX_QUANTITY)
        warnings.extend(_capped(line.ref, line.quantity, applied))
        if own is None:
            room -= 1
            changes.append(PutLine(replace(line, quantity=applied, updated_at=now)))
        elif applied > own.quantity:
            changes.append(SetQuantity(line.ref, applied, own.quantity))
    settled = tuple(each for each in guest.settled if each not in cart.settled)
    return Decision(
        tuple(changes),
        tuple(warnings),
        tuple(change.ref.id for change in changes),
        (*cart.settled, *settled)[-MAX_SETTLED:] if settled else None,  # told of again they take nothing here either
    )


def decide_settle(cart: Cart, bought: Bought) -> Decision:
    """What was bought leaves the cart it was bought from, once: what was put in since, and what is more of it, stays."""
    if bought.cart_id not in (None, cart.id) or bought.order_id in cart.settled:
        return Decision()
    changes: list[Change] = []
    for ref, quantity in bought.quantities.items():
        line = cart.line(ref)
        if line is None or line.added_at > bought.placed_at:
            continue
        left = line.quantity - quantity
        changes.append(SetQuantity(ref, left, line.quantity) if left > 0 else Remove(ref, line.quantity))
    if not changes:
        return Decision()
    return Decision(tuple(changes), settled=(*cart.settled, bought.order_id)[-MAX_SETTLED:])


def _capped(ref: LineRef, requested: int, applied: int) -> tuple[CartWarning, ...]:
    return (CartWarning(WarningCode.QUANTITY_CAPPED, ref.id, requested, applied),) if applied < requested else ()
