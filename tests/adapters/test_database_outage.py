"""PostgreSQL away, in the ways in which it goes away: each is Unavailable within its limit, and over when it is over."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from adapters.postgres.database import Database
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS
from settings import Settings
from tests.relay import Relay, relayed

LIMIT_MS = 400
SLACK_S = 1.0
"""For a busy test machine, the best of three; a polite close of a frozen connection would take 2 s more."""
ONE = text("SELECT 1")


@pytest.fixture
async def frozen(settings: Settings) -> AsyncIterator[tuple[Relay, Database]]:
    async with relayed(settings.database_url.get_secret_value()) as (relay, url):
        database = Database(url, timeout_ms=LIMIT_MS, pool_size=2)
        yield relay, database
        await database.close()


async def refused_in(database: Database) -> float:
    began = time.perf_counter()
    with pytest.raises(Unavailable):
        await database.public(ONE)
    return time.perf_counter() - began


async def test_a_half_open_server_costs_the_limit_and_recovers_by_itself(frozen: tuple[Relay, Database]) -> None:
    relay, database = frozen
    assert await database.public(ONE) == [(1,)]
    held, new = [], []
    for _ in range(3):
        relay.flowing.clear()
        held.append(await refused_in(database))  # on the connection that it has
        new.append(await refused_in(database))
        relay.flowing.set()
        assert await database.public(ONE) == [(1,)]
    assert min(held) < LIMIT_MS / 1000 + SLACK_S
    assert min(new) < LIMIT_MS / 1000 + SLACK_S


async def test_whoever_may_stand_in_a_queue_does_not_wait_for_a_silent_server(frozen: tuple[Relay, Database]) -> None:
    relay, database = frozen
    relay.flowing.clear()
    async with asyncio.timeout(60):
        with pytest.raises(Unavailable):
            async with database.transaction(ANONYMOUS, within_s=600):
                pytest.fail("it has begun")
    relay.flowing.set()
    async with database.transaction(ANONYMOUS, within_s=600) as connection:  # what was given up holds no place
        assert (await connection.execute(ONE)).scalar() == 1


async def test_a_crowd_waits_no_longer_than_one(frozen: tuple[Relay, Database]) -> None:
    relay, database = frozen
    relay.flowing.clear()
    took = []
    for _ in range(3):
        began = time.perf_counter()
        found = await asyncio.gather(*(database.public(ONE) for _ in range(30)), return_exceptions=True)
        took.append(time.perf_counter() - began)
        assert {type(each) for each in found} == {Unavailable}
    assert min(took) < LIMIT_MS / 1000 + SLACK_S


async def test_a_statement_that_takes_too_long_is_ended_by_the_server_too(frozen: tuple[Relay, Database]) -> None:
    _, database = frozen
    with pytest.raises(Unavailable):
        await database.public(text("SELECT pg_sleep(60)"))
    async with asyncio.timeout(60):
        sleeping = text(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'"
        )
        while (await database.public(sleeping))[0][0]:
            await asyncio.sleep(0.01)


async def test_nobody_there_is_said_at_once() -> None:
    database = Database("postgresql://torii_app:x@127.0.0.1:1/torii", timeout_ms=LIMIT_MS)
    assert await refused_in(database) < LIMIT_MS / 1000 + SLACK_S
    with pytest.raises(Unavailable):
        async with database.transaction(ANONYMOUS):
            pass
    await database.close()


async def test_an_address_means_what_libpq_says_it_means(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    database = Database(f"{url}?sslmode=disable&application_name=by-address", timeout_ms=5_000)
    assert await database.public(text("SELECT 1")) == [(1,)]
    await database.close()
    verified = Database(f"{url}?sslmode=verify-full", timeout_ms=5_000)
    with pytest.raises(Unavailable):  # the embedded server speaks no TLS: never in the clear instead
        await verified.public(text("SELECT 1"))
    await verified.close()
