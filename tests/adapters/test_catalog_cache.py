"""The catalogue's cache: one load for many, dropped on every change, skipped when Redis is away."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text

from adapters.breaker import APART_S, FAILURES_TO_OPEN, OPEN_FOR_S, Breaker
from adapters.invalidation import Invalidation
from adapters.postgres import tables
from adapters.postgres.catalog import PostgresCategories, PostgresProducts
from adapters.postgres.changes import CatalogChanges
from adapters.postgres.database import Database
from adapters.redis.cache import VersionedCache
from adapters.redis.catalog import CachedCategories, CachedProducts, CatalogCache
from adapters.redis.client import Missed, RedisClient, connect
from domain.catalog.model import Product
from domain.shared.ids import ProductId
from domain.shared.needs import Needs
from domain.shared.viewer import ANONYMOUS, Viewer
from engine.fragments.store import Store
from settings import Settings
from tests.factories import Factory, open_factory

CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'torii changes'")
PATIENT_MS = 5_000
"""A busy test machine takes its time; the limit itself has its own test."""


class Counting(PostgresProducts):
    """Counts its loads, and can be made to wait in the middle of one."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.loads: list[Sequence[ProductId]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Product | None]:
        self.loads.append(ids)
        found = await super().by_ids(ids, viewer, needs)
        self.reached.set()
        await self.gate.wait()
        return found


class Shop:
    """Cached products, told of changes by PostgreSQL."""

    def __init__(self, database: Database, cache: CatalogCache, make: Factory) -> None:
        self.stored = Counting(database)
        self.products = CachedProducts(self.stored, cache)
        self.categories = CachedCategories(PostgresCategories(database), cache)
        self.cache = cache
        self.make = make

    async def names(self, *ids: ProductId) -> list[str | None]:
        return [product and product.name for product in await self.products.by_ids(ids)]

    async def until_named(self, product_id: ProductId, name: str) -> None:
        async with asyncio.timeout(60):
            while await self.names(product_id) != [name]:
                await asyncio.sleep(0)


def _changes(url: str, cache: CatalogCache) -> CatalogChanges:
    invalidation = Invalidation(cache, Store(0))
    return CatalogChanges(url, invalidation, invalidation)


@asynccontextmanager
async def listening(url: str, cache: CatalogCache) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(_changes(url, cache).run())
    async with asyncio.timeout(60):
        while not cache.is_in_step:
            await asyncio.sleep(0.001)
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    url = settings.database_url.get_secret_value()
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=PATIENT_MS)
    cache = CatalogCache(VersionedCache(RedisClient(redis, timeout_ms=PATIENT_MS), namespace="tests"))
    database = Database(url, pool_size=4)
    async with open_factory(settings.database_worker_url.get_secret_value()) as make, listening(url, cache):
        yield Shop(database, cache, make)
    await database.close()
    await redis.aclose()


async def test_a_product_is_loaded_once(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="一"))
    other = ProductId(await shop.make.product(name="二"))
    assert await shop.names(product, product) == ["一", "一"]
    assert await shop.names(other, product) == ["二", "一"]
    assert shop.stored.loads == [[product], [other]]


async def test_a_cache_that_is_not_used_keeps_nothing(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="一"))
    unused = CatalogCache(shop.cache.values, is_used=False)
    await unused.joined()
    products = CachedProducts(shop.stored, unused)
    for _ in range(2):
        [found] = await products.by_ids([product])
        assert found is not None
        assert found.name == "一"
    assert shop.stored.loads == [[product], [product]]


async def test_what_comes_out_is_what_went_in(shop: Shop) -> None:
    product = ProductId(
        await shop.make.product(sale_price=5, attributes={"色": "藍"}, shipping_info={"fee": 300, "days_min": 1})
    )
    [fresh] = await shop.products.by_ids([product])
    [cached] = await shop.products.by_ids([product])
    assert fresh == cached
    assert len(shop.stored.loads) == 1


async def test_concurrent_misses_are_one_load(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="同時"))
    found = await asyncio.gather(*(shop.names(product) for _ in range(50)))
    assert found == [["同時"]] * 50
    assert len(shop.stored.loads) == 1


