"""What a checkout needs from the outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.carts.model import Bought, Cart, CartOwner, LineRef
from domain.orders.buying import NewOrder, Shelf
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId
from domain.shared.viewer import Viewer


@dataclass(frozen=True, slots=True)
class GuestOrder:
    """An order of nobody who signs in, as it is found by its number."""

    id: OrderId
    email: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A cart that is to be bought; `placed_from`: a guest's address, under a key, where those are counted."""

    cart: Cart
    at: datetime
    placed_from: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that was placed, by this call or before; `gave_way` are unpaid ones that ended as this one was."""

    id: OrderId
    gave_way: tuple[OrderId, ...] = ()


class OrderBook(Protocol):
    """Where orders are written, with the units that they set aside."""

    async def place(
        self,
        viewer: Viewer,
        call: IdempotentCall,
        attempt: Attempt,
        decide: Callable[[Shelf], NewOrder],
        within_s: float,
    ) -> PlacedOrder:
        """Write what `decide` makes of the cart's products as they are under lock: all of it or nothing.

        The order of before where this call made one, or where this version of the cart made one that is not cancelled. What
        the cart's owner has ordered before and not paid gives way: it ends in the same transaction, and what it had set aside
        is on the shelf that is decided by.
        `decide` is asked again where another was faster with a number; what it raises goes through, and nothing is written.
        Raises IdempotencyKeyReused, IdempotencyInProgress, AddressNotFound, Unauthenticated (the account is being
        deleted), Unavailable.
        """
        ...

    async def own_holds(self, owner: CartOwner) -> Mapping[LineRef, int]:
        """What is set aside for what a cart's owner has ordered and not paid. Raises Unavailable."""
        ...

    async def bought(self, order_id: OrderId) -> Bought | None:
        """What an order took out of its cart; None for one that came of no cart. Raises Unavailable."""
        ...

    async def guest_order(self, order_number: str) -> GuestOrder | None:
        """The guest's order of a number. Whoever asks has to prove more than that."""
        ...
