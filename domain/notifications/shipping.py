"""One mail for what a seller sends of an order within a minute, whoever is killed and whatever comes twice.

The event of the first item of such a group writes the mail, and those of the others none. Which one that is follows from when each
was sent, which never changes. The mail waits until everything that may belong to it is known.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.events.ports import Delivery
from domain.notifications.ports import Line

TOGETHER = timedelta(minutes=1)
"""After the first of them."""


class Writing(Protocol):
    async def consume(self, delivery: Delivery) -> None: ...


class ShippingMails:
    """The consumer of what was sent: a while behind, so that what was sent with it is known."""

    name = "shipping-mails"
    types = frozenset({"OrderItemShipped"})
    behind_s = 90
    """More than `TOGETHER`, by what a transaction and clocks that differ may take."""

    def __init__(self, mails: Writing) -> None:
        self._mails = mails

    async def consume(self, delivery: Delivery) -> None:
        await self._mails.consume(delivery)


def sent_together(lines: Sequence[Line], item_id: UUID | None) -> list[Line]:
    """The lines of the order that its seller sent with this item, in the order they were sent; none without the item."""
    mine = next((line for line in lines if line.item_id == item_id), None)
    if mine is None or mine.shipped_at is None:
        return [] if mine is None else [mine]
    sent = [
        (line.shipped_at, line.item_id, line) for line in lines if line.shipped_at and line.seller_id == mine.seller_id
    ]
    group: list[Line] = []
    began = mine.shipped_at
    for shipped_at, _, line in sorted(sent, key=lambda each: each[:2]):
        if not group or shipped_at - began > TOGETHER:
            if mine in group:
                break
            group, began = [], shipped_at
        group.append(line)
    return group