async def test_who_goes_away_does_not_take_the_load_along(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="残る"))
    shop.stored.gate.clear()
    first, second = (asyncio.create_task(shop.names(product)) for _ in range(2))
    await shop.stored.reached.wait()
    first.cancel()
    shop.stored.gate.set()
    assert await second == ["残る"]


@pytest.mark.parametrize("part", ["itself", "variation", "image"])
async def test_any_change_of_a_product_is_seen_at_once(shop: Shop, part: str) -> None:
    product = ProductId(await shop.make.product(stock_quantity=7))
    [before] = await shop.products.by_ids([product])
    assert before is not None
    match part:
        case "itself":
            await shop.make.change(tables.products, product, name="新")
        case "variation":
            await shop.make.variation(product, stock_quantity=1)
        case "image":
            await shop.make.image(product)
    async with asyncio.timeout(60):
        after: Product | None = before
        while after is not None and after.version == before.version:
            [after] = await shop.products.by_ids([product])
    assert after is not None
    assert after.version > before.version


async def test_an_old_read_never_overwrites_a_newer_version(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="旧"))
    shop.stored.gate.clear()
    slow = asyncio.create_task(shop.names(product))
    await shop.stored.reached.wait()  # has read the old name, and has not stored it yet
    await shop.make.change(tables.products, product, name="新")
    async with asyncio.timeout(60):
        key = f"torii:{{tests}}:product:{product}"
        while not await shop.cache.values._client.redis.exists(key):  # the tombstone of the change
            await asyncio.sleep(0.001)
    shop.stored.gate.set()
    assert await slow == ["旧"]
    assert await shop.names(product) == ["新"]


async def test_a_change_of_categories_is_seen(shop: Shop) -> None:
    category = await shop.make.category(name="前")
    assert (await shop.categories.tree()).by_id[category].name == "前"  # type: ignore[index]
    await shop.make.change(tables.categories, category, name="後")
    async with asyncio.timeout(60):
        while (await shop.categories.tree()).by_id[category].name != "後":  # type: ignore[index]
            await asyncio.sleep(0.001)


async def test_values_of_a_generation_that_redis_lost_never_come_back(settings: Settings) -> None:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=PATIENT_MS)
    cache = VersionedCache(RedisClient(redis, timeout_ms=PATIENT_MS), namespace="lost")
    for _ in range(3):  # evicted or lost in a failover, again and again, while the channel of changes stays up
        await redis.delete("torii:{lost}:generation")
        generation, bodies = await cache.get(["x"])
        assert bodies == [None]
        await cache.put(generation, {"x": (1, b"old")}, 60)
        assert await cache.get(["x"]) == (generation, [b"old"])
        await cache.drop()
        assert (await cache.get(["x"]))[1] == [None]
    await redis.aclose()


async def test_a_reader_stores_nothing_when_its_generation_is_lost_meanwhile(settings: Settings) -> None:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=PATIENT_MS)
    cache = VersionedCache(RedisClient(redis, timeout_ms=PATIENT_MS), namespace="lost")
    generation, _ = await cache.get(["y"])
    await redis.delete("torii:{lost}:generation")
    await cache.put(generation, {"y": (1, b"old")}, 60)
    assert not await redis.exists("torii:{lost}:y")
    both = await asyncio.gather(cache.get(["y"]), cache.get(["y"]))  # two that find none make one
    assert both[0] == both[1]
    await redis.aclose()


async def test_while_the_channel_is_cut_nothing_cached_is_shown(shop: Shop, settings: Settings) -> None:
    product = ProductId(await shop.make.product(name="前"))
    await shop.names(product)
    # the superuser is the machine's; a role may end its own connections
    async with open_factory(settings.database_url.get_secret_value()) as same_role:
        await same_role.rows(CUT)
    async with asyncio.timeout(60):
        while shop.cache.is_in_step:
            await asyncio.sleep(0)
    loads = len(shop.stored.loads)
    await shop.names(product)
    assert len(shop.stored.loads) == loads + 1
    async with asyncio.timeout(60):
        while not shop.cache.is_in_step:
            await asyncio.sleep(0.01)
    await shop.names(product)
    await shop.names(product)
    assert len(shop.stored.loads) == loads + 2  # once, after it was dropped whole


