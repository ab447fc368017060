"""Imports have a corner of their own: their tests count every row there is."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pyarrow.compute as pc
import pytest

from settings import Settings
from tests.backends import settings_of
from tests.conftest import IMPORTS, Corners
from tests.imports.books import FORGET, Books
from tests.imports.invoice_rows import file_of, sample_table


@pytest.fixture(scope="session")
def settings(corners: Corners) -> Settings:
    return settings_of(corners[IMPORTS])


@pytest.fixture
async def books(settings: Settings) -> AsyncIterator[Books]:
    url = settings.database_worker_url.get_secret_value()
    connection = await asyncpg.connect(url)
    await connection.execute(FORGET)
    yield Books(url, connection)
    await connection.execute(FORGET)
    await connection.close()


@pytest.fixture
def months(tmp_path: Path) -> Callable[[str, str], Path]:
    """Makes a file of the sample's rows from one day to before another."""

    def cut(since: str, until: str) -> Path:
        table, path = sample_table(), tmp_path / f"{since}-{until}.parquet"
        days = table["InvoiceDate"]
        file_of(table.filter(pc.and_(pc.greater_equal(days, since), pc.less(days, until))), path)
        return path

    return cut
