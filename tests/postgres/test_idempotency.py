"""Idempotency keys: one effect a key, in one transaction with it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.database import Database
from adapters.postgres.idempotency import KEPT, forget_old_keys, once
from domain.shared.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    IdempotentCall,
)
from domain.shared.ids import UserId, uuid7
from domain.shared.refusals import InvalidInput, NotFound
from domain.shared.viewer import Role, Viewer
from settings import Settings

CALL = IdempotentCall.of("orderPlace", "key-1", ("input", 1))


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url.get_secret_value(), timeout_ms=10_000)
    yield database
    await database.close()


class Effects:
    """Counts how often something was really done."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> UUID:
        self.count += 1
        return uuid7()


class Killed(Exception):
    """The process ended here."""


async def killed_before_the_commit(database: Database, viewer: Viewer, effects: Effects) -> None:
    async with database.transaction(viewer) as connection:
        await once(connection, CALL, effects)
        raise Killed


def somebody() -> Viewer:
    return Viewer(Role.USER, UserId(uuid7()))


async def test_the_second_time_gives_what_the_first_made(database: Database) -> None:
    viewer, effects = somebody(), Effects()
    results = []
    for _ in range(3):
        async with database.transaction(viewer) as connection:
            results.append(await once(connection, CALL, effects))
    assert (effects.count, len(set(results))) == (1, 1)


async def test_the_key_is_the_principals_and_the_mutations_own(database: Database) -> None:
    effects, viewer = Effects(), somebody()
    for who, call in (
        (viewer, CALL),
        (somebody(), CALL),
        (viewer, IdempotentCall.of("addressCreate", "key-1", ("input", 1))),
        (viewer, IdempotentCall.of("orderPlace", "key-2", ("input", 1))),
    ):
        async with database.transaction(who) as connection:
            await once(connection, call, effects)
    assert effects.count == 4


async def test_other_input_is_refused(database: Database) -> None:
    viewer, effects = somebody(), Effects()
    async with database.transaction(viewer) as connection:
        await once(connection, CALL, effects)
    with pytest.raises(IdempotencyKeyReused):
        async with database.transaction(viewer) as connection:
            await once(connection, IdempotentCall.of("orderPlace", "key-1", ("input", 2)), effects)
    assert effects.count == 1


async def test_while_the_first_runs_the_second_is_told_so_and_may_try_again(database: Database) -> None:
    viewer, effects = somebody(), Effects()
    async with database.transaction(viewer) as first:
        made = await once(first, CALL, effects)
        with pytest.raises(IdempotencyInProgress) as refused:
            async with database.transaction(viewer) as second:
                await once(second, CALL, effects)
        assert refused.value.retryable
    async with database.transaction(viewer) as again:
        assert await once(again, CALL, effects) == made
    assert effects.count == 1


async def test_what_was_refused_or_broken_off_is_not_remembered(database: Database) -> None:
    viewer, effects = somebody(), Effects()

    async def refuse() -> UUID:
        raise NotFound

    with pytest.raises(NotFound):
        async with database.transaction(viewer) as connection:
            await once(connection, CALL, refuse)
    with pytest.raises(Killed):
        await killed_before_the_commit(database, viewer, effects)
    async with database.transaction(viewer) as connection:
        await once(connection, CALL, effects)
    assert effects.count == 2


async def test_keys_are_kept_longer_than_a_day_and_then_forgotten(
    database: Database, settings: Settings, worker: Any
) -> None:
    viewer, effects = somebody(), Effects()
    async with database.transaction(viewer) as connection:
        await once(connection, CALL, effects)
    mine = f"user:{viewer.user_id}"
    jobs = Database(settings.database_worker_url.get_secret_value())
    now = datetime.now(UTC)
    assert await forgotten(jobs, now + timedelta(hours=25)) == 0
    assert await worker.fetchval("SELECT count(*) FROM idempotency.keys WHERE principal = $1", mine) == 1
    assert await forgotten(jobs, now + KEPT + timedelta(hours=1)) >= 1
    assert await worker.fetchval("SELECT count(*) FROM idempotency.keys WHERE principal = $1", mine) == 0
    await jobs.close()


async def forgotten(database: Database, now: datetime) -> int:
    return sum([gone async for gone in forget_old_keys(database, now)])


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\n", "\x00"])
def test_a_key_is_visible_ascii(key: str) -> None:
    with pytest.raises(InvalidInput):
        IdempotentCall.of("orderPlace", key, ())
