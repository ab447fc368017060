"""The port ViewStore, on Valkey; and the history before it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.redis.client import RedisClient, connect
from adapters.redis.viewed import RedisViews
from domain.accounts.looks import KEPT, MAX_VIEWED, Look, Onlooker
from domain.accounts.viewed import WAITING, ViewHistory
from domain.shared.clock import SystemClock
from domain.shared.ids import ProductId, UserId, uuid7
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Role, Viewer
from settings import Settings

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[RedisClient]:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=5_000)
    yield RedisClient(redis, timeout_ms=5_000)
    await redis.aclose()


def products(number: int) -> list[ProductId]:
    return [ProductId(uuid7()) for _ in range(number)]


def looks(onlooker: Onlooker, which: Sequence[ProductId], at: datetime = AT) -> list[Look]:
    return [Look(onlooker, each, at + timedelta(seconds=number)) for number, each in enumerate(which)]


async def test_the_last_fifty_of_each_are_kept_for_thirty_days(client: RedisClient) -> None:
    views, user, guest = RedisViews(client), Onlooker(UserId(uuid7()), None), Onlooker(None, uuid7())
    seen, other = products(60), products(1)
    await views.note([*looks(user, seen), *looks(guest, other)])
    assert await views.latest(user, MAX_VIEWED) == seen[:9:-1]
    assert await views.latest(user, 3) == seen[:56:-1]
    assert await views.latest(guest, MAX_VIEWED) == other
    left: Any = await client.redis.ttl(f"torii:viewed:{{{user.key}}}")
    assert KEPT.total_seconds() - 60 < left <= KEPT.total_seconds()


async def test_a_look_that_comes_late_is_not_the_last_one(client: RedisClient) -> None:
    views, user = RedisViews(client), Onlooker(UserId(uuid7()), None)
    first, second = products(2)
    await views.note(looks(user, [first, second]))
    await views.note(looks(user, [second, first], AT - timedelta(days=1)))
    assert await views.latest(user, 10) == [second, first]


async def test_a_user_and_a_guest_of_one_id_are_two(client: RedisClient) -> None:
    views, key, [product] = RedisViews(client), uuid7(), products(1)
    await views.note(looks(Onlooker(UserId(key), None), [product]))
    assert await views.latest(Onlooker(None, key), 10) == []


async def test_what_is_forgotten_is_gone(client: RedisClient) -> None:
    views, user = RedisViews(client), Onlooker(UserId(uuid7()), None)
    await views.note(looks(user, products(2)))
    for _ in range(2):
        await views.forget(user)
        assert await views.latest(user, 10) == []


async def test_without_redis_it_is_an_outage() -> None:
    redis = connect("redis://127.0.0.1:1/0", timeout_ms=100)
    with pytest.raises(Unavailable):
        await RedisViews(RedisClient(redis, timeout_ms=100)).latest(Onlooker(None, uuid7()), 1)
    await redis.aclose()


class Away:
    """A back end that is down, until it is not."""

    def __init__(self) -> None:
        self.is_away = True
        self.noted: list[Look] = []
        self.asked = asyncio.Event()

    async def who_keep_history(self, ids: Sequence[UserId]) -> frozenset[UserId]:
        self.asked.set()
        if self.is_away:
            raise Unavailable("DynamoDB")
        return frozenset(ids)

    async def note(self, looks: Sequence[Look]) -> None:
        self.noted += looks


async def test_what_is_not_known_to_be_wanted_is_not_kept_and_the_history_goes_on() -> None:
    away: Any = Away()
    history = ViewHistory(away, away, SystemClock())
    running = asyncio.create_task(history.run())
    viewer = Viewer(Role.USER, UserId(uuid7()))
    first, second = products(2)
    history.saw(viewer, first)
    async with asyncio.timeout(60):
        await away.asked.wait()
        away.is_away = False
        history.saw(viewer, second)
        while not away.noted:
            await asyncio.sleep(0)
    assert [look.product_id for look in away.noted] == [second]
    running.cancel()


async def test_looks_that_find_no_room_are_dropped_and_nobody_waits() -> None:
    away: Any = Away()
    history = ViewHistory(away, away, SystemClock())
    viewer = Viewer(Role.USER, UserId(uuid7()))
    for each in products(WAITING + 10):
        history.saw(viewer, each)
    assert history._waiting.qsize() == WAITING
