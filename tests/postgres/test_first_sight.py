"""A user's row and its event: made once, together, whoever comes at the same time; and the repair of what was missed."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.accounts_repair import PostgresUserRows
from adapters.postgres.database import Database
from domain.accounts.model import PoolUser
from domain.accounts.refusals import AddressTaken
from domain.accounts.repair import Repaired, UserRepair
from domain.shared.ids import UserId
from domain.shared.viewer import Role, Viewer
from settings import Settings
from tests.postgres.shop import Shop

_numbers = itertools.count(1)


def pool_user(email: str | None = None, *, verified: bool = True) -> PoolUser:
    return PoolUser(str(uuid4()), email or f"sight-{next(_numbers)}@example.com", verified)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url.get_secret_value(), pool_size=10, timeout_ms=10_000)
    yield database
    await database.close()


@pytest.fixture
def users(database: Database) -> PostgresUsers:
    return PostgresUsers(database)


@pytest.fixture
async def rows(settings: Settings) -> AsyncIterator[PostgresUserRows]:
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=4, timeout_ms=10_000)
    yield PostgresUserRows(database)
    await database.close()


async def row_of(worker: Any, user: PoolUser) -> Any:
    return await worker.fetchrow("SELECT * FROM accounts.users WHERE cognito_sub = $1", user.subject)


async def events_of(worker: Any, user_id: Any) -> list[Any]:
    found: list[Any] = await worker.fetch("SELECT * FROM events.outbox WHERE aggregate_id = $1", user_id)
    return found


async def test_the_event_is_written_with_the_row_and_says_nothing_of_the_person(
    users: PostgresUsers, worker: Any
) -> None:
    user = pool_user()
    user_id = await users.first_seen(user)
    row = await row_of(worker, user)
    assert (row["id"], row["email"], row["email_verified_at"] is not None) == (user_id, user.email, True)
    [event] = await events_of(worker, user_id)
    assert (event["type"], event["aggregate_type"], event["sent_at"]) == ("UserRegistered", "user", None)
    assert event["payload"] == f'{{"userId": "{user_id}"}}'
    assert user.email not in str(dict(event))


async def test_first_sights_at_once_make_one_row_and_one_event(users: PostgresUsers, worker: Any) -> None:
    user = pool_user()
    found = await asyncio.gather(*(users.first_seen(user) for _ in range(10)))
    assert len(set(found)) == 1
    assert len(await events_of(worker, found[0])) == 1
    assert await users.first_seen(user) == found[0]
    assert len(await events_of(worker, found[0])) == 1


async def test_an_address_that_is_not_verified_is_kept_as_such(users: PostgresUsers, worker: Any) -> None:
    user = pool_user(verified=False)
    await users.first_seen(user)
    assert (await row_of(worker, user))["email_verified_at"] is None


async def test_two_subjects_with_one_address_are_never_joined(users: PostgresUsers, worker: Any) -> None:
    first = pool_user()
    user_id = await users.first_seen(first)
    with pytest.raises(AddressTaken):
        await users.first_seen(pool_user(first.email))
    assert len(await events_of(worker, user_id)) == 1
    assert (await row_of(worker, first))["id"] == user_id


async def test_an_address_is_one_users_however_it_is_written(users: PostgresUsers, worker: Any) -> None:
    first, other = pool_user(), pool_user()
    user_id, other_id = await users.first_seen(first), await users.first_seen(other)
    shouted = first.email.upper()
    with pytest.raises(AddressTaken):
        await users.first_seen(pool_user(shouted))
    with pytest.raises(AddressTaken):
        await users.keep_address(Viewer(Role.USER, other_id), PoolUser(other.subject, shouted, True))
    verified_at = (await row_of(worker, first))["email_verified_at"]
    await users.keep_address(Viewer(Role.USER, user_id), PoolUser(first.subject, shouted, True))
    row = await row_of(worker, first)
    assert (row["email"], row["email_verified_at"]) == (shouted, verified_at)


async def test_without_its_event_there_is_no_row(users: PostgresUsers, worker: Any, owner: Any) -> None:
    user = pool_user()
    await owner.execute("REVOKE INSERT ON events.outbox FROM torii_app")
    try:
        with pytest.raises(Exception, match="permission denied"):
            await users.first_seen(user)
    finally:
        await owner.execute("GRANT INSERT ON events.outbox TO torii_app")
    assert await row_of(worker, user) is None


async def test_the_gateway_puts_events_in_and_never_reads_them(app: Any) -> None:
    await app.execute("SELECT set_config('torii.kind', 'admin', false)")
    put_in = (
        "INSERT INTO events.outbox (type, aggregate_type, aggregate_id, sent_at) VALUES ('T', 'test', uuidv7(), {})"
    )
    await app.execute(put_in.format("NULL"))
    for forbidden in ("SELECT * FROM events.outbox", "DELETE FROM events.outbox", put_in.format("now()")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(forbidden)


async def test_the_address_follows_the_pool_and_only_in_the_viewers_own_row(users: PostgresUsers, worker: Any) -> None:
    user, other = pool_user(), pool_user()
    user_id, other_id = await users.first_seen(user), await users.first_seen(other)
    viewer = Viewer(Role.USER, user_id)
    verified_at = (await row_of(worker, user))["email_verified_at"]
    await users.keep_address(viewer, user)
    assert (await row_of(worker, user))["email_verified_at"] == verified_at
    moved = PoolUser(user.subject, f"moved-{user.email}", True)
    await users.keep_address(viewer, moved)
    row = await row_of(worker, user)
    assert row["email"] == moved.email
    assert row["email_verified_at"] > verified_at
    await users.keep_address(viewer, PoolUser(other.subject, "stolen@example.com", True))  # not the viewer's subject
    assert (await row_of(worker, other))["email"] == other.email
    with pytest.raises(AddressTaken):
        await users.keep_address(viewer, PoolUser(user.subject, other.email, True))
    assert other_id != user_id


class Pages:
    """A pool's list of users."""

    def __init__(self, *pages: Sequence[PoolUser]) -> None:
        self._pages = pages

    async def pages(self) -> AsyncIterator[Sequence[PoolUser]]:
        for page in self._pages:
            yield page


