"""Row-level security: what each viewer sees when a query forgets its filter, and what a connection remembers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Text, func, select, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres.database import Database
from adapters.postgres.tables import users
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS, Viewer
from settings import Settings
from tests.postgres.catalogue import SCHEMAS
from tests.postgres.market import KEYS, SEES, Market, open_market
from tests.postgres.shop import Shop

RELATIONS = """
    SELECT n.nspname || '.' || c.relname AS name, c.oid, c.relkind::text AS kind, c.relispartition AS is_partition,
        c.relrowsecurity AS has_rls, c.relforcerowsecurity AS forces_rls, c.relacl::text AS grants,
        has_any_column_privilege('torii_app', c.oid, 'SELECT') AS is_granted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
WHO_IS_SET = select(
    func.current_setting("torii.kind", True, type_=Text), func.current_setting("torii.user_id", True, type_=Text)
)

RIGHTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
OF_COLUMNS = ("INSERT", "UPDATE", "REFERENCES")
HAS_RIGHT = {
    True: "SELECT has_any_column_privilege('torii_app', $1::oid, $2)",
    False: "SELECT has_table_privilege('torii_app', $1::oid, $2)",
}
WRITABLE = {
    ("accounts.users", "UPDATE"),
    ("accounts.user_profiles", "INSERT"),
    ("accounts.user_profiles", "UPDATE"),
    ("accounts.addresses", "INSERT"),
    ("accounts.addresses", "UPDATE"),
    ("accounts.addresses", "DELETE"),
    ("accounts.favorites", "INSERT"),
    ("accounts.favorites", "DELETE"),
    ("events.outbox", "INSERT"),
    ("idempotency.keys", "INSERT"),
    ("payments.webhook_events", "INSERT"),
}
"""What the gateway's role may write at all, of some columns or all."""

Read = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def market(shop: Shop) -> Market:
    return await open_market(shop)


async def seen_in(market: Market, read: Read) -> set[str]:
    """Names of the market's rows among all the rows that a query without any filter returns."""
    names = {place: name for name, place in market.rows.items()}
    found = set()
    for table in {table for table, _ in market.rows.values()}:
        rows = await read(f"SELECT {KEYS.get(table, 'id')} FROM {table}")
        found |= {names[table, row[0]] for row in rows if (table, row[0]) in names}
    return found


class TestWhatEachViewerSees:
    @pytest.mark.parametrize("person", SEES)
    async def test_without_any_filter(self, market: Market, database: Database, person: str) -> None:
        async with database.transaction(market.viewer(person)) as connection:

            async def read(sql: str) -> Any:
                return (await connection.execute(text(sql))).all()

            assert await seen_in(market, read) == SEES[person]

    async def test_the_reader_sees_what_anybody_does(self, market: Market, database: Database) -> None:
        assert await seen_in(market, lambda sql: database.public(text(sql))) == SEES["anonymous"]

    async def test_the_market_has_a_row_in_everything_that_the_gateway_may_read(
        self, market: Market, owner: Any
    ) -> None:
        granted = {row["name"] for row in await owner.fetch(RELATIONS) if row["is_granted"]}
        assert granted == {table for table, _ in market.rows.values()}
        assert set().union(*SEES.values()) == market.rows.keys()

    async def test_where_nothing_is_set_nothing_is_seen(self, market: Market, app: Any) -> None:
        seen = {table: await app.fetchval(f"SELECT count(*) FROM {table}") for table, _ in market.rows.values()}
        assert seen == dict.fromkeys(seen, 0)

    @pytest.mark.parametrize("kind", ["", "ADMIN", "worker", "admin "])
    async def test_a_kind_that_is_none_sees_nothing(self, market: Market, app: Any, kind: str) -> None:
        await app.execute("SELECT set_config('torii.kind', $1, false)", kind)
        seen = {table: await app.fetchval(f"SELECT count(*) FROM {table}") for table, _ in market.rows.values()}
        assert seen == dict.fromkeys(seen, 0)

    async def test_a_draft_cannot_be_probed_by_its_parts(self, market: Market, database: Database) -> None:
        draft = market.rows["draft"][1]
        for table in ("product_images", "product_variations"):
            assert await database.public(text(f"SELECT 1 FROM catalog.{table} WHERE product_id = '{draft}'")) == []

    async def test_a_suspended_seller_has_no_public_profile(
        self, market: Market, shop: Shop, database: Database
    ) -> None:
        store = market.rows["store"][1]
        profile = text(f"SELECT 1 FROM sellers.public_profiles WHERE id = '{store}'")
        assert len(await database.public(profile)) == 1
        await shop.connection.execute("UPDATE sellers.sellers SET status = 'suspended' WHERE id = $1", store)
        assert await database.public(profile) == []


