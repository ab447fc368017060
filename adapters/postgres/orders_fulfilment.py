"""What happens to placed orders, in PostgreSQL: decided under the order's lock, written with its history, money and events."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from adapters.postgres.again import retried
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.idempotency import once
from adapters.postgres.orders_changes import write_changes
from adapters.postgres.orders_open import open_order
from adapters.postgres.tables import order_items, returns
from domain.orders.changes import Changes
from domain.orders.open_order import OpenOrder
from domain.orders.returns import ReturnId
from domain.shared.clock import Clock
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId, OrderItemId
from domain.shared.refusals import NotFound
from domain.shared.viewer import Viewer

Decide = Callable[[OpenOrder], Changes]


class PostgresOrderFiles:
    """The port `OrderFiles`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def order_of_item(self, viewer: Viewer, item_id: OrderItemId) -> OrderId | None:
        rows = await self._database.seen_by(viewer, select(order_items.c.order_id).where(order_items.c.id == item_id))
        return OrderId(rows[0][0]) if rows else None

    async def order_of_return(self, viewer: Viewer, return_id: ReturnId) -> OrderId | None:
        rows = await self._database.seen_by(viewer, select(returns.c.order_id).where(returns.c.id == return_id))
        return OrderId(rows[0][0]) if rows else None

    @retried
    async def change(
        self, viewer: Viewer, order_id: OrderId, decide: Decide, call: IdempotentCall | None = None
    ) -> UUID:
        async with self._database.till(viewer) as connection:

            async def effect() -> UUID:
                order = await open_order(connection, order_id)
                if order is None:
                    raise NotFound
                changes = decide(order)
                await write_changes(connection, order, changes, self._clock.now())
                await put_out(connection, changes.events)
                return changes.result

            return await effect() if call is None else await once(connection, call, effect)
