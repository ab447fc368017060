"""What commands and workers do to the whole marketplace, as the worker role: with a job's patience, and seeing every row."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.aws.clients import Aws
from adapters.cognito.admins import CognitoAdmins
from adapters.cognito.directory import CognitoDirectory
from adapters.cognito.removal import CognitoRemoval
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.features import DynamoFeatures
from adapters.dynamodb.preferences import DynamoPreferences
from adapters.dynamodb.sessions import DynamoSessions
from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.accounts_admins import PostgresAdmins
from adapters.postgres.accounts_deletion import PostgresDeletions
from adapters.postgres.accounts_repair import PostgresUserRows
from adapters.postgres.accounts_suspension import PostgresSuspensions
from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.sellers import PostgresSellers
from adapters.redis.client import RedisClient, connect
from adapters.redis.sessions import CachedSessions
from adapters.redis.viewed import RedisViews
from composition.cloud import open_aws, user_pool
from composition.database import worker_database
from composition.search_index import open_index
from composition.search_upkeep import marketplace_documents
from domain.accounts.admins import Admins
from domain.accounts.deletion import AccountDeletion, Eraser
from domain.accounts.looks import Onlooker
from domain.accounts.sessions import Sessions
from domain.accounts.suspension import UserSuspension
from domain.carts.model import CartOwner, OwnerKind
from domain.catalog.service import Catalog
from domain.orders.service import OrderDesk
from domain.recommendations.service import Recommendations
from domain.search.documents import MarketplaceDocuments
from domain.search.service import Search
from domain.sellers.service import Sellers
from domain.shared.clock import Clock, SystemClock
from domain.shared.viewer import Role, Viewer
from settings import Settings, require

JOB_TIMEOUT_MS = 60_000
JOB_REDIS_MS = 5_000


def account_deletion(
    database: Database, aws: Aws, prefix: str, redis: RedisClient, pool_id: str, clock: Clock
) -> AccountDeletion:
    """Every store that keeps something of a user, and how it is erased there."""
    views, preferences = RedisViews(redis), DynamoPreferences(aws, prefix)
    carts = DynamoCarts(aws, prefix, clock)
    sessions = Sessions(CachedSessions(DynamoSessions(aws, prefix, clock), redis), clock)
    erasers: dict[str, Eraser] = {
        "cart": lambda user: carts.forget(CartOwner(OwnerKind.USER, user)),
        "preferences": preferences.forget,
        "recently viewed": lambda user: views.forget(Onlooker(user, None)),
        "orders": OrderDesk(PostgresOrders(database)).forget_buyer,
        "sellers": Sellers(PostgresSellers(database)).forget_member,
        "sessions": lambda user: sessions.revoke_all(Viewer(Role.USER, user)),
    }
    return AccountDeletion(PostgresDeletions(database), CognitoRemoval(aws, pool_id), erasers, clock)


@asynccontextmanager
async def open_deletions(settings: Settings) -> AsyncIterator[AccountDeletion]:
    """For the command that finishes what was interrupted, as the worker role, with a job's patience."""
    require(settings, "database_worker_url", "redis_url")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(worker_database(settings, 2, JOB_TIMEOUT_MS))
        aws = await stack.enter_async_context(open_aws(settings, JOB_TIMEOUT_MS))
        connected = connect(settings.redis_url.get_secret_value(), timeout_ms=JOB_REDIS_MS)
        stack.push_async_callback(connected.aclose)
        redis = RedisClient(connected, timeout_ms=JOB_REDIS_MS)
        pool = await user_pool(settings, aws)
        yield account_deletion(database, aws, settings.dynamodb_table_prefix, redis, pool.pool_id, SystemClock())


@asynccontextmanager
async def open_suspension(settings: Settings) -> AsyncIterator[UserSuspension]:
    """For operators, as the worker role."""
    async with worker_database(settings, 1, JOB_TIMEOUT_MS) as database:
        yield UserSuspension(PostgresSuspensions(database), SystemClock())


def admins(database: Database, aws: Aws, pool_id: str) -> Admins:
    """Who is an admin, with the database as the worker role."""
    directory = CognitoDirectory(aws, pool_id)
    return Admins(PostgresAdmins(database), CognitoAdmins(aws, pool_id), directory, PostgresUsers(database))


@asynccontextmanager
async def open_admins(settings: Settings) -> AsyncIterator[Admins]:
    """For operators, as the worker role."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(worker_database(settings, 1, JOB_TIMEOUT_MS))
        aws = await stack.enter_async_context(open_aws(settings, JOB_TIMEOUT_MS))
        yield admins(database, aws, (await user_pool(settings, aws)).pool_id)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What works on the whole marketplace, as the worker role, which sees every row."""

    search: Search
    documents: MarketplaceDocuments
    recommendations: Recommendations
    baskets: PostgresOrders
    user_rows: PostgresUserRows
    aws: Aws


@asynccontextmanager
async def open_jobs(settings: Settings) -> AsyncIterator[Jobs]:
    """Adapters and services for seeding, imports and other long work: their calls may take a minute."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(worker_database(settings, 4, JOB_TIMEOUT_MS))
        aws = await stack.enter_async_context(open_aws(settings, JOB_TIMEOUT_MS))
        index = await stack.enter_async_context(open_index(settings))
        catalog = Catalog(PostgresProducts(database), PostgresBrands(database), PostgresCategories(database))
        yield Jobs(
            Search(index),
            marketplace_documents(database),
            Recommendations(DynamoFeatures(aws, settings.dynamodb_table_prefix, clock), catalog, clock),
            PostgresOrders(database),
            PostgresUserRows(database),
            aws,
        )
