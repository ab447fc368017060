"""The way up from an empty database, and down again."""

import asyncio
import re
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection

from adapters.postgres import migrate
from adapters.postgres.database import engine_of
from adapters.postgres.migrate import Patience, newest_revision, upgrade_async
from adapters.postgres.migrations.script import MigrationBlocked, MigrationRefused
from tests.postgres.conftest import Addresses, Server
from tests.postgres.shop import Shop, connect

EVERYTHING = """
    SELECT 'column', table_schema || '.' || table_name, column_name, data_type || coalesce(column_default, '') || is_nullable
        FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname <> 'pg_catalog'
    UNION ALL SELECT 'policy', tablename, policyname, concat(cmd, roles, qual, with_check) FROM pg_policies
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', pronamespace::regnamespace::text, proname, concat(prosrc, pg_get_function_sqlbody(oid), proacl, proconfig)
        FROM pg_proc WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT 'relation', relnamespace::regnamespace::text, relname, concat(relkind, relacl, relrowsecurity, relforcerowsecurity)
        FROM pg_class WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    UNION ALL SELECT 'schema', nspname, '', nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
"""


@pytest.fixture
async def empty(server: Server) -> Addresses:
    return await server.new_database()


async def everything(addresses: Addresses) -> set[tuple[str, ...]]:
    """All that migrations make, as the database describes it."""
    connection = await connect(addresses.owner)
    rows = await connection.fetch(EVERYTHING)
    await connection.close()
    return {tuple(row) for row in rows}


async def revision(addresses: Addresses) -> str:
    connection = await connect(addresses.owner)
    found: str = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    await connection.close()
    return found


async def downgrade(addresses: Addresses, to: str) -> None:
    def migrate_down(connection: Connection) -> None:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, to)

    engine = engine_of(addresses.owner, {})
    async with engine.connect() as connection:
        await connection.run_sync(migrate_down)
        await connection.commit()
    await engine.dispose()


async def test_an_empty_database_comes_to_the_newest_revision(empty: Addresses) -> None:
    await upgrade_async(empty.owner)
    assert await revision(empty) == newest_revision()


async def test_a_second_time_changes_nothing(empty: Addresses) -> None:
    await upgrade_async(empty.owner)
    shop = Shop(await connect(empty.worker))
    user = await shop.user()
    first = await everything(empty)
    await upgrade_async(empty.owner)
    assert await everything(empty) == first
    assert await shop.connection.fetchval("SELECT count(*) FROM accounts.users WHERE id = $1", user) == 1
    await shop.connection.close()


async def test_several_at_once_do_not_clash(empty: Addresses) -> None:
    await asyncio.gather(*(upgrade_async(empty.owner) for _ in range(3)))
    assert await revision(empty) == newest_revision()


async def test_down_to_nothing_and_up_again_is_the_same(empty: Addresses) -> None:
    untouched = await everything(empty)
    await upgrade_async(empty.owner)
    whole = await everything(empty)
    await downgrade(empty, "base")
    left = {thing for thing in await everything(empty) if "alembic_version" not in " ".join(map(str, thing))}
    assert left == untouched
    await upgrade_async(empty.owner)
    assert await everything(empty) == whole


async def test_each_step_down_undoes_exactly_its_step_up(empty: Addresses) -> None:
    await upgrade_async(empty.owner)
    while await revision(empty) != "0001":
        await downgrade(empty, "-1")
        below = await everything(empty)
        await upgrade_async(empty.owner, "+1")
        await downgrade(empty, "-1")
        assert await everything(empty) == below


async def test_a_migration_that_fails_leaves_the_revision_before(empty: Addresses) -> None:
    await upgrade_async(empty.owner, "0003")
    before = await everything(empty)
    connection = await connect(empty.owner)
    await connection.execute("CREATE SCHEMA catalog")  # in the way of the fourth
    with pytest.raises(Exception, match="already exists"):
        await upgrade_async(empty.owner)
    await connection.execute("DROP SCHEMA catalog")
    await connection.close()
    assert await everything(empty) == before


async def test_a_migration_waits_for_a_lock_so_long_and_no_longer(empty: Addresses) -> None:
    await upgrade_async(empty.owner, "0038")
    before = await everything(empty)
    shopping = await connect(empty.worker)
    async with shopping.transaction():
        await shopping.fetch("SELECT id FROM catalog.brands")
        with pytest.raises(MigrationBlocked, match="pg_stat_activity"):
            await upgrade_async(empty.owner, "0039", Patience(lock_ms=50, pauses_s=(0, 0)))
    await shopping.close()
    assert await everything(empty) == before


async def test_a_migration_that_got_no_lock_is_tried_again(empty: Addresses, caplog: pytest.LogCaptureFixture) -> None:
    await upgrade_async(empty.owner, "0038")
    shopping = await connect(empty.worker)
    holding = shopping.transaction()
    await holding.start()
    await shopping.fetch("SELECT id FROM catalog.brands")
    going_on = asyncio.create_task(upgrade_async(empty.owner, "0039", Patience(50, (0.01,) * 3_000)))
    async with asyncio.timeout(30):
        while "got no lock within 50 ms" not in caplog.text:
            await asyncio.sleep(0.01)
    await holding.commit()
    await going_on
    await shopping.close()
    assert await revision(empty) == "0039"


async def test_addresses_that_differ_in_capital_letters_stop_the_migration_which_names_none(empty: Addresses) -> None:
    await upgrade_async(empty.owner, "0011")
    shop = Shop(await connect(empty.worker))
    for email in (
        "hanako@example.com",
        "Hanako@example.com",
        "TARO@example.com",
        "taro@Example.com",
        "jiro@example.com",
    ):
        await shop.user(email=email)
    with pytest.raises(MigrationRefused) as refused:
        await upgrade_async(empty.owner)
    assert refused.value.message.startswith(
        "e-mail addresses that several users have, written with other capital letters: 2."
    )
    assert "example.com" not in refused.value.message
    assert await revision(empty) == "0011"
    [query] = re.findall(r"`(.*?)`", refused.value.message)
    told = [row["id"] for row in await shop.connection.fetch(query)]
    assert len(told) == 4
    await shop.connection.execute("DELETE FROM accounts.users WHERE id = ANY ($1)", [told[1], told[3]])
    await upgrade_async(empty.owner)
    with pytest.raises(asyncpg.UniqueViolationError):
        await shop.user(email="HANAKO@example.com")
    await shop.connection.close()


async def test_a_database_of_before_the_till_is_told_what_to_run(empty: Addresses, server: Server) -> None:
    await upgrade_async(empty.owner, "0021")
    before = await everything(empty)
    await server.as_superuser("REVOKE torii_till FROM torii_worker")
    with pytest.raises(MigrationRefused, match=r"bootstrap\.sql"):
        await upgrade_async(empty.owner)
    assert await everything(empty) == before
    await server.new_database()  # which runs it
    await upgrade_async(empty.owner)
    assert await revision(empty) == newest_revision()


async def test_the_gateway_and_its_workers_cannot_migrate(empty: Addresses) -> None:
    for url in (empty.app, empty.worker):
        connection: Any = await connect(url)
        for statement in ("CREATE SCHEMA mine", "CREATE TABLE public.mine (id int)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()
