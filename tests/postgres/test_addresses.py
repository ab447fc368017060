"""One default address for each user who has any, whatever writes; and changes by two tabs at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.postgres.accounts_addresses import PostgresAddresses
from adapters.postgres.database import Database
from domain.accounts.addresses import AddressBook, AddressFields, AddressLimit
from domain.shared.idempotency import IdempotencyInProgress, IdempotencyKeyReused, IdempotentCall
from domain.shared.ids import AddressId, UserId, uuid7
from domain.shared.viewer import Role, Viewer
from settings import Settings
from tests.postgres.shop import Shop

HOME = AddressFields("山田花子", "100-0001", "東京都", "千代田区", "千代田1-1", None, None)


@pytest.fixture
async def book(settings: Settings) -> AsyncIterator[PostgresAddresses]:
    database = Database(settings.database_url.get_secret_value(), timeout_ms=10_000)
    yield PostgresAddresses(database)
    await database.close()


async def defaults(worker: Any, user: UUID) -> list[UUID]:
    rows = await worker.fetch("SELECT id FROM accounts.addresses WHERE user_id = $1 AND is_default", user)
    return [row["id"] for row in rows]


async def set_default(worker: Any, address: UUID, value: bool = True) -> None:
    await worker.execute("UPDATE accounts.addresses SET is_default = $2 WHERE id = $1", address, value)


class TestWhateverWrites:
    async def test_the_first_becomes_the_default_and_the_next_does_not(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        first = await shop.address(user)
        await shop.address(user)
        assert await defaults(worker, user) == [first]

    async def test_one_that_is_kept_as_the_default_takes_the_place(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        await shop.address(user)
        second = await shop.address(user, is_default=True)
        assert await defaults(worker, user) == [second]

    async def test_choosing_another_ends_the_former_and_touches_no_version(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        await shop.address(user)
        second = await shop.address(user)
        await set_default(worker, second)
        assert await defaults(worker, user) == [second]
        versions = await worker.fetch("SELECT version FROM accounts.addresses WHERE user_id = $1", user)
        assert [row["version"] for row in versions] == [1, 1]

    async def test_where_the_default_goes_the_newest_other_follows(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        first, second, third = [await shop.address(user) for _ in range(3)]
        await worker.execute("DELETE FROM accounts.addresses WHERE id = $1", first)
        assert await defaults(worker, user) == [third]
        await worker.execute("DELETE FROM accounts.addresses WHERE id = $1", second)
        assert await defaults(worker, user) == [third]
        await worker.execute("DELETE FROM accounts.addresses WHERE id = $1", third)
        assert await defaults(worker, user) == []

    async def test_none_just_ceases_to_be_the_default(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        first = await shop.address(user)
        with pytest.raises(asyncpg.RestrictViolationError):
            await set_default(worker, first, value=False)

    async def test_all_of_a_users_go_with_the_user(self, shop: Shop, worker: Any) -> None:
        user = await shop.user()
        for _ in range(3):
            await shop.address(user)
        await worker.execute("DELETE FROM accounts.users WHERE id = $1", user)
        assert await worker.fetch("SELECT 1 FROM accounts.addresses WHERE user_id = $1", user) == []

    async def test_another_users_default_is_left_alone(self, shop: Shop, worker: Any) -> None:
        user, other = await shop.user(), await shop.user()
        theirs = await shop.address(other)
        await shop.address(user, is_default=True)
        assert await defaults(worker, other) == [theirs]


class TestTwoTabs:
    async def test_who_choose_at_once_leave_one_default(self, shop: Shop, worker: Any, book: PostgresAddresses) -> None:
        user = await shop.user()
        viewer = Viewer(Role.USER, UserId(user))
        keys = [AddressId(await shop.address(user)) for _ in range(4)]
        for _ in range(5):
            chosen = await asyncio.gather(*(book.set_default(viewer, key) for key in keys * 2))
            assert all(each and each.changed and each.changed.is_default for each in chosen)
            assert len(await defaults(worker, user)) == 1

    async def test_who_choose_and_delete_at_once_leave_one_default(
        self, shop: Shop, worker: Any, book: PostgresAddresses
    ) -> None:
        user = await shop.user()
        viewer = Viewer(Role.USER, UserId(user))
        keys = [AddressId(await shop.address(user)) for _ in range(8)]
        await asyncio.gather(
            *(book.delete(viewer, key) for key in keys[:5]), *(book.set_default(viewer, key) for key in keys)
        )
        assert len(await defaults(worker, user)) == 1

    async def test_only_one_of_two_changes_of_a_version_is_stored(self, shop: Shop, book: PostgresAddresses) -> None:
        user = await shop.user()
        viewer, key = Viewer(Role.USER, UserId(user)), AddressId(await shop.address(user))
        stored = await asyncio.gather(*(book.update(viewer, key, 1, HOME) for _ in range(5)))
        assert len([each for each in stored if each]) == 1
        [address] = await book.by_ids(viewer, [key])
        assert address
        assert (address.version, address.fields) == (2, HOME)

    async def test_the_limit_holds_however_many_come_at_once(
        self, shop: Shop, worker: Any, book: PostgresAddresses
    ) -> None:
        user = await shop.user()
        viewer = Viewer(Role.USER, UserId(user))
        calls = [IdempotentCall.of("addressCreate", str(uuid7()), HOME) for _ in range(12)]
        made = await asyncio.gather(
            *(book.create(viewer, call, HOME, is_default=False, at_most=5) for call in calls), return_exceptions=True
        )
        assert len([each for each in made if isinstance(each, AddressLimit)]) == 7
        assert await worker.fetchval("SELECT count(*) FROM accounts.addresses WHERE user_id = $1", user) == 5

    async def test_the_same_call_at_once_keeps_one_address(
        self, shop: Shop, worker: Any, book: PostgresAddresses
    ) -> None:
        user = await shop.user()
        viewer, call = Viewer(Role.USER, UserId(user)), IdempotentCall.of("addressCreate", "key", HOME)
        made = await asyncio.gather(
            *(book.create(viewer, call, HOME, is_default=False, at_most=5) for _ in range(6)), return_exceptions=True
        )
        # who comes at the very end of another's transaction may find its key still taken, and is told to ask again
        kept = [each for each in made if not isinstance(each, IdempotencyInProgress)]
        assert {type(each) for each in kept} == {AddressBook}
        assert len({each.changed.id for each in kept if isinstance(each, AddressBook) and each.changed}) == 1
        assert await worker.fetchval("SELECT count(*) FROM accounts.addresses WHERE user_id = $1", user) == 1
        with pytest.raises(IdempotencyKeyReused):
            await book.create(
                viewer, IdempotentCall.of("addressCreate", "key", "other"), HOME, is_default=False, at_most=5
            )