class TestWhatAConnectionRemembers:
    async def test_two_viewers_in_turn_see_their_own(self, market: Market, database: Database) -> None:
        backends = set()
        for person in ("hanako", "taro", "anonymous", "hanako", "admin", "taro"):
            async with database.transaction(market.viewer(person)) as connection:
                backends.add((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())
                mine = {row.id for row in await connection.execute(select(users.c.id))} & set(market.people.values())
            assert mine == {market.rows[name][1] for name in SEES[person] & market.people.keys()}
        assert len(backends) == 1

    async def test_nobody_is_set_between_two_transactions(self, market: Market, database: Database) -> None:
        await database.seen_by(market.viewer("hanako"), select(users.c.id))
        async with database.writer.begin() as connection:
            assert [value or None for value in (await connection.execute(WHO_IS_SET)).one()] == [None, None]

    async def test_a_transaction_that_failed_leaves_no_viewer_behind(self, market: Market, database: Database) -> None:
        with pytest.raises(DBAPIError, match="division by zero"):
            await database.seen_by(market.viewer("hanako"), text("SELECT 1 / 0"))
        assert await database.seen_by(ANONYMOUS, select(users.c.id)) == []

    async def test_a_statement_that_took_too_long_is_an_outage_and_leaves_no_viewer_behind(
        self, market: Market, settings: Settings
    ) -> None:
        database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=500)
        with pytest.raises(Unavailable):
            await database.seen_by(market.viewer("hanako"), text("SELECT pg_sleep(10)"))
        assert await database.seen_by(ANONYMOUS, select(users.c.id)) == []
        await database.close()

    @pytest.mark.parametrize("times", [1, 2])
    async def test_a_cancelled_request_leaves_no_viewer_behind(
        self, market: Market, database: Database, app: Any, times: int
    ) -> None:
        for _ in range(times):
            mark = f"cancelled {market.people['hanako']}"
            query = text(f"SELECT pg_sleep(10) /* {mark} */")
            request = asyncio.create_task(database.seen_by(market.viewer("hanako"), query))
            await until_active(app, mark)
            request.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await request
            assert request.cancelled()
            await until_active(app, mark, active=False)  # the server has given up, too
        assert await database.seen_by(ANONYMOUS, select(users.c.id)) == []
        mine = {row.id for row in await database.seen_by(market.viewer("taro"), select(users.c.id))}
        assert mine == {market.people["taro"]}

    async def test_a_cancelled_public_read_leaves_the_reader_usable(
        self, market: Market, database: Database, app: Any
    ) -> None:
        mark = f"public {market.people['hanako']}"
        request = asyncio.create_task(database.public(text(f"SELECT pg_sleep(10) /* {mark} */")))
        await until_active(app, mark)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await seen_in(market, lambda sql: database.public(text(sql))) == SEES["anonymous"]

    async def test_the_reader_stays_anonymous(self, market: Market, database: Database) -> None:
        await database.seen_by(market.viewer("admin"), select(users.c.id))
        assert [tuple(row) for row in await database.public(WHO_IS_SET)] == [("anonymous", None)]


async def until_active(app: Any, mark: str, *, active: bool = True) -> None:
    """Until a statement with this mark runs on the server, or no longer does. `app` sees its own role's statements."""
    running = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        " AND strpos(query, $1) > 0)"
    )
    async with asyncio.timeout(60):
        while await app.fetchval(running, mark) is not active:
            await asyncio.sleep(0)


