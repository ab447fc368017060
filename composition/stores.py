"""The clients of all back ends, and how to ask after each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.aws.clients import OF_REQUESTS, Aws
from adapters.breaker import Breaker
from adapters.cognito.pool import check_pool
from adapters.dynamodb.tables import check_tables
from adapters.health import BackEnd, Health
from adapters.postgres.database import Database
from adapters.redis.client import RedisClient, connect, server_version
from adapters.stripe.connection import StripeConnection
from composition.cloud import open_aws, user_pool
from composition.search_index import open_index
from domain.search.ports import SearchIndex
from engine.fairness.shares import Gate
from engine.fairness.turns import turn
from engine.loading import LEVEL
from settings import Settings, require


@dataclass(frozen=True, slots=True)
class Stores:
    """The clients of all back ends, open."""

    database: Database
    aws: Aws
    redis: RedisClient
    index: SearchIndex
    stripe: StripeConnection


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Clients as a gateway uses them, with the limits of a request. Raises MissingSettings."""
    require(settings, "database_url", "redis_url", "stripe_secret_key")
    async with AsyncExitStack() as stack:
        database = Database(
            settings.database_url.get_secret_value(),
            replica_url=settings.database_replica_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            timeout_ms=settings.database_timeout_ms,
            gate_of=Gate,
            turn=turn,
            round_of=LEVEL.get,
        )
        stack.push_async_callback(database.close)
        aws = await stack.enter_async_context(open_aws(settings, breakers={each: Breaker() for each in OF_REQUESTS}))
        connected = connect(settings.redis_url.get_secret_value(), timeout_ms=settings.redis_timeout_ms)
        stack.push_async_callback(connected.aclose)
        redis = RedisClient(connected, timeout_ms=settings.redis_timeout_ms)
        index = await stack.enter_async_context(open_index(settings))
        stripe = StripeConnection(
            settings.stripe_secret_key.get_secret_value(),
            api_base=settings.stripe_api_base,
            timeout_ms=settings.stripe_timeout_ms,
        )
        stack.push_async_callback(stripe.close)
        yield Stores(database, aws, redis, index, stripe)


def health_of(settings: Settings, stores: Stores) -> Health:
    """How to ask after each back end, and what to do when one does not answer."""

    async def check_users() -> str:
        return await check_pool(stores.aws, (await user_pool(settings, stores.aws)).pool_id)

    redis_url = settings.redis_url.get_secret_value()
    return Health(
        [
            BackEnd(
                "postgres", stores.database.version, "check TORII_DATABASE_URL and the server; then `torii migrate`"
            ),
            BackEnd(
                "redis",
                lambda: server_version(redis_url),
                "check TORII_REDIS_URL; the gateway works without, only slower",
            ),
            BackEnd(
                "dynamodb",
                lambda: check_tables(stores.aws, settings.dynamodb_table_prefix),
                "check AWS credentials and region; then `torii migrate`",
            ),
            BackEnd("cognito", check_users, "check TORII_COGNITO_USER_POOL_ID; known keys go on serving"),
            BackEnd("search", stores.index.check, "check TORII_OPENSEARCH_URL, if it is set; then `torii reindex`"),
            BackEnd(
                "stripe",
                stores.stripe.check,
                "check TORII_STRIPE_SECRET_KEY, and Stripe's own status page; nothing can be paid or refunded meanwhile",
            ),
        ]
    )
