"""Connections to the worker's own database, one for each role, and a server of our own for databases made from nothing."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.postgres.database import Database
from infra.embedded.postgres import Postgres
from settings import Settings
from tests.own_postgres import own_postgres
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop, connect


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Any]:
    connection = await connect(settings.database_owner_url.get_secret_value())
    yield connection
    await connection.close()


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Any]:
    connection = await connect(settings.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Any]:
    connection = await connect(settings.database_url.get_secret_value())
    yield connection
    await connection.close()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """With one connection for each kind of read or write, so that what one has left behind is met by the next."""
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    yield database
    await database.close()


@pytest.fixture
def shop(worker: Any) -> Shop:
    return Shop(worker)


@pytest.fixture
async def shelf(shop: Shop) -> Shelf:
    return Shelf(shop, await shop.seller(), await shop.category())


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database as each role reaches it."""

    owner: str
    worker: str
    app: str


class Server:
    """A PostgreSQL whose databases are as infra/embedded/bootstrap.sql leaves them: empty."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._numbers = itertools.count()

    async def new_database(self) -> Addresses:
        name = f"torii_{next(self._numbers)}"
        await self._postgres.bootstrap(name)
        return Addresses(*(self._postgres.url(role, name) for role in ("torii_owner", "torii_worker", "torii_app")))

    def superuser_url(self, database: str) -> str:
        return self._postgres.url("postgres", database)

    async def as_superuser(self, sql: str) -> None:
        connection = await connect(self._postgres.url("postgres", "postgres"))
        await connection.execute(sql)
        await connection.close()


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[Server]:
    async with own_postgres() as postgres:
        yield Server(postgres)
