"""Buying a cart: the order is written in one transaction, and paid for after it."""

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.accounts import inputs
from domain.accounts.addresses import Addresses
from domain.accounts.profiles import Profiles
from domain.carts.refusals import NoCartOwner
from domain.carts.service import CartDesk
from domain.orders.buying import Buyer, Delivery, Destination, HoldLimits
from domain.orders.checkout_ports import Attempt, OrderBook
from domain.orders.model import is_buyers
from domain.orders.placing import Intent, place
from domain.orders.ports import Settlement, Settling
from domain.orders.service import OrderDesk
from domain.shared.clock import Clock
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId
from domain.shared.languages import Language
from domain.shared.refusals import InvalidInput, NotFound, Unauthenticated
from domain.shared.viewer import Viewer

HASH = 64
"""Characters of a quote's hash."""
ANSWER_SOON_S = 1.5
"""After which a checkout whose payment is not begun is answered: whoever buys hears within two seconds, and asks again."""
PROVIDER_HAS_S = 0.5
"""What the payment provider gets all the same where the writing of the order took long."""
ANSWER_WITHIN_S = 9.0
"""After which it is answered whatever the writing took: it has ten seconds."""
WRITE_WITHIN_S = 5.0
"""How long the writing of an order may take, with the wait for those who buy the same."""
LOOK_WITHIN_S = 1.2
"""How long whoever asks after an order waits for the provider: a query has two seconds for all of it."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a client sends, not yet checked."""

    idempotency_key: str
    quote_hash: str
    destination: Destination = field(repr=False)
    language: Language
    network: str = ""
    """What the client's address is counted by."""


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """An order, and how far its payment has come."""

    order_id: OrderId
    settlement: Settlement


class Checkout:
    """Orders out of carts."""

    def __init__(
        self,
        carts: CartDesk,
        addresses: Addresses,
        profiles: Profiles,
        book: OrderBook,
        desk: OrderDesk,
        settling: Settling,
        clock: Clock,
        limits: HoldLimits,
        secret: str,
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret` keeps whoever reads what is set aside from trying which address a guest's belongs to."""
        self._carts = carts
        self._addresses = addresses
        self._profiles = profiles
        self._book = book
        self._desk = desk
        self._settling = settling
        self._clock = clock
        self._limits = limits
        self._key = hmac.digest(secret.encode(), b"torii unpaid orders", "sha256")
        self._elapsed = elapsed

    async def place(self, viewer: Viewer, request: CheckoutRequest) -> CheckedOut:
        """Buy the viewer's cart as it was quoted. The same call again gives the same order, as it is by then.

        Raises NoCartOwner, InvalidInput, CartEmpty, QuoteChanged, AddressNotFound, AddressIncomplete, AmountTooSmall,
        TooManyUnits, TooMuchUnpaid, IdempotencyKeyReused, IdempotencyInProgress, Unauthenticated, Unavailable.
        """
        begun = self._elapsed()
        buyer = _buyer(viewer)
        asked = _checked(buyer, request)
        call = IdempotentCall.of("checkout", request.idempotency_key, (request.quote_hash, *asked.said))
        cart, delivery = await asyncio.gather(self._carts.cart(viewer), self._delivery(viewer, asked, request.language))
        placed_from = self._placed_from(buyer, request.network)
        intent = Intent(buyer, cart, request.quote_hash, delivery, self._clock.now(), self._limits, placed_from)
        attempt = Attempt(cart, intent.now, placed_from)
        done = await self._book.place(viewer, call, attempt, lambda shelf: place(intent, shelf), WRITE_WITHIN_S)
        for order_id in done.gave_way:  # what it could be paid by ends now, and not when a job comes by
            self._settling.begin(order_id)
        return CheckedOut(done.id, await self._settling.settle(done.id, patience_s(self._elapsed() - begun)))

    async def state(self, viewer: Viewer, order_id: OrderId) -> CheckedOut | None:
        """How far an order of the viewer's has come; None for one that is not theirs. Raises Unavailable.

        An admin, too, may look at another's order, and not pay for it.
        """
        [order] = await self._desk.by_ids(viewer, [order_id])
        if order is None or not is_buyers(viewer, order):
            return None
        try:
            return CheckedOut(order_id, await self._settling.settle(order_id, LOOK_WITHIN_S))
        except NotFound:  # an order of before there were checkouts
            return None

    def _placed_from(self, buyer: Buyer, network: str) -> str | None:
        """Of guests alone: they come by themselves, where users had to prove a mail address."""
        if buyer.user_id is not None or self._limits.of_address is None:
            return None
        return hmac.digest(self._key, network.encode(), "sha256").hex()

    async def _delivery(self, viewer: Viewer, asked: Destination, language: Language) -> Delivery | None:
        """None where the address is gone: what that means is decided when it is known that the order is new."""
        email, fields = asked.email, asked.fields
        if viewer.user_id is not None:
            profile = await self._profiles.of_viewer(viewer)
            if profile is None:
                raise Unauthenticated
            email = profile.email
        if asked.address_id is not None:
            [address] = await self._addresses.by_ids(viewer, [asked.address_id])
            fields = address.fields if address is not None and viewer.is_user(address.user_id) else None
        return None if fields is None or email is None else Delivery(asked.address_id, fields, email, language)


def patience_s(gone_s: float) -> float:
    """How long a checkout waits for the provider, so many seconds after it began."""
    return max(min(max(ANSWER_SOON_S - gone_s, PROVIDER_HAS_S), ANSWER_WITHIN_S - gone_s), 0.0)


def _buyer(viewer: Viewer) -> Buyer:
    if viewer.user_id is not None:
        return Buyer(viewer.user_id, None)
    if viewer.guest_id is None:
        raise NoCartOwner
    return Buyer(None, viewer.guest_id)


def _checked(buyer: Buyer, request: CheckoutRequest) -> Destination:
    """Where it goes, in the form in which it is kept. Raises InvalidInput, or Refusals for several fields."""
    asked = request.destination
    if len(request.quote_hash) != HASH:
        raise InvalidInput(key="quote_hash", field=("quoteHash",))
    if buyer.user_id is None:
        if asked.address_id is not None or asked.fields is None or asked.email is None:
            raise InvalidInput(key="guest_address", field=("address",))
        return Destination(None, asked.fields.checked(), inputs.address(asked.email))
    if (asked.address_id is None) == (asked.fields is None):
        raise InvalidInput(key="address_and_id", field=("addressId",))
    return Destination(asked.address_id, asked.fields.checked() if asked.fields else None)
