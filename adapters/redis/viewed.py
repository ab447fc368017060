"""Recently viewed products in Redis: a sorted set for each onlooker, by the time of the last look."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from adapters.redis.client import Missed, RedisClient
from domain.accounts.looks import KEPT, MAX_VIEWED, Look, Onlooker
from domain.shared.ids import ProductId
from domain.shared.refusals import Unavailable


class RedisViews:
    """The port ViewStore."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def note(self, looks: Sequence[Look]) -> None:
        newest = {(look.onlooker.key, look.product_id): look.at.timestamp() for look in looks}
        pipeline = self._client.redis.pipeline(transaction=False)
        for onlooker in {look.onlooker.key for look in looks}:
            name = _name(onlooker)
            scores: Any = {str(product): at for (whose, product), at in newest.items() if whose == onlooker}
            pipeline.zadd(name, scores, gt=True)  # a look that comes late is not the last one
            pipeline.zremrangebyrank(name, 0, -MAX_VIEWED - 1)
            pipeline.expire(name, KEPT)
        await self._ask(pipeline.execute())

    async def latest(self, onlooker: Onlooker, first: int) -> Sequence[ProductId]:
        found: Any = await self._ask(self._client.redis.zrevrange(_name(onlooker.key), 0, first - 1))
        return [ProductId(UUID(each.decode())) for each in found]

    async def forget(self, onlooker: Onlooker) -> None:
        await self._ask(self._client.redis.delete(_name(onlooker.key)))

    async def _ask(self, call: Any) -> Any:
        try:
            return await self._client.ask(call)
        except Missed as error:
            raise Unavailable("Redis") from error


def _name(key: str) -> str:
    return f"torii:viewed:{{{key}}}"
