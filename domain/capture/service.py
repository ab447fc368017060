"""From the database's log to the stream, and from the stream to those who keep something in step."""

from uuid import UUID

from domain.capture.model import Change, Operation
from domain.capture.ports import ChangeConsumer, ChangeLog, ChangeReader, ChangeStream, ReadBatch
from domain.search.upkeep import IndexUpkeep, ProductChange
from domain.shared.ids import ProductId


class Capture:
    """Puts what changed on the stream: each change at least once, and no acknowledged one is missing."""

    def __init__(self, log: ChangeLog, stream: ChangeStream) -> None:
        self._log = log
        self._stream = stream

    async def pump(self) -> int:
        """A batch; how many changes that were. Raises Unavailable, PlacesAreGone, CaptureLost, CaptureNotSetUp."""
        done = 0
        async with self._log.turn() as is_ours:
            if not is_ours:
                return 0
            if await self._log.begin():
                async for rows in self._log.rows():
                    await self._stream.put(rows)
                    done += len(rows)
                await self._log.told_all()
            async for changes in self._log.changes():
                await self._stream.put(changes)
                done += len(changes)
            await self._log.acknowledge()
        return done


class Following:
    """A consumer on its way through the stream, on one worker at a time."""

    def __init__(self, reader: ChangeReader, consumer: ChangeConsumer) -> None:
        self._reader = reader
        self._consumer = consumer

    async def follow(self) -> int:
        """What is there now; how many changes that were."""
        done = 0
        async with self._reader.turn() as is_ours:
            if is_ours:
                async for batch in self._reader.batches():
                    await self._consumer.consume(batch)
                    done += len(batch.changes)
        return done


OF_PRODUCT = {
    "catalog.products": "id",
    "catalog.product_variations": "product_id",
    "reviews.product_ratings": "product_id",
}
"""Which column names the product that a row is about."""


class IndexFeed:
    """Keeps the search index in step by the stream: the second road beside that of events."""

    name = "index"

    def __init__(self, upkeep: IndexUpkeep) -> None:
        self._upkeep = upkeep

    async def consume(self, batch: ReadBatch) -> None:
        """Raises Unavailable."""
        found = [product for change in batch.changes if (product := product_change(change))]
        if found:
            await self._upkeep.follow(found)


def product_change(change: Change) -> ProductChange | None:
    """The product that a change is about; its version only where the row is the product's own."""
    if change.operation is Operation.READ and change.table != "catalog.products":
        return None  # every product is told by itself then
    column = OF_PRODUCT.get(change.table)
    if column is None:
        return None
    row = change.after or change.before or {}
    key = row.get(column)
    if key is None:  # a variation that went says no more than its own key: its product's row changed with it
        return None
    version = row.get("version") if change.table == "catalog.products" else None
    return ProductChange(ProductId(UUID(str(key))), version if isinstance(version, int) else None)
