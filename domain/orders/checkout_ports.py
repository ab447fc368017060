"""What a checkout needs from the outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from domain.carts.model import Bought, Cart
from domain.orders.buying import NewOrder, Shelf
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId
from domain.shared.viewer import Viewer


@dataclass(frozen=True, slots=True)
class GuestOrder:
    """An order of nobody who signs in, as it is found by its number."""

    id: OrderId
    email: str


class OrderBook(Protocol):
    """Where orders are written, with the units that they set aside."""

    async def place(
        self, viewer: Viewer, call: IdempotentCall, cart: Cart, decide: Callable[[Shelf], NewOrder], within_s: float
    ) -> OrderId:
        """Write what `decide` makes of the cart's products as they are under lock: all of it or nothing.

        The order of before where this call made one, or where this version of the cart made one that is not cancelled.
        `decide` is asked again where another was faster with a number; what it raises goes through, and nothing is written.
        Raises IdempotencyKeyReused, IdempotencyInProgress, AddressNotFound, Unauthenticated (the account is being
        deleted), Unavailable.
        """
        ...

    async def bought(self, order_id: OrderId) -> Bought | None:
        """What an order took out of its cart; None for one that came of no cart. Raises Unavailable."""
        ...

    async def guest_order(self, order_number: str) -> GuestOrder | None:
        """The guest's order of a number. Whoever asks has to prove more than that."""
        ...