async def test_a_redis_that_is_down_is_skipped(settings: Settings, shop: Shop) -> None:
    redis = connect("redis://127.0.0.1:1", timeout_ms=50)
    gone = CatalogCache(VersionedCache(RedisClient(redis, timeout_ms=50), namespace="tests"))
    gone.is_in_step = True
    products = CachedProducts(shop.stored, gone)
    product = ProductId(await shop.make.product(name="健在"))
    for _ in range(FAILURES_TO_OPEN + 2):
        [found] = await products.by_ids([product])
        assert found is not None
        assert found.name == "健在"
    await redis.aclose()


async def test_a_redis_that_never_answers_costs_its_limit_and_then_nothing() -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # the kernel accepts; nobody ever answers
    breaker = Breaker()
    redis = connect(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_ms=20)
    cache = VersionedCache(RedisClient(redis, timeout_ms=20, breaker=breaker), namespace="tests")
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Missed):
            await asyncio.wait_for(cache.get(["x"]), 60)
        await asyncio.sleep(APART_S)  # failures of one moment count once
    assert breaker.is_open
    with pytest.raises(Missed):
        await cache.get(["x"])
    await redis.aclose()
    silent.close()


def test_a_breaker_lets_one_try_after_half_a_minute() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES_TO_OPEN):
        assert not breaker.is_open
        breaker.failed()
        breaker.failed()  # of the same moment: a stall of ours, counted once
        now[0] += 1
    assert breaker.is_open
    now[0] += OPEN_FOR_S
    assert not breaker.is_open
    assert breaker.is_open
    breaker.failed()
    now[0] += OPEN_FOR_S - 1
    assert breaker.is_open
    now[0] += 1
    assert not breaker.is_open
    breaker.succeeded()
    assert not breaker.is_open


async def test_a_listener_that_is_cancelled_ends_even_if_postgres_no_longer_answers(settings: Settings) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    cache = CatalogCache(
        VersionedCache(RedisClient(connect("redis://127.0.0.1:1", timeout_ms=50), timeout_ms=50), namespace="tests")
    )
    url = f"postgresql://torii_app:x@127.0.0.1:{silent.getsockname()[1]}/torii"
    for address in (url, settings.database_url.get_secret_value()):
        task = asyncio.create_task(_changes(address, cache).run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
    silent.close()


async def test_the_products_of_a_suspended_seller_are_gone_at_once_and_come_back_with_it(shop: Shop) -> None:
    seller = await shop.make.seller()
    product = ProductId(await shop.make.product(seller_id=seller, name="在"))
    assert await shop.names(product) == ["在"]
    for status, name in (("suspended", None), ("active", "在")):
        await shop.make.change(tables.sellers, seller, status=status)
        async with asyncio.timeout(60):
            while await shop.names(product) != [name]:
                await asyncio.sleep(0.001)


async def test_a_crowd_of_callers_who_go_away_takes_no_connection_along(settings: Settings) -> None:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=PATIENT_MS)
    cache = VersionedCache(RedisClient(redis, timeout_ms=PATIENT_MS), namespace="crowd")
    luck = random.Random(1)

    async def call() -> None:
        while True:
            generation, _ = await cache.get(["x"])
            await cache.put(generation, {"x": (1, b"y")}, 60)

    for _ in range(500):
        caller = asyncio.create_task(call())
        await asyncio.sleep(luck.random() * 0.003)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(caller, 60)
    await cache.get(["x"])  # raises Missed when there is no connection left
    await redis.aclose()


async def test_a_listener_ends_whenever_it_is_cancelled(settings: Settings, shop: Shop) -> None:
    product = await shop.make.product()
    luck, url = random.Random(2), settings.database_url.get_secret_value()
    for number in range(25):
        task = asyncio.create_task(_changes(url, shop.cache).run())
        await shop.make.change(tables.products, product, name=str(number))
        await asyncio.sleep(luck.random() / 50)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)


async def test_a_notification_that_makes_no_sense_drops_everything_and_stops_nothing(shop: Shop) -> None:
    product = ProductId(await shop.make.product(name="一"))
    await shop.names(product)
    for payload in ("junk", "a:b", "x:" + "9" * 40, ":", "é:٣"):
        await shop.make.rows(text("SELECT pg_notify('catalog_changed', :payload)").bindparams(payload=payload))
    await shop.make.change(tables.products, product, name="二")
    await shop.until_named(product, "二")
    assert shop.cache.is_in_step
