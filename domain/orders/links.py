"""Guests find their orders again: by number and mail address, which gives a signed link."""

import hmac
from dataclasses import dataclass, field, replace
from typing import Protocol

from domain.accounts import inputs
from domain.orders.checkout_ports import OrderBook
from domain.orders.numbers import as_written
from domain.shared.ids import OrderId
from domain.shared.refusals import NotFound
from domain.shared.viewer import Viewer

NOBODYS = "nobody@example.invalid"
"""Compared with where there is no order, so that it takes as long."""


class Links(Protocol):
    def seal(self, order_id: OrderId) -> str: ...

    def read(self, token: str) -> OrderId | None: ...


class NoSuchOrder(NotFound):
    """No guest has an order of this number and mail address: which of the two is wrong is not told."""

    def __init__(self) -> None:
        super().__init__(key="order_not_found")


@dataclass(frozen=True, slots=True)
class OrderLink:
    token: str = field(repr=False)
    order_id: OrderId


class OrderFinding:
    """Links to guests' orders. How often somebody may ask is for the caller to limit."""

    def __init__(self, book: OrderBook, links: Links) -> None:
        self._book = book
        self._links = links

    async def find(self, order_number: str, email: str) -> OrderLink:
        """Raises NoSuchOrder, InvalidInput, Unavailable."""
        address = inputs.address(email)
        found = await self._book.guest_order(as_written(order_number))
        kept = NOBODYS if found is None else found.email
        is_right = hmac.compare_digest(kept.lower().encode(), address.encode())
        if found is None or not is_right:
            raise NoSuchOrder
        return OrderLink(self._links.seal(found.id), found.id)

    def shown(self, viewer: Viewer, token: str) -> tuple[Viewer, OrderId] | None:
        """The viewer as one who may see the order of a link, too; None for a link that is none."""
        order_id = self._links.read(token)
        return None if order_id is None else (replace(viewer, order_ids=(*viewer.order_ids, order_id)), order_id)
