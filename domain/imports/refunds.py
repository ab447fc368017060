"""What the file's cancellations give back: each finds the customer's latest earlier invoices of the same stock code.

A cancellation names no invoice. It takes units of the latest earlier one that has any left, then of the one before that. A unit
gives back what the cancellation says it cost, and never more than was paid for it; what finds no place is reported.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.imports.catalogue import product_id
from domain.imports.keys import timed_key
from domain.imports.rows import Cancellation
from domain.imports.shop import user_id
from domain.payments.model import RefundId
from domain.shared.ids import OrderId, OrderItemId, ProductId, UserId

Bin = tuple[UserId, ProductId]
"""What a cancellation is looked for among: all that a customer bought of a product."""


class Unmatched(StrEnum):
    """Why a cancellation, or a part of it, gives nothing back. One that several reasons fit is counted under the first."""

    NO_CUSTOMER = "no customer is named"
    NEVER_BOUGHT = "the customer never bought it"
    BOUGHT_LATER = "the customer bought it only afterwards"
    NOTHING_LEFT = "all that was bought went back before"
    FEWER_BOUGHT = "in part: fewer were bought before"
    DEARER = "in part: at a higher price than they were bought for"


IN_PART = frozenset({Unmatched.FEWER_BOUGHT, Unmatched.DEARER})
"""Of these the row itself is a refund; only the rest is unmatched."""


@dataclass(slots=True)
class Bought:
    """A line of an imported order as it stands. Amounts in pence; `quantity` and `amount` are what has not gone back yet."""

    item_id: OrderItemId
    order_id: OrderId
    payment_id: UUID
    at: datetime
    unit_price: int
    quantity: int
    amount: int

    def take(self, quantity: int, unit_price: int) -> tuple[int, int]:
        """Give up to so many units back, at this price or that of the sale, whichever is lower: how many, and the pence."""
        units = min(quantity, self.quantity)
        amount = min(units * min(unit_price, self.unit_price), self.amount)
        self.quantity -= units
        self.amount -= amount
        return units, amount

    @property
    def is_used_up(self) -> bool:
        return self.quantity <= 0 or self.amount <= 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What one cancellation gives back of one line: a part of a refund. Its key is the same whenever the file is imported."""

    key: UUID
    cancellation: Cancellation
    item_id: OrderItemId
    order_id: OrderId
    payment_id: UUID
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Pence of a cancellation that are given back nowhere, and why."""

    cancellation: Cancellation
    amount: int
    reason: Unmatched


@dataclass(slots=True)
class Settled:
    """What became of the cancellations: rows with a new refund, rows refunded before, and what is unmatched.

    `refunded` and `refunded_before` in pence: with the shortfalls they add up to all that was cancelled.
    """

    lines: int = 0
    lines_there: int = 0
    refunded: int = 0
    refunded_before: int = 0
    pieces: list[Piece] = field(default_factory=list)
    shortfalls: list[Shortfall] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Each cancellation once."""
        unmatched = sum(shortfall.reason not in IN_PART for shortfall in self.shortfalls)
        return self.lines + self.lines_there + unmatched

    def by_reason(self) -> dict[Unmatched, tuple[int, int]]:
        """How many shortfalls, and of how many pence, for each reason there is."""
        found = {}
        for reason in Unmatched:
            amounts = [shortfall.amount for shortfall in self.shortfalls if shortfall.reason is reason]
            if amounts:
                found[reason] = (len(amounts), sum(amounts))
        return found


@dataclass(frozen=True, slots=True)
class Refund:
    """What one cancelling invoice gives back of one order."""

    pieces: Sequence[Piece]

    @property
    def id(self) -> RefundId:
        first = self.pieces[0]
        return RefundId(timed_key("refund", str(first.key), self.at))

    @property
    def order_id(self) -> OrderId:
        return self.pieces[0].order_id

    @property
    def payment_id(self) -> UUID:
        return self.pieces[0].payment_id

    @property
    def invoice(self) -> str:
        return self.pieces[0].cancellation.invoice

    @property
    def at(self) -> datetime:
        return self.pieces[0].cancellation.at

    @property
    def amount(self) -> int:
        return sum(piece.amount for piece in self.pieces)


