"""Links to an order for who has no account: signed, with an end, and nothing is kept of them."""

from datetime import timedelta

from adapters.sealed_ids import Seal, SealedIds
from domain.shared.clock import Clock
from domain.shared.ids import OrderId

LIFETIME = timedelta(days=90)
"""Longer than anything happens to an order: it is delivered, and may come back."""
SEAL = Seal("o1", b"torii order link", LIFETIME)


class OrderLinks:
    """The port `Links`. Whoever has one may see the order and pay for it, as its buyer may."""

    def __init__(self, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`previous`: the secret of before, whose tokens are still read."""
        self._ids = SealedIds(SEAL, secret, clock, previous=previous)

    def seal(self, order_id: OrderId) -> str:
        return self._ids.seal(order_id)

    def read(self, token: str) -> OrderId | None:
        """The order that a token names; None when it is not one of ours, or too old."""
        opened = self._ids.open(token) if len(token) == SEAL.length else None
        return None if opened is None else OrderId(opened.id)


class MailedOrderLinks:
    """The port `OrderLinks` of mails: a page of the shop with the token behind a `#`, or where there is no page the token."""

    def __init__(self, links: OrderLinks | None, page_url: str) -> None:
        self._links = links
        self._page_url = page_url

    def link(self, order_id: OrderId) -> str:
        if self._links is None:
            return ""
        token = self._links.seal(order_id)
        return f"{self._page_url}#{token}" if self._page_url else token


class HiddenOrderLinks:
    """For those who look at what mails say: a link is the guest's alone."""

    def link(self, _order_id: OrderId) -> str:
        return "********"
