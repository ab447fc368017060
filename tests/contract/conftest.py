"""DynamoDB for the suites of the ports that are kept in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.aws.clients import Aws
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.tables import ensure_tables
from settings import Settings
from tests.contract.watch import Watch


@pytest_asyncio.fixture(scope="session")
async def aws(settings: Settings) -> AsyncIterator[Aws]:
    # sixty changes at once take the emulator seconds
    async with Aws(settings.aws_region, settings.aws_endpoint_url, timeout_ms=30_000) as opened:
        await ensure_tables(opened, settings.dynamodb_table_prefix)
        yield opened


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def carts(aws: Aws, settings: Settings, watch: Watch) -> DynamoCarts:
    return DynamoCarts(aws, settings.dynamodb_table_prefix, watch)
