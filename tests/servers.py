"""Servers built by `make servers`, for suites marked `servers`: each started once a session, when a test asks for it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from infra.servers.refusals import NotHere
from infra.servers.running import (
    DYNAMODB_LOCAL,
    OPENSEARCH_SERVER,
    STRIPE_MOCK_SERVER,
    TOXIPROXY_SERVER,
    Server,
    running,
)


@asynccontextmanager
async def started(server: Server, folders: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server's address. Skips, saying why, where it is not built. Its log stays in pytest's folder."""
    try:
        server.recipe.built()
    except NotHere as reason:
        pytest.skip(str(reason))
    folder = folders.mktemp(server.recipe.name)
    async with running(server, folder) as url:
        yield url
    for data in folder.glob("*-data"):
        shutil.rmtree(data)


@pytest_asyncio.fixture(scope="session")
async def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with started(DYNAMODB_LOCAL, tmp_path_factory) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def opensearch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with started(OPENSEARCH_SERVER, tmp_path_factory) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def stripe_mock(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with started(STRIPE_MOCK_SERVER, tmp_path_factory) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def toxiproxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of its HTTP API."""
    async with started(TOXIPROXY_SERVER, tmp_path_factory) as url:
        yield url
