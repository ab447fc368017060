"""Rate limits in Redis, counted for all processes together; in the process itself while Redis is away.

The generic cell rate algorithm (ITU-T I.371): a bucket is one number, the time at which it will be full again. Taking moves
it ahead, and is refused when that would be further ahead than the bucket is deep.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import cast

from adapters.redis.client import Missed, RedisClient, Script
from domain.shared.rates import Charge, Standing, Verdict
from domain.shared.refusals import Unavailable

US = 1_000_000
MAX_LOCAL = 20_000
"""Buckets that a process remembers by itself, some 200 bytes each."""

TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at, wait, refused = {}, 0, 0
for i = 1, #KEYS do
    local each, depth, amount = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local old = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
    local new = old + each * amount
    if new - now > depth and new - now - depth > wait then
        wait, refused = new - now - depth, i
    end
    full_at[i] = {old, new}
end
local answer = {refused, string.format('%.0f', wait)}
for i = 1, #KEYS do
    local at = full_at[i][1]
    if refused == 0 then
        at = full_at[i][2]
        if at > now then
            redis.call('SET', KEYS[i], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
        end
    end
    answer[i + 2] = string.format('%.0f', at - now)
end
return answer
"""
"""Takes all charges or none. ARGV: for each key the microseconds that a unit takes to come back, the depth, the amount.

Answers which key refuses (0: none), for how many microseconds, and for each key in how many it is full again.
"""


class RedisLimiter:
    """The port `Limiter`."""

    def __init__(self, client: RedisClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._take = Script(TAKE)
        self._local = LocalBuckets(clock)

    async def take(self, principal: str, charges: Sequence[Charge]) -> Verdict:
        """One round trip, whatever the number of charges. Raises Unavailable."""
        keys = [f"torii:{{{principal}}}:rate:{charge.rate.name}" for charge in charges]
        figures = [_figures(charge) for charge in charges]
        try:
            answer = await self._client.run(self._take, keys, [number for each in figures for number in each])
        except Missed as missed:
            if any(charge.rate.fails_closed for charge in charges):
                raise Unavailable("Redis") from missed
            return _verdict(charges, figures, *self._local.take(keys, figures))
        refused, wait, *full_in = cast("list[int | bytes]", answer)
        return _verdict(charges, figures, int(refused), int(wait), [int(each) for each in full_in])


Figures = tuple[int, int, int]
"""Microseconds that a unit takes to come back; depth in microseconds; amount."""


class LocalBuckets:
    """The same rule in this process alone, for the principals seen last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, keys: Sequence[str], figures: Sequence[Figures]) -> tuple[int, int, list[int]]:
        """As TAKE answers."""
        now = int(self._clock() * US)
        before = [max(self._full_at.get(key, 0), now) for key in keys]
        after = [old + each * amount for old, (each, _, amount) in zip(before, figures, strict=True)]
        waits = [new - now - depth for new, (_, depth, _) in zip(after, figures, strict=True)]
        wait = max(waits, default=0)
        if wait > 0:
            return waits.index(wait) + 1, wait, [old - now for old in before]
        for key, new in zip(keys, after, strict=True):
            self._full_at[key] = new
            self._full_at.move_to_end(key)
        while len(self._full_at) > MAX_LOCAL:
            self._full_at.popitem(last=False)
        return 0, 0, [new - now for new in after]


def _figures(charge: Charge) -> Figures:
    each = max(1, round(US / charge.rate.per_s))
    return each, each * charge.rate.burst, min(charge.amount, charge.rate.burst)


def _verdict(
    charges: Sequence[Charge], figures: Sequence[Figures], refused: int, wait: int, full_in: Sequence[int]
) -> Verdict:
    standings = {}
    for charge, (each, depth, _), us in zip(charges, figures, full_in, strict=True):
        standings[charge.rate.name] = Standing(max(0, depth - us) // each, charge.rate.burst, us / US)
    if refused == 0:
        return Verdict(standings=standings)
    return Verdict(wait / US, charges[refused - 1].rate.name, standings)
