"""The composition root: settings -> adapters -> domain services -> ASGI app. The only file that knows everything."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from adapters.aws.clients import Aws
from adapters.cognito.directory import CognitoDirectory
from adapters.cognito.issuer import EMULATOR_KID, issuer_of, jwks_url_of
from adapters.cognito.keys import KeySet
from adapters.cognito.pool import Pool, check_pool, ensure_pool
from adapters.cognito.tokens import CognitoTokens
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.features import DynamoFeatures
from adapters.dynamodb.tables import check_tables
from adapters.guests import GuestTokens
from adapters.health import BackEnd, Health, as_json
from adapters.images.svg import logo_svg, product_svg
from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.changes import CatalogChanges
from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.reviews import PostgresReviews
from adapters.postgres.sellers import PostgresSellers
from adapters.redis.cache import Missed, VersionedCache, connect
from adapters.redis.catalog import CachedCategories, CachedProducts, CatalogCache
from adapters.tantivy.analysis import Analyzer
from adapters.tantivy.index import TantivyIndex
from domain.accounts.service import Accounts
from domain.carts.service import CartDesk
from domain.catalog.service import Catalog
from domain.orders.service import OrderDesk
from domain.recommendations.service import Recommendations
from domain.reviews.service import ReviewBoard
from domain.search.documents import MarketplaceDocuments
from domain.search.service import Search
from domain.sellers.service import Sellers
from domain.shared.clock import SystemClock
from engine import graphiql
from engine.execution import Executor
from engine.http import GraphQLHTTP
from engine.websocket import GraphQLWebSocket
from infra.draining import Draining
from resolvers.context import Context
from resolvers.errors import explain
from resolvers.requests import Contexts
from resolvers.services import Services
from schema.build import build_schema
from schema.examples import EXAMPLES
from settings import Mode, Settings

GRAPHQL_PATHS = ("/graphql", "/api/graphql")
GRAPHIQL_ASSETS = "/graphiql"
JOB_TIMEOUT_MS = 60_000

POOL_NAME = "torii"
"""The user pool that is found, or made, where the settings name none: the emulator's."""


@dataclass(frozen=True, slots=True)
class Marketplace:
    """Everything that serves requests, open."""

    services: Services
    guests: GuestTokens
    health: Health


@asynccontextmanager
async def open_marketplace(settings: Settings) -> AsyncIterator[Marketplace]:
    """Adapters and services for the gateway, closed in the other order."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = Database(
            settings.database_url.get_secret_value(),
            replica_url=settings.database_replica_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            timeout_ms=settings.database_timeout_ms,
        )
        stack.push_async_callback(database.close)
        aws = await stack.enter_async_context(open_aws(settings))
        redis = connect(settings.redis_url.get_secret_value(), timeout_ms=settings.redis_timeout_ms)
        stack.push_async_callback(redis.aclose)
        values = VersionedCache(redis, namespace="catalog", timeout_ms=settings.redis_timeout_ms)
        cache = CatalogCache(values)
        index = TantivyIndex(settings.search_dir, Analyzer())
        stack.push_async_callback(index.close)
        pool = await user_pool(settings, aws)
        keys = await stack.enter_async_context(key_set(settings, pool, clock))

        sellers = Sellers(PostgresSellers(database))
        catalog = Catalog(
            CachedProducts(PostgresProducts(database), cache),
            PostgresBrands(database),
            CachedCategories(PostgresCategories(database), cache),
        )
        tokens = CognitoTokens(keys, issuer_of(settings.aws_region, pool.pool_id), pool.client_id, clock)
        services = Services(
            accounts=Accounts(tokens, CognitoDirectory(aws, pool.pool_id), PostgresUsers(database), sellers),
            carts=CartDesk(DynamoCarts(aws, settings.dynamodb_table_prefix, clock), catalog, clock),
            catalog=catalog,
            orders=OrderDesk(PostgresOrders(database)),
            recommendations=Recommendations(DynamoFeatures(aws, settings.dynamodb_table_prefix, clock), catalog, clock),
            reviews=ReviewBoard(PostgresReviews(database)),
            search=Search(index),
            sellers=sellers,
        )
        health = Health(
            [
                BackEnd("postgres", database.version, "check TORII_DATABASE_URL and the server; then `torii migrate`"),
                BackEnd("redis", values.version, "check TORII_REDIS_URL; the gateway works without, only slower"),
                BackEnd(
                    "dynamodb",
                    lambda: check_tables(aws, settings.dynamodb_table_prefix),
                    "check AWS credentials and region; then `torii migrate`",
                ),
                BackEnd(
                    "cognito",
                    lambda: check_pool(aws, pool.pool_id),
                    "check TORII_COGNITO_USER_POOL_ID; known keys go on serving",
                ),
                BackEnd("search", index.check, "run `torii seed` or import data, which build the index"),
            ]
        )
        changes = CatalogChanges(settings.database_url.get_secret_value(), cache, Missed)
        await stack.enter_async_context(running(changes.run()))
        yield Marketplace(services, GuestTokens(settings.secret_key.get_secret_value(), clock), health)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What works on the whole marketplace, as the worker role, which sees every row."""

    search: Search
    documents: MarketplaceDocuments
    recommendations: Recommendations
    baskets: PostgresOrders


