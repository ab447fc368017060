"""What one may do with a cart."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from domain.carts.changes import (
    Decision,
    decide_add,
    decide_clear,
    decide_merge,
    decide_remove,
    decide_settle,
    decide_update,
)
from domain.carts.model import MAX_QUANTITY, Bought, Cart, CartOutcome, CartOwner, LineRef, OwnerKind
from domain.carts.offers import Offer, look_up, offer_of
from domain.carts.ports import Carts, Holds
from domain.carts.refusals import CartBusy, LineNotFound, NoCartOwner, OutOfStock, ProductNotFound, VariationRequired
from domain.catalog.model import Product, Variation
from domain.catalog.service import Catalog
from domain.shared.clock import Clock
from domain.shared.ids import ProductId, VariationId
from domain.shared.refusals import InvalidInput, Refusal
from domain.shared.viewer import Viewer

log = logging.getLogger("torii.carts")


class _Short(Exception):
    """There is less than was asked for, as far as was looked."""


class CartDesk:
    """Carts of users and guests.

    Price and stock are the catalogue's, which may be some seconds old: checkout asks anew.
    """

    def __init__(self, carts: Carts, catalog: Catalog, clock: Clock, holds: Holds, *, take_over_s: float = 1.0) -> None:
        """`take_over_s`: the longest that somebody who signs in waits for the guest's cart."""
        self._take_over_s = take_over_s
        self._carts = carts
        self._catalog = catalog
        self._holds = holds
        self._clock = clock

    async def cart(self, viewer: Viewer) -> Cart:
        """The viewer's cart; empty for a viewer who has none."""
        owner = CartOwner.of(viewer)
        return Cart(None) if owner is None else await self._carts.cart(owner)

    async def add(
        self, viewer: Viewer, product_id: ProductId, variation_id: VariationId | None, quantity: int
    ) -> CartOutcome:
        """So many more of a product.

        Raises NoCartOwner, InvalidInput, ProductNotFound, VariationRequired, OutOfStock, CartFull, CartBusy.
        """
        owner = _owner(viewer)
        _check_quantity(quantity, least=1)
        ref = LineRef(product_id, variation_id)
        found = (await look_up(self._catalog, [ref]))[ref]
        now = self._clock.now()

        def decide(cart: Cart, held: int) -> Decision:
            offer = offer_of(ref, *found, held)
            return decide_add(cart, ref, quantity, offer.stock, offer.price, now)

        return await self._change(owner, ref, decide)

    async def update(self, viewer: Viewer, line_id: str, quantity: int) -> CartOutcome:
        """Another quantity of a line; 0 takes it out.

        Raises NoCartOwner, InvalidInput, LineNotFound, ProductNotFound, VariationRequired, OutOfStock, CartBusy.
        """
        if quantity == 0:
            return await self.remove(viewer, line_id)
        owner = _owner(viewer)
        _check_quantity(quantity, least=0)
        ref = _line(line_id)
        found = (await look_up(self._catalog, [ref]))[ref]

        def decide(cart: Cart, held: int) -> Decision:
            line = cart.line(ref)
            if line is None:  # said before anything about its product
                raise LineNotFound
            return decide_update(line, quantity, offer_of(ref, *found, held).stock)

        return await self._change(owner, ref, decide)

    async def _change(self, owner: CartOwner, ref: LineRef, decide: Callable[[Cart, int], Decision]) -> CartOutcome:
        """What `decide` makes of the cart, and of the units that the owner holds by an unpaid order, which would give way.

        Those are asked for where there is too little without them.
        """

        def unless_short(cart: Cart) -> Decision:
            decision = decide(cart, 0)
            if decision.warnings:
                raise _Short
            return decision

        try:
            return await self._carts.change(owner, unless_short)
        except (OutOfStock, _Short):
            held = (await self._holds.own_holds(owner)).get(ref, 0)
            return await self._carts.change(owner, lambda cart: decide(cart, held))

    async def remove(self, viewer: Viewer, line_id: str) -> CartOutcome:
        """Take a line out, whatever became of its product. Raises NoCartOwner, LineNotFound, CartBusy."""
        owner = _owner(viewer)
        ref = _line(line_id)
        return await self._carts.change(owner, lambda cart: decide_remove(cart, ref))

    async def clear(self, viewer: Viewer, expected_version: int) -> CartOutcome:
        """Take everything out; what another tab has put in meanwhile is not lost. Raises NoCartOwner, VersionConflict, CartBusy."""
        return await self._carts.change(_owner(viewer), lambda cart: decide_clear(cart, expected_version))

    async def merge(self, viewer: Viewer, guest_id: UUID) -> CartOutcome:
        """Take over what was put in by a guest who turned out to be this user; the guest's cart ends.

        Raises NoCartOwner for somebody who is not signed in, CartBusy, Unavailable.
        """
        owner = _owner(viewer)
        if owner.kind is not OwnerKind.USER:
            raise NoCartOwner
        guest = CartOwner(OwnerKind.GUEST, guest_id)
        offers = await self._offers([line.ref for line in (await self._carts.cart(guest)).lines])
        now = self._clock.now()

        def decide(cart: Cart, left: Cart) -> Decision:
            if any(line.ref not in offers for line in left.lines):  # the guest goes on elsewhere
                raise CartBusy
            return decide_merge(cart, left, offers, now)

        return await self._carts.merge(guest, owner, decide)

    async def take_over(self, viewer: Viewer, guest_id: UUID) -> CartOutcome | None:
        """As `merge`, beside a sign-in that is to succeed whatever becomes of a cart: None where it did not come about in time.

        It may have come about all the same; to merge once more changes nothing then.
        """
        try:
            async with asyncio.timeout(self._take_over_s):
                return await self.merge(viewer, guest_id)
        except (Refusal, TimeoutError):
            return None
        except Exception as fault:
            log.error("a guest's cart could not be taken over", exc_info=fault)
            return None

    async def _offers(self, refs: Sequence[LineRef]) -> dict[LineRef, Offer | None]:
        """What is offered for each line; None where nothing can be sold."""
        found = await look_up(self._catalog, refs)
        return {ref: _sellable(ref, *each) for ref, each in found.items()}


async def settle(carts: Carts, bought: Bought) -> None:
    """What was bought leaves the cart it was bought from, once: what was put in since stays. Raises CartBusy, Unavailable.

    A guest's cart that was merged since is looked for where it went.
    """
    cart = (await carts.change(bought.owner, lambda cart: decide_settle(cart, bought))).cart
    if bought.cart_id in (None, cart.id) or bought.owner.kind is not OwnerKind.GUEST:
        return
    owner = await carts.moved_to(bought.owner, bought.cart_id)
    if owner is not None:
        moved = replace(bought, owner=owner, cart_id=None)
        await carts.change(owner, lambda cart: decide_settle(cart, moved))


def _owner(viewer: Viewer) -> CartOwner:
    owner = CartOwner.of(viewer)
    if owner is None:
        raise NoCartOwner
    return owner


def _line(line_id: str) -> LineRef:
    ref = LineRef.parse(line_id)
    if ref is None:
        raise LineNotFound
    return ref


def _check_quantity(quantity: int, *, least: int) -> None:
    if not least <= quantity <= MAX_QUANTITY:
        raise InvalidInput(key="quantity_range", least=least, most=MAX_QUANTITY, quantity=quantity, field=("quantity",))


def _sellable(ref: LineRef, product: Product | None, variations: Sequence[Variation]) -> Offer | None:
    try:
        return offer_of(ref, product, variations)
    except (ProductNotFound, VariationRequired, OutOfStock):
        return None
