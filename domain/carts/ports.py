"""What carts need from the outside."""

from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from domain.carts.changes import Decision
from domain.carts.model import Cart, CartOutcome, CartOwner, LineRef


class Carts(Protocol):
    """Carts as stored. One that expired reads as empty, whether or not it was deleted yet."""

    async def cart(self, owner: CartOwner) -> Cart: ...

    async def change(self, owner: CartOwner, decide: Callable[[Cart], Decision]) -> CartOutcome:
        """Store what `decide` makes of the cart, all or nothing, as one version more; the cart is kept anew from now.

        `decide` is asked again when somebody else was faster; what it raises goes through. Raises CartBusy when
        that happens too often, Unavailable.
        """
        ...

    async def merge(self, guest: CartOwner, owner: CartOwner, decide: Callable[[Cart, Cart], Decision]) -> CartOutcome:
        """Store what `decide` makes of the owner's cart and the guest's, and end the guest's, all of it or nothing.

        A guest's cart that is not there changes nothing. Raises CartBusy, Unavailable.
        """
        ...

    async def moved_to(self, guest: CartOwner, cart_id: UUID) -> CartOwner | None:
        """Into whose cart that cart of the guest was merged; None where it was not, or a month ago. Raises Unavailable."""
        ...


class Holds(Protocol):
    """What is set aside for those who have ordered and not paid."""

    async def own_holds(self, owner: CartOwner) -> Mapping[LineRef, int]:
        """Units that are the owner's to order anew: no stock to anybody else. Raises Unavailable."""
        ...