class TestWriting:
    async def test_the_gateway_writes_what_is_the_viewers_own_and_nothing_else(self, owner: Any) -> None:
        found = {
            (row["name"], right)
            for row in await owner.fetch(RELATIONS)
            for right in RIGHTS
            if await owner.fetchval(HAS_RIGHT[right in OF_COLUMNS], row["oid"], right)
        }
        assert found == WRITABLE

    async def test_an_attempt_is_refused(self, market: Market, app: Any) -> None:
        await app.execute("SELECT set_config('torii.kind', 'admin', false)")
        writable = {table for table, _ in WRITABLE}
        for table in (
            {table for table, _ in market.rows.values()}
            - writable
            - {"sellers.public_profiles", "sellers.shipping_terms"}  # joins: nobody writes to them
        ):
            key = KEYS.get(table, "id")
            for statement in (
                f"DELETE FROM {table}",
                f"UPDATE {table} SET {key} = {key}",
                f"INSERT INTO {table} DEFAULT VALUES",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(statement)

    async def test_the_gateway_makes_no_temporary_tables(self, app: Any) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("CREATE TEMP TABLE mine (id int)")


class TestWritingOnesOwn:
    """What the gateway may write is the viewer's own, whatever a statement says or leaves out."""

    @pytest.mark.parametrize("person", ["taro", "admin", "anonymous", "clerk"])
    async def test_a_forgotten_filter_changes_nobody_elses(
        self, market: Market, database: Database, worker: Any, person: str
    ) -> None:
        before = await of_hanako(worker, market)
        for statement in (
            "UPDATE accounts.users SET phone_number = 'mine'",
            "UPDATE accounts.user_profiles SET display_name = 'mine'",
            "UPDATE accounts.addresses SET city = 'mine'",
            "DELETE FROM accounts.addresses",
            "DELETE FROM accounts.favorites",
        ):
            async with database.transaction(market.viewer(person)) as connection:
                await connection.execute(text(statement))
        assert await of_hanako(worker, market) == before

    @pytest.mark.parametrize("person", ["taro", "admin", "anonymous"])
    async def test_nothing_is_written_in_anothers_name(self, market: Market, database: Database, person: str) -> None:
        hanako, product = market.people["hanako"], market.rows["sold out"][1]
        for statement in (
            f"INSERT INTO accounts.user_profiles (user_id, display_name) VALUES ('{market.people['clerk']}', 'x')",
            "INSERT INTO accounts.addresses (user_id, postal_code, prefecture, city, address_line1)"
            f" VALUES ('{hanako}', '100-0001', '東京都', '千代田区', '1-1')",
            f"INSERT INTO accounts.favorites (user_id, product_id) VALUES ('{hanako}', '{product}')",
            "INSERT INTO idempotency.keys (principal, mutation, key, fingerprint, result)"
            f" VALUES ('user:{hanako}', 'addressCreate', 'k', '', '{hanako}')",
        ):
            with pytest.raises(DBAPIError, match="row-level security"):
                await database.seen_by(market.viewer(person), text(statement + " RETURNING 1"))

    async def test_a_row_is_not_given_away(self, market: Market, database: Database) -> None:
        for table in ("addresses", "user_profiles", "favorites"):
            give = text(f"UPDATE accounts.{table} SET user_id = '{market.people['hanako']}'")
            with pytest.raises(DBAPIError, match="permission denied"):
                await database.seen_by(market.viewer("taro"), give)

    async def test_identity_is_not_the_gateways_to_write(self, market: Market, database: Database) -> None:
        for column in ("cognito_sub", "id", "created_at"):
            with pytest.raises(DBAPIError, match="permission denied"):
                await database.seen_by(market.viewer("taro"), text(f"UPDATE accounts.users SET {column} = NULL"))


async def of_hanako(worker: Any, market: Market) -> list[Any]:
    hanako = market.people["hanako"]
    return [
        tuple(row)
        for table, key in (
            ("users", "id"),
            ("user_profiles", "user_id"),
            ("addresses", "user_id"),
            ("favorites", "user_id"),
        )
        for row in await worker.fetch(f"SELECT * FROM accounts.{table} WHERE {key} = $1", hanako)
    ]


class TestHowItIsSetUp:
    async def test_every_table_is_under_row_level_security_even_for_its_owner(self, owner: Any) -> None:
        tables = [
            row
            for row in await owner.fetch(RELATIONS)
            if row["kind"] in "rp" and row["name"] != "public.alembic_version"
        ]
        assert [row["name"] for row in tables if not (row["has_rls"] and row["forces_rls"])] == []
        assert {row["name"].split(".")[0] for row in tables} == set(SCHEMAS)

    async def test_partitions_grant_nothing(self, shop: Shop, owner: Any) -> None:
        partitions = [row for row in await owner.fetch(RELATIONS) if row["is_partition"]]
        assert partitions
        assert [row["name"] for row in partitions if row["grants"] is not None] == []

    async def test_views_that_run_as_the_owner_are_barriers(self, owner: Any) -> None:
        """Else a function in somebody's WHERE could look at rows that the view leaves out."""
        options = await owner.fetch(
            "SELECT c.oid::regclass::text AS name, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'v' AND n.nspname = ANY ($1)",
            SCHEMAS,
        )
        assert options
        assert [row["name"] for row in options if "security_barrier=true" not in (row["reloptions"] or [])] == []

    async def test_the_roles_own_nothing_and_pass_nothing_by(self, owner: Any) -> None:
        roles = await owner.fetch(
            "SELECT * FROM pg_roles WHERE rolname IN ('torii_app', 'torii_worker', 'torii_owner', 'torii_till')"
        )
        assert len(roles) == 4
        for role in roles:
            powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
            assert [power for power in powers if role[power]] == []
        owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = ANY ($1) AND deptype = 'o'"
        programs = [role["oid"] for role in roles if role["rolname"] != "torii_owner"]
        assert await owner.fetchval(owned, programs) == 0

    async def test_roles_are_taken_on_by_those_who_need_them_and_inherited_by_nobody(self, owner: Any) -> None:
        found = await owner.fetch(
            "SELECT roleid::regrole::text AS role, member::regrole::text AS member, inherit_option, set_option, admin_option"
            " FROM pg_auth_members WHERE roleid::regrole::text LIKE 'torii%' OR member::regrole::text LIKE 'torii%'"
        )
        assert {tuple(row) for row in found} == {
            *(("torii_till", member, False, True, False) for member in ("torii_app", "torii_worker")),
            ("torii_capture", "torii_worker", False, True, False),
        }
        can_login = await owner.fetchval(
            "SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname IN ('torii_till', 'torii_capture')"
        )
        assert can_login is False

    async def test_functions_that_run_as_the_owner_are_closed_and_look_nowhere_else(self, owner: Any) -> None:
        functions = await owner.fetch(
            "SELECT oid::regprocedure::text AS name, proconfig, proacl IS NULL OR proacl::text ~ '[{,]=' AS is_public"
            " FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text <> 'pg_catalog'"
        )
        assert functions
        assert [row["name"] for row in functions if row["is_public"]] == []
        assert [
            row["name"] for row in functions if "search_path=pg_catalog, pg_temp" not in (row["proconfig"] or [])
        ] == []

    async def test_a_type_of_the_workers_own_does_not_run_as_the_owner(self, shop: Shop) -> None:
        """pg_temp comes last in such functions; the trap would raise if it were looked into first."""
        await shop.connection.execute("CREATE DOMAIN pg_temp.date AS pg_catalog.date CHECK (VALUE IS NULL)")
        await shop.connection.execute("CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid CHECK (VALUE IS NULL)")
        made = "SELECT orders.ensure_month('2029-01-15'::pg_catalog.date)"
        assert await shop.connection.fetchval(made) in (True, False)

    async def test_a_viewer_without_a_user_is_nobody(self, market: Market, database: Database) -> None:
        assert await database.seen_by(Viewer(market.viewer("hanako").role, None), select(users.c.id)) == []