@dataclass(slots=True)
class Open:
    """A cancellation of which units are still to be found a place. `number` counts the pieces it has.

    `bin` is None where the file names no customer: nobody could say whose purchase it takes back.
    """

    cancellation: Cancellation
    bin: Bin | None
    quantity: int
    amount: int
    number: int = 0


def open_cancellations(cancellations: Iterable[Cancellation], given: Mapping[UUID, tuple[int, int]]) -> list[Open]:
    """All of them, less the pieces that are there already: `given` has their units and pence by key."""
    return [_less(cancellation, given) for cancellation in cancellations]


def settle(cancellations: Iterable[Open], bought: Mapping[Bin, Sequence[Bought]]) -> Settled:
    """Find a place for each, in the order of time. `bought` is by time too; what is taken is taken off it."""
    settled = Settled()
    shelves = {key: _Shelf(deque(lines)) for key, lines in bought.items()}
    for each in cancellations:
        shelf = shelves.get(each.bin) if each.bin else None
        pieces = list(_pieces(each, shelf)) if shelf and each.quantity else []
        _note(settled, each, pieces, _reason(each, shelf))
    return settled


def refunds_of(pieces: Iterable[Piece]) -> list[Refund]:
    """A refund for each cancelling invoice and order."""
    found: dict[tuple[str, OrderId], list[Piece]] = {}
    for piece in pieces:
        found.setdefault((piece.cancellation.invoice, piece.order_id), []).append(piece)
    return [Refund(some) for some in found.values()]


@dataclass(slots=True)
class _Shelf:
    """A customer's purchases of a product: those to come, and those of before that have units left, the latest on top."""

    coming: deque[Bought]
    left: list[Bought] = field(default_factory=list)
    has_been: bool = False

    def until(self, at: datetime) -> list[Bought]:
        """Purchases before this moment; it must not go back."""
        while self.coming and self.coming[0].at < at:
            self.left.append(self.coming.popleft())
            self.has_been = True
        return self.left


def _pieces(each: Open, shelf: _Shelf) -> Iterator[Piece]:
    cancellation = each.cancellation
    left = shelf.until(cancellation.at)
    while left and each.quantity:
        line = left[-1]
        if not line.is_used_up:
            units, amount = line.take(each.quantity, cancellation.unit_price)
            each.quantity -= units
            each.amount -= amount
            key = _piece_key(cancellation, each.number)
            each.number += 1
            yield Piece(key, cancellation, line.item_id, line.order_id, line.payment_id, units, amount)
        if line.is_used_up:
            left.pop()


def _reason(each: Open, shelf: _Shelf | None) -> Unmatched:
    """Why something of it is left. Asked when its pieces were taken."""
    if each.number:
        return Unmatched.FEWER_BOUGHT if each.quantity else Unmatched.DEARER
    if each.bin is None:
        return Unmatched.NO_CUSTOMER
    if shelf is None:
        return Unmatched.NEVER_BOUGHT
    return Unmatched.NOTHING_LEFT if shelf.has_been else Unmatched.BOUGHT_LATER


def _note(settled: Settled, each: Open, pieces: Sequence[Piece], reason: Unmatched) -> None:
    refunded = sum(piece.amount for piece in pieces)
    settled.refunded += refunded
    settled.refunded_before += each.cancellation.amount - each.amount - refunded
    settled.pieces += pieces
    if pieces:
        settled.lines += 1
    elif each.number:
        settled.lines_there += 1
    if each.amount:
        settled.shortfalls.append(Shortfall(each.cancellation, each.amount, reason))


def _less(cancellation: Cancellation, given: Mapping[UUID, tuple[int, int]]) -> Open:
    customer = cancellation.customer
    found = Open(
        cancellation,
        None if customer is None else (user_id(customer), product_id(cancellation.stock_code)),
        cancellation.quantity,
        cancellation.amount,
    )
    while (piece := given.get(_piece_key(cancellation, found.number))) is not None:
        found.quantity -= piece[0]
        found.amount -= piece[1]
        found.number += 1
    return found


def _piece_key(cancellation: Cancellation, number: int) -> UUID:
    name = f"{cancellation.invoice}/{cancellation.position}/{number}"
    return timed_key("refund part", name, cancellation.at)
