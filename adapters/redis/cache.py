"""A cache of versioned values that can be dropped whole. Where Redis is down it is skipped, never fatal.

A stored value is its generation and version (8 bytes each, big-endian), then its body; without a body it is a tombstone
that keeps older versions out. A new generation drops everything at once; generations are random, so that none comes
twice, also after Redis lost the one it had. Keys share one hash tag, so that multi-gets and scripts stay within one slot
of a cluster.
"""

import secrets
from collections.abc import Mapping, Sequence

from adapters.redis.client import RedisClient

TOMBSTONE_S = 60
"""How long a tombstone keeps older versions out: far longer than any read that may still carry one."""

BEGIN = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""
"""Makes a generation where there is none: after a first start, an eviction, a failover."""

STORE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
    local value = ARGV[i + 1]
    local stored = redis.call('GETRANGE', KEYS[i], 0, 15)
    if #stored < 16 or string.sub(stored, 1, 8) ~= string.sub(value, 1, 8)
        or string.sub(stored, 9, 16) <= string.sub(value, 9, 16) then
        redis.call('SET', KEYS[i], value, 'EX', ARGV[2])
    end
end
return 1
"""
"""Writes values over older versions only, and only in the generation in which they were read."""

GENERATION_BITS = 63


class VersionedCache:
    """Values of one kind, by key."""

    def __init__(self, client: RedisClient, *, namespace: str) -> None:
        self._client = client
        self._prefix = f"torii:{{{namespace}}}:"
        self._generation_key = f"{self._prefix}generation"
        self._begin = client.redis.register_script(BEGIN)
        self._store = client.redis.register_script(STORE)

    async def get(self, keys: Sequence[str]) -> tuple[int, list[bytes | None]]:
        """The present generation, and the body of each key that has one. Raises Missed."""
        names = [self._generation_key, *(self._prefix + key for key in keys)]
        found: list[bytes | None] = await self._client.call("MGET", *names)
        if found[0] is None:
            begun = await self._client.ask(self._begin(keys=[self._generation_key], args=[_new_generation()]))
            return int(begun), [None] * len(keys)
        generation = int(found[0])
        now = generation.to_bytes(8, "big")
        return generation, [
            value[16:] if value and value[:8] == now and len(value) > 16 else None for value in found[1:]
        ]

    async def put(self, generation: int, values: Mapping[str, tuple[int, bytes]], ttl_s: int) -> None:
        """Store bodies by key with their versions, unless the cache was dropped since `generation`. Raises Missed."""
        names = [self._generation_key, *(self._prefix + key for key in values)]
        now = generation.to_bytes(8, "big")
        bodies = [now + version.to_bytes(8, "big") + body for version, body in values.values()]
        await self._client.ask(self._store(keys=names, args=[generation, ttl_s, *bodies]))

    async def forget(self, versions: Mapping[str, int]) -> None:
        """Drop what is older than these versions, and keep it from coming back. Raises Missed."""
        generation, _ = await self.get(())
        await self.put(generation, {key: (version, b"") for key, version in versions.items()}, TOMBSTONE_S)

    async def drop(self) -> None:
        """Drop everything. Raises Missed."""
        await self._client.ask(self._client.redis.set(self._generation_key, _new_generation()))


def _new_generation() -> int:
    # Random, not counted: a count that Redis lost in a failover would come back to values that were dropped.
    return secrets.randbits(GENERATION_BITS)