async def repair(rows: PostgresUserRows, *pages: Sequence[PoolUser]) -> Repaired:
    return await UserRepair(Pages(*pages), rows).run(lambda seen: None)


async def test_a_repair_makes_what_is_missing_and_changes_nothing_a_second_time(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any
) -> None:
    known, missed, unverified = pool_user(), pool_user(), pool_user(verified=False)
    await users.first_seen(known)
    assert await repair(rows, [known, missed], [unverified]) == Repaired(seen=3, made=2)
    made = await row_of(worker, missed)
    assert (made["email"], made["email_verified_at"] is not None) == (missed.email, True)
    assert (await row_of(worker, unverified))["email_verified_at"] is None
    before = [dict(await row_of(worker, each)) for each in (known, missed, unverified)]
    assert await repair(rows, [known, missed, unverified]) == Repaired(seen=3)
    assert [dict(await row_of(worker, each)) for each in (known, missed, unverified)] == before
    assert [len(await events_of(worker, row["id"])) for row in before] == [1, 1, 1]
    assert await users.first_seen(missed) == made["id"]


async def test_a_repair_takes_over_addresses_also_those_that_others_gave_up(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any
) -> None:
    first, second = pool_user(), pool_user()
    await users.first_seen(first)
    await users.first_seen(second)
    gone_on = PoolUser(first.subject, f"moved-{first.email}", True)
    moved_up, new = PoolUser(second.subject, first.email, True), pool_user(second.email)
    assert await repair(rows, [moved_up, new, gone_on]) == Repaired(seen=3, made=1, moved=2)
    for user in (gone_on, moved_up, new):
        assert (await row_of(worker, user))["email"] == user.email


async def test_a_repair_never_joins_a_row_to_a_user_by_the_address(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any, shop: Shop
) -> None:
    imported = await shop.user()
    address = await worker.fetchval("SELECT email FROM accounts.users WHERE id = $1", imported)
    newcomer, mover = pool_user(address), pool_user()
    await users.first_seen(mover)
    assert await repair(rows, [newcomer, PoolUser(mover.subject, address, True)]) == Repaired(seen=2, taken=2)
    assert await row_of(worker, newcomer) is None
    assert (await row_of(worker, mover))["email"] == mover.email
    assert await worker.fetchval("SELECT cognito_sub FROM accounts.users WHERE id = $1", imported) is None


async def test_a_repair_leaves_an_address_to_one_user_however_it_is_written(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any
) -> None:
    known, mover = pool_user(), pool_user()
    await users.first_seen(known)
    await users.first_seen(mover)
    shouting = PoolUser(mover.subject, known.email.upper(), True)
    assert await repair(rows, [shouting, pool_user(known.email.title())]) == Repaired(seen=2, taken=2)
    assert (await row_of(worker, mover))["email"] == mover.email


async def test_a_repair_moves_one_of_two_users_of_the_pool_to_an_address_that_both_write(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any
) -> None:
    movers = sorted((pool_user(), pool_user()), key=lambda user: user.subject)
    for mover in movers:
        await users.first_seen(mover)
    wanted = [f"Both-{movers[0].email}", f"both-{movers[0].email}"]
    both = [PoolUser(mover.subject, address, True) for mover, address in zip(movers, wanted, strict=True)]
    assert await repair(rows, both) == Repaired(seen=2, moved=1, taken=1)
    assert [(await row_of(worker, mover))["email"] for mover in movers] == [wanted[0], movers[1].email]
    assert await repair(rows, both) == Repaired(seen=2, taken=1)


async def test_a_repair_and_first_sights_at_once_make_one_row_each(
    users: PostgresUsers, rows: PostgresUserRows, worker: Any
) -> None:
    crowd = [pool_user() for _ in range(20)]
    sights: list[Any] = [users.first_seen(user) for user in crowd]
    await asyncio.gather(repair(rows, crowd), *sights, repair(rows, crowd))
    found: list[UserId] = [(await row_of(worker, user))["id"] for user in crowd]
    assert [len(await events_of(worker, each)) for each in found] == [1] * 20
