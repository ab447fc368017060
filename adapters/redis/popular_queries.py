"""Popular queries in Redis: for each week a sorted set of queries by how many searched, and a set of who searched what.

Both are bounded, so that nobody can fill the memory: a full week counts no new queries. Who searched is kept as a hash of
the person, the query and the week, which says neither.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from adapters.redis.client import Missed, RedisClient, Script
from domain.shared.refusals import Unavailable

WEEK_S = 7 * 86_400
KEPT_S = 2 * WEEK_S + 86_400
MOST_QUERIES, MOST_SEARCHES = 20_000, 200_000
MOST_READ = 1_000

NOTE = Script("""
local queries, seen = KEYS[1], KEYS[2]
if redis.call('SCARD', seen) >= tonumber(ARGV[4]) then return 0 end
if not redis.call('ZSCORE', queries, ARGV[1]) and redis.call('ZCARD', queries) >= tonumber(ARGV[3]) then return 0 end
if redis.call('SADD', seen, ARGV[2]) == 0 then return 0 end
redis.call('ZINCRBY', queries, 1, ARGV[1])
redis.call('EXPIRE', queries, ARGV[5])
redis.call('EXPIRE', seen, ARGV[5])
return 1
""")


class RedisPopularQueries:
    """The port PopularQueries."""

    def __init__(self, client: RedisClient, now: Callable[[], float] = time.time, prefix: str = "torii") -> None:
        self._client = client
        self._now = now
        self._prefix = prefix

    async def note(self, searcher: UUID, text: str) -> None:
        queries, seen = self._names(0)
        who = hashlib.blake2b(f"{seen}|{searcher}|{text}".encode("utf-8", "ignore"), digest_size=8).digest()
        limits = (MOST_QUERIES, MOST_SEARCHES, KEPT_S)
        try:
            await self._client.run(NOTE, (queries, seen), (text, who, *limits))
        except Missed as error:
            raise Unavailable("Redis") from error

    async def most(self, searchers: int) -> Sequence[str]:
        counts: Counter[str] = Counter()
        for weeks_ago in (0, 1):
            name = self._names(weeks_ago)[0]
            try:
                found = await self._client.call("ZREVRANGE", name, 0, MOST_READ - 1, "WITHSCORES")
            except Missed as error:
                raise Unavailable("Redis") from error
            for text, score in zip(found[::2], found[1::2], strict=True):
                counts[text.decode()] += int(float(score))
        return [text for text, count in counts.most_common(MOST_READ) if count >= searchers]

    def _names(self, weeks_ago: int) -> tuple[str, str]:
        week = int(self._now() // WEEK_S) - weeks_ago
        return tuple(f"{self._prefix}:searches:{{{week}}}:{kind}" for kind in ("queries", "seen"))  # type: ignore[return-value]
