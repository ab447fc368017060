"""Rate limits: one count for all processes, taken whole or not at all, and a local one while Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.redis.client import RedisClient, connect
from adapters.redis.rates import MAX_LOCAL, LocalBuckets, RedisLimiter
from domain.shared.rates import Charge, Rate
from domain.shared.refusals import Unavailable
from settings import Settings

PATIENT_MS = 5_000
SLOW = Rate("requests", per_s=0.001, burst=20)
"""Nothing comes back while a test runs."""


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[RedisClient]:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=PATIENT_MS)
    yield RedisClient(redis, timeout_ms=PATIENT_MS)
    await redis.aclose()


@pytest.fixture
def away() -> RedisClient:
    """Redis that nobody reaches."""
    return RedisClient(connect("redis://127.0.0.1:1", timeout_ms=50), timeout_ms=50)


def somebody() -> str:
    return f"user:{uuid4()}"


async def test_a_burst_is_allowed_and_no_more_however_many_processes_ask(client: RedisClient) -> None:
    processes, who = [RedisLimiter(client) for _ in range(4)], somebody()
    verdicts = await asyncio.gather(*(process.take(who, [Charge(SLOW)]) for process in processes for _ in range(10)))
    assert sum(verdict.allowed for verdict in verdicts) == 20
    refused = next(verdict for verdict in verdicts if not verdict.allowed)
    assert refused.refused_by == "requests"
    assert refused.retry_after_s == pytest.approx(1000, rel=0.01)


async def test_principals_do_not_share(client: RedisClient) -> None:
    limiter = RedisLimiter(client)
    full = somebody()
    assert (await limiter.take(full, [Charge(SLOW, 20)])).allowed
    assert not (await limiter.take(full, [Charge(SLOW)])).allowed
    assert (await limiter.take(somebody(), [Charge(SLOW, 20)])).allowed


async def test_where_one_charge_is_refused_none_is_taken(client: RedisClient) -> None:
    limiter, who = RedisLimiter(client), somebody()
    cost = Rate("cost", per_s=0.001, burst=10)
    assert (await limiter.take(who, [Charge(SLOW), Charge(cost, 8)])).standings["cost"].remaining == 2
    refused = await limiter.take(who, [Charge(SLOW), Charge(cost, 8)])
    assert refused.refused_by == "cost"
    assert refused.standings["requests"].remaining == 19
    assert (await limiter.take(who, [Charge(SLOW)])).standings["requests"].remaining == 18


async def test_what_was_taken_comes_back(client: RedisClient) -> None:
    limiter, who = RedisLimiter(client), somebody()
    quick = Rate("quick", per_s=200, burst=1)
    assert (await limiter.take(who, [Charge(quick)])).allowed
    async with asyncio.timeout(60):
        while not (await limiter.take(who, [Charge(quick)])).allowed:
            pass


async def test_more_than_a_bucket_holds_takes_a_full_bucket(client: RedisClient) -> None:
    limiter, who = RedisLimiter(client), somebody()
    assert (await limiter.take(who, [Charge(SLOW, 1_000)])).standings["requests"].remaining == 0
    assert not (await limiter.take(who, [Charge(SLOW, 1_000)])).allowed


async def test_buckets_are_forgotten_once_they_are_full(client: RedisClient) -> None:
    who = somebody()
    await RedisLimiter(client).take(who, [Charge(Rate("kept", per_s=10, burst=20), 10)])
    assert 0 < await client.redis.pttl(f"torii:{{{who}}}:rate:kept") <= 1_000


async def test_without_redis_each_process_counts_by_itself(away: RedisClient) -> None:
    limiter, who = RedisLimiter(away, clock=lambda: 1_000.0), somebody()
    verdicts = [await limiter.take(who, [Charge(SLOW)]) for _ in range(25)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 20 + [False] * 5
    assert verdicts[0].standings["requests"].remaining == 19


async def test_without_redis_what_fails_closed_is_refused(away: RedisClient) -> None:
    sign_in = Rate("sign-in", per_s=0.1, burst=5, fails_closed=True)
    with pytest.raises(Unavailable):
        await RedisLimiter(away).take(somebody(), [Charge(SLOW), Charge(sign_in)])


async def test_the_local_count_is_the_same_as_that_of_redis(client: RedisClient) -> None:
    steady = Rate("steady", per_s=0.5, burst=7)
    who = somebody()
    local = RedisLimiter(RedisClient(connect("redis://127.0.0.1:1", timeout_ms=50), timeout_ms=50), lambda: 5.0)
    shared = RedisLimiter(client)
    for amount in (3, 1, 2, 5, 1, 1):
        first = await local.take(who, [Charge(steady, amount)])
        second = await shared.take(who, [Charge(steady, amount)])
        assert first.allowed == second.allowed
        assert first.standings["steady"].remaining == second.standings["steady"].remaining


def test_local_buckets_are_bounded() -> None:
    now = 0.0
    buckets = LocalBuckets(lambda: now)
    for number in range(MAX_LOCAL + 10):
        buckets.take([str(number)], [(1, 10, 1)])
    assert len(buckets._full_at) == MAX_LOCAL
