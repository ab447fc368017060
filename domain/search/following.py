"""What events have done to the index. The page of a product shows the database's: here it is about what is found."""

from collections.abc import Callable, Sequence
from uuid import UUID

from domain.catalog.tags import CATALOG_CHANGED, PRODUCT_CHANGED
from domain.events.ports import Delivery
from domain.search.ports import Listings
from domain.search.upkeep import IndexUpkeep, ProductChange
from domain.shared.events import Event
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId

PRODUCT_RATED = "ProductRated"
SELLER_CHANGED = "SellerChanged"
BRAND_CHANGED = "BrandChanged"
CATEGORY_CHANGED = "CategoryChanged"
LISTINGS_CHANGED = "ListingsChanged"
"""So many of these in one transaction that they are not told one by one."""


class SearchFollower:
    """The consumer of changes of single products, as many at once as there are."""

    name = "search-index"
    types = frozenset({PRODUCT_CHANGED, PRODUCT_RATED})

    def __init__(self, upkeep: IndexUpkeep) -> None:
        self._upkeep = upkeep

    async def leads(self) -> bool:
        return await self._upkeep.leads()

    async def consume(self, delivery: Delivery) -> None:
        await self.consume_all([delivery])

    async def consume_all(self, deliveries: Sequence[Delivery]) -> None:
        # no versions: the event of a rating has none, and the same transaction may tell of a product twice
        keys = (each.record.event.payload["productId"] for each in deliveries)
        await self._upkeep.follow([ProductChange(ProductId(UUID(str(key)))) for key in keys])


class SearchSweep:
    """The consumer of what changes many products at once. By itself, so that single changes do not wait behind it."""

    name = "search-sweep"
    types = frozenset({CATALOG_CHANGED, SELLER_CHANGED, BRAND_CHANGED, CATEGORY_CHANGED, LISTINGS_CHANGED})

    def __init__(self, upkeep: IndexUpkeep) -> None:
        self._upkeep = upkeep

    async def consume(self, delivery: Delivery) -> None:
        await self.consume_stepwise(delivery, lambda: None)

    async def consume_stepwise(self, delivery: Delivery, step: Callable[[], None]) -> None:
        """A step is some thousand products at most: a shop of millions takes longer than any one message may."""
        event = delivery.record.event
        if event.type == CATALOG_CHANGED:
            await self._upkeep.follow_revisions(lambda _: step())
        elif event.type == LISTINGS_CHANGED:
            await self._upkeep.follow_differences(lambda _: step())
        else:
            await self._upkeep.follow_listings(_listings(event), lambda _: step())


def _listings(event: Event) -> Listings:
    key = UUID(str(event.aggregate_id))
    if event.type == SELLER_CHANGED:
        return Listings(seller_id=SellerId(key))
    if event.type == BRAND_CHANGED:
        return Listings(brand_id=BrandId(key))
    return Listings(category_id=CategoryId(key))
