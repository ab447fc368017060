"""Servers built by `make servers`, for suites marked `servers`: each started once a session, when a test asks for it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: waiting for a busy disk would be nearly all the time some suites take."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="torii-tests-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@asynccontextmanager
async def started(server: Server, folders: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server's address. Skips, saying why, where it is not built. Its log stays in pytest's folder."""
    try:
        server.recipe.built()
    except NotHere as reason:
        pytest.skip(str(reason))
    with memory_folder() as data:
        async with running(server, folders.mktemp(server.recipe.name), data) as url:
            yield url


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
