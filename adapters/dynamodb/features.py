"""The recommendation model in DynamoDB: an item a product, and one for what is popular.

An item's list is one binary attribute, 20 bytes an entry (product id, then the score as a big-endian float32), best
first: botocore parses each attribute by itself, so 50 entries as a list of maps would cost more than the call.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from adapters.aws.clients import DYNAMODB, Aws
from adapters.dynamodb.batch import Item, batch_delete, batch_get, batch_put
from adapters.dynamodb.tables import FEATURES
from domain.recommendations.model import Model, Scored
from domain.shared.clock import Clock
from domain.shared.ids import ProductId
from domain.shared.refusals import Unavailable

POPULAR = "#popular"
"""Key of the popular list; no product id begins so."""

POPULAR_KEPT = timedelta(seconds=60)
"""How long a process keeps the popular list: every feed wants it, and one item serves 3,000 reads a second at most."""

ENTRY = struct.Struct(">16sf")


class DynamoFeatures:
    """The port Features on the table `{prefix}Features`."""

    def __init__(self, aws: Aws, prefix: str, clock: Clock) -> None:
        self._aws = aws
        self._table = FEATURES.named(prefix)
        self._clock = clock
        self._popular: Sequence[Scored] | None = None
        self._popular_until: datetime | None = None
        self._reading: asyncio.Task[Sequence[Scored]] | None = None

    async def neighbours(self, ids: Sequence[ProductId]) -> Sequence[Sequence[Scored]]:
        items = await batch_get(self._aws, self._table, FEATURES.partition_key, [str(each) for each in ids])
        return [_unpacked(item) for item in items]

    async def popular(self) -> Sequence[Scored]:
        """Kept for a minute, and while DynamoDB is away; whoever comes while it is read waits for that one read."""
        if self._popular is not None and self._popular_until is not None and self._clock.now() < self._popular_until:
            return self._popular
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_popular())
            # should every waiter be cancelled, nobody is left to take its failure
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._reading)

    async def replace(self, model: Model) -> None:
        lists = {POPULAR: model.popular} | {str(key): scored for key, scored in model.neighbours.items()}
        await batch_put(self._aws, self._table, [_item(key, each, model.version) for key, each in lists.items()])
        # only now, so that readers find the old lists until all the new ones are there
        await batch_delete(self._aws, self._table, [key async for key in self._left_over(model.version)])
        self._popular_until = None

    async def _read_popular(self) -> Sequence[Scored]:
        try:
            [item] = await batch_get(self._aws, self._table, FEATURES.partition_key, [POPULAR])
            self._popular = _unpacked(item)
        except Unavailable:
            if self._popular is None:
                raise
        self._popular_until = self._clock.now() + POPULAR_KEPT
        return self._popular

    async def _left_over(self, version: str) -> AsyncIterator[Item]:
        """Keys of items of other trainings. Reads the whole table: for a job, never for a request."""
        start: Item = {}
        while True:
            async with self._aws.calling(DYNAMODB):
                answer = await self._aws.dynamodb.scan(
                    TableName=self._table,
                    FilterExpression="model <> :version",
                    ExpressionAttributeValues={":version": {"S": version}},
                    ProjectionExpression=FEATURES.partition_key,
                    **start,
                )
            for key in answer["Items"]:
                yield key
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _item(key: str, scored: Sequence[Scored], version: str) -> Item:
    packed = b"".join(ENTRY.pack(each.product_id.bytes, each.score) for each in scored)
    return {FEATURES.partition_key: {"S": key}, "model": {"S": version}, "scored": {"B": packed}}


def _unpacked(item: Item | None) -> Sequence[Scored]:
    if item is None:
        return ()
    return [Scored(ProductId(UUID(bytes=key)), score) for key, score in ENTRY.iter_unpack(item["scored"]["B"])]
