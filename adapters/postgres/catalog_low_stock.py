"""Which products run low, as the worker role: a row comes when one falls, and goes when it rises again."""

from datetime import datetime

from sqlalchemy import delete, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.events_deliveries import first_time
from adapters.postgres.tables import low_stock, products
from domain.catalog.model import LOW_STOCK, ProductStatus
from domain.catalog.stock_alerts import STOCK_LOW, StockAlerts
from domain.shared.events import Event, EventId
from domain.shared.ids import ProductId
from domain.shared.viewer import ANONYMOUS

ON_SALE = (ProductStatus.ACTIVE.value, ProductStatus.OUT_OF_STOCK.value)
RUNS_LOW = products.c.status.in_(ON_SALE) & (products.c.sellable_quantity <= LOW_STOCK)
LOCK = func.hashtextextended("catalog.low_stock", 0)


class PostgresLowStock:
    """The ports `LowStock` and `ProductsTold`. Who looks at a product is alone with it: the last to look has seen its newest stock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look_at(self, event_id: EventId, product_id: ProductId, at: datetime) -> bool:
        alone = func.pg_advisory_xact_lock(func.hashtextextended(f"catalog.low_stock {product_id}", 0))
        low = select(products.c.seller_id, products.c.sellable_quantity).where(products.c.id == product_id, RUNS_LOW)
        added = insert(low_stock).values(product_id=product_id, since=at).on_conflict_do_nothing()
        async with self._database.transaction(ANONYMOUS) as connection:
            if not await first_time(connection, StockAlerts.name, event_id, at):
                return False
            await connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
            await connection.execute(select(alone))
            found = (await connection.execute(low)).first()
            if found is None:
                await connection.execute(delete(low_stock).where(low_stock.c.product_id == product_id))
                return False
            if not (await connection.execute(added)).rowcount:
                return False
            told = {"productId": str(product_id), "sellableQuantity": found.sellable_quantity}
            stream = f"seller/{found.seller_id}"
            await put_out(connection, [Event(STOCK_LOW, "product", product_id, told, stream)])
            return True

    async def look_at_all(self, event_id: EventId, at: datetime) -> None:
        low = select(products.c.id, literal(at)).where(RUNS_LOW)
        still = exists().where(products.c.id == low_stock.c.product_id, RUNS_LOW)
        added = insert(low_stock).from_select(["product_id", "since"], low).on_conflict_do_nothing()
        async with self._database.transaction(ANONYMOUS) as connection:
            if await first_time(connection, StockAlerts.name, event_id, at):
                await connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
                await connection.execute(delete(low_stock).where(~still))
                await connection.execute(added)

    async def product(self, product_id: ProductId) -> tuple[str, int] | None:
        shown = select(products.c.name, products.c.sellable_quantity).where(products.c.id == product_id)
        rows = await self._database.fresh(shown)
        return (rows[0].name, rows[0].sellable_quantity) if rows else None