@asynccontextmanager
async def open_jobs(settings: Settings) -> AsyncIterator[Jobs]:
    """Adapters and services for seeding, imports and other long work: their calls may take a minute."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = Database(settings.database_worker_url.get_secret_value(), pool_size=4, timeout_ms=JOB_TIMEOUT_MS)
        stack.push_async_callback(database.close)
        aws = await stack.enter_async_context(open_aws(settings, JOB_TIMEOUT_MS))
        index = TantivyIndex(settings.search_dir, Analyzer())
        stack.push_async_callback(index.close)
        catalog = Catalog(PostgresProducts(database), PostgresBrands(database), PostgresCategories(database))
        yield Jobs(
            Search(index),
            MarketplaceDocuments(catalog, Sellers(PostgresSellers(database)), ReviewBoard(PostgresReviews(database))),
            Recommendations(DynamoFeatures(aws, settings.dynamodb_table_prefix, clock), catalog, clock),
            PostgresOrders(database),
        )


def open_aws(settings: Settings, timeout_ms: int | None = None) -> Aws:
    return Aws(settings.aws_region, settings.aws_endpoint_url, timeout_ms or settings.dynamodb_timeout_ms)


async def user_pool(settings: Settings, aws: Aws) -> Pool:
    """The pool that the settings name, else the emulator's."""
    if settings.cognito_user_pool_id:
        return Pool(settings.cognito_user_pool_id, settings.cognito_client_id)
    return await ensure_pool(aws, POOL_NAME)


def key_set(settings: Settings, pool: Pool, clock: SystemClock) -> KeySet:
    url = settings.cognito_jwks_url or jwks_url_of(settings.aws_region, pool.pool_id, settings.aws_endpoint_url)
    return KeySet(url, clock, refuse_kids=(EMULATOR_KID,) if settings.mode is Mode.PRODUCTION else ())


@asynccontextmanager
async def running(job: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A background job for as long as the block lasts."""
    task = asyncio.create_task(job)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """Asked to stop, and still serving."""


class Gateway:
    """What the routes share, from start to stop."""

    def __init__(self, settings: Settings, draining: Draining) -> None:
        self._settings = settings
        self._draining = draining
        self._marketplace: Marketplace | None = None
        self._contexts: Contexts | None = None

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with open_marketplace(self._settings) as marketplace:
            self._marketplace = marketplace
            secure = self._settings.url.startswith("https:")
            self._contexts = Contexts(marketplace.services, marketplace.guests, secure=secure)
            yield

    @property
    def phase(self) -> Phase:
        if self._draining.has_begun:
            return Phase.DRAINING
        return Phase.STARTING if self._marketplace is None else Phase.READY

    async def http_context(self, request: Request) -> Context:
        assert self._contexts is not None
        return await self._contexts.of_request(request)

    async def websocket_context(self, websocket: WebSocket, payload: dict[str, Any]) -> Context:
        assert self._contexts is not None
        return await self._contexts.of_socket(websocket, payload)

    async def alive(self, _request: Request) -> Response:
        """The process runs."""
        return JSONResponse({"status": "alive"})

    async def health(self, _request: Request) -> Response:
        """For the load balancer: a back end that is down must not take every gateway out, so it is only told."""
        if self.phase is not Phase.READY or self._marketplace is None:
            return JSONResponse({"status": self.phase}, 503)
        states = await self._marketplace.health.states()
        status = "ok" if all(state.is_up for state in states) else "degraded"
        return JSONResponse({"status": status, "backEnds": as_json(states)})


def create_app(settings: Settings, draining: Draining | None = None) -> Starlette:
    """The gateway, as an ASGI app. Its back ends open when it starts, and close when it stops."""
    gateway = Gateway(settings, draining or Draining())
    executor = Executor(
        build_schema()._schema,
        explain,
        settings.query_timeout_ms / 1000,
        introspection=settings.serves_graphiql,
    )
    http = GraphQLHTTP(executor, gateway.http_context)
    page = graphiql.page(GRAPHIQL_ASSETS, EXAMPLES) if settings.serves_graphiql else None
    endpoint = http if page is None else graphiql.WithPage(http, page)
    websocket = GraphQLWebSocket(executor, gateway.websocket_context, Context.renewed)
    return Starlette(
        lifespan=gateway.lifespan,
        routes=[
            Route("/health", gateway.alive),
            Route("/api/health", gateway.health),
            *(Route(path, endpoint) for path in GRAPHQL_PATHS),
            *(WebSocketRoute(path, websocket) for path in GRAPHQL_PATHS),
            Route("/images/products/{product_id:uuid}/{number:int}.svg", product_image),
            Route("/images/logos/{key}.svg", logo_image),
            Mount(GRAPHIQL_ASSETS, graphiql.assets()),
        ],
    )


async def product_image(request: Request) -> Response:
    return _svg(product_svg(request.path_params["product_id"], request.path_params["number"]))


async def logo_image(request: Request) -> Response:
    return _svg(logo_svg(request.path_params["key"]))


def _svg(image: bytes) -> Response:
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(image, media_type="image/svg+xml", headers=headers)
