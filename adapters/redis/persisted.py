"""Automatic persisted queries that all gateway processes share. Where Redis is away nothing is known and nothing kept."""

from contextlib import suppress

from adapters.redis.client import Missed, RedisClient

KEPT_S = 24 * 3600
PREFIX = "torii:document:"


class RedisDocuments:
    """Texts by their SHA-256, for a day since they were registered last."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def get(self, sha256: str) -> str | None:
        try:
            found = await self._client.ask(self._client.redis.get(PREFIX + sha256))
        except Missed:
            return None
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else found

    async def put(self, sha256: str, text: str) -> None:
        with suppress(Missed):
            await self._client.ask(self._client.redis.set(PREFIX + sha256, text.encode(), ex=KEPT_S))
