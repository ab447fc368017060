"""The gateway, running on the session's back ends, and what its tests need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette

from adapters.cognito.pool import DEMO_PASSWORD, ensure_pool, ensure_user
from commands import jobs
from composition.cloud import open_aws, token, user_pool
from domain.accounts.admins import ADMIN_GROUP
from engine.fragments.store import Store
from gateway import create_app
from settings import Settings
from tests.api.client import Client
from tests.api.sockets import serving
from tests.factories import Factory, open_factory

Tokens = Callable[[str, str], Awaitable[str]]


@pytest.fixture(scope="session")
async def prepared(settings: Settings) -> Settings:
    """Back ends with their tables, and a user pool."""
    return await prepare(settings)


async def prepare(settings: Settings) -> Settings:
    """The pool is this worker's own: two who made one of the same name at once would make two."""
    await jobs.migrate(settings)
    async with open_aws(settings, 10_000) as aws:
        pool = await ensure_pool(aws, f"{settings.dynamodb_table_prefix}api")
    of_pool = {"cognito_user_pool_id": pool.pool_id, "cognito_client_id": pool.client_id}
    # a busy test machine takes its time, which is not what these tests are about
    patient = {
        "database_timeout_ms": 10_000,
        "redis_timeout_ms": 5_000,
        "dynamodb_timeout_ms": 10_000,
        "cognito_timeout_ms": 10_000,
        "query_timeout_ms": 20_000,
        "identity_pace_ms": 0,
        "rate_limits": False,  # all of them come from one address; the limits have tests of their own
    }
    return settings.model_copy(update=of_pool | patient)


@pytest.fixture(scope="session")
async def app(prepared: Settings) -> AsyncIterator[Starlette]:
    app = create_app(prepared)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="session")
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def until_live(app: Starlette) -> None:
    """When the gateway hears of changes."""
    store: Store = app.state.fragments
    async with asyncio.timeout(60):
        while not store.is_live(store.clock()):
            await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
async def address(app: Starlette, prepared: Settings) -> AsyncIterator[str]:
    """The running gateway on a real socket."""
    async with serving(app, prepared) as host:
        yield f"ws://{host}/graphql"


@pytest.fixture
def api(http: httpx.AsyncClient) -> Client:
    """Somebody who is not signed in, and has no cookie of an earlier test."""
    http.cookies.clear()
    return Client(http)


@pytest.fixture(scope="session")
async def make(prepared: Settings) -> AsyncIterator[Factory]:
    async with open_factory(prepared.database_worker_url.get_secret_value()) as factory:
        yield factory


@pytest.fixture(scope="session")
def token_of(prepared: Settings) -> Tokens:
    """Makes a user of the pool, in a group, and signs it in."""

    async def token_of(email: str, group: str) -> str:
        async with open_aws(prepared, 10_000) as aws:
            pool = await user_pool(prepared, aws)
            await ensure_user(aws, pool, email, DEMO_PASSWORD, group)
        if group == ADMIN_GROUP:
            await jobs.grant_admin(prepared, email)
        return await token(prepared, email, DEMO_PASSWORD)

    return token_of
