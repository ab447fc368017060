"""DynamoDB for the suites of the ports that are kept in it: the emulator's, and Amazon's own where it is built."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.aws.clients import Aws
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.tables import ensure_tables
from settings import Settings
from tests.backends import settings_of
from tests.contract.search_shop import search_index, shopper
from tests.watch import Watch

__all__ = ["search_index", "shopper"]

DYNAMODBS = ["moto", pytest.param("dynamodb-local", marks=pytest.mark.servers)]


@pytest.fixture(scope="session", params=DYNAMODBS)
def settings(request: pytest.FixtureRequest, corner: dict[str, str]) -> Settings:
    """Settings of this worker's corner, whose DynamoDB is each of them in turn."""
    if request.param == "moto":
        return settings_of(corner)
    return settings_of(corner, aws_endpoint_url=request.getfixturevalue("dynamodb_local"))


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
