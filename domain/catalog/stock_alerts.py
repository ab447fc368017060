"""Tells sellers when something they sell runs low: once for each time that it falls."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalog.tags import CATALOG_CHANGED, PRODUCT_CHANGED
from domain.events.ports import Delivery
from domain.shared.clock import Clock
from domain.shared.events import EventId
from domain.shared.ids import ProductId

STOCK_LOW = "StockLow"


class LowStock(Protocol):
    """Which products are known to run low. Each method counts once for an event, and raises Unavailable."""

    async def look_at(self, event_id: EventId, product_id: ProductId, at: datetime) -> bool:
        """Keep whether a product runs low now; whether it has fallen, which is told on its seller's stream."""
        ...

    async def look_at_all(self, event_id: EventId, at: datetime) -> None:
        """The same of every product, and tell nobody: what changes by the hundred is an import."""
        ...


class StockAlerts:
    """The consumer of changes of the catalogue for stock that runs low."""

    name = "stock-alerts"
    types = frozenset({PRODUCT_CHANGED, CATALOG_CHANGED})

    def __init__(self, low_stock: LowStock, clock: Clock) -> None:
        self._low_stock = low_stock
        self._clock = clock

    async def consume(self, delivery: Delivery) -> None:
        event, now = delivery.record.event, self._clock.now()
        if event.type == CATALOG_CHANGED:
            await self._low_stock.look_at_all(delivery.record.id, now)
        else:
            product_id = ProductId(UUID(str(event.payload["productId"])))
            await self._low_stock.look_at(delivery.record.id, product_id, now)
