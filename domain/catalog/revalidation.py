"""Tells a shop front which of its pages are out of date."""

from collections.abc import Sequence
from typing import Protocol

from domain.catalog.tags import CATALOG_CHANGED, PRODUCT_CHANGED, tags_of
from domain.events.ports import Delivery
from domain.shared.events import EventId


class PageCache(Protocol):
    async def revalidate(self, event_id: EventId, tags: Sequence[str]) -> None:
        """Have what bears one of the tags made anew; again does no harm. Raises Unavailable, GivenUp."""
        ...


class Revalidation:
    """The consumer of changes of the catalogue for page caches. What comes twice is revalidated twice."""

    name = "revalidation"
    types = frozenset({PRODUCT_CHANGED, CATALOG_CHANGED})
    behind_s = 2
    """Caches of price and stock are no older: who is told later, and asks again, gets what is new."""

    def __init__(self, pages: PageCache) -> None:
        self._pages = pages

    async def consume(self, delivery: Delivery) -> None:
        if tags := tags_of(delivery.record.event):
            await self._pages.revalidate(delivery.record.id, tags)
