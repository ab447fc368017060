"""AWS for the tests of what speaks to the user pool: the emulator, and a pool for each file of tests and worker."""

from collections.abc import AsyncIterator

import pytest

from adapters.aws.clients import Aws
from settings import Settings


@pytest.fixture(scope="module")
async def aws(settings: Settings) -> AsyncIterator[Aws]:
    async with Aws(settings.aws_region, settings.aws_endpoint_url, timeout_ms=5000) as aws:
        yield aws


@pytest.fixture(scope="module")
def pool_name(settings: Settings, request: pytest.FixtureRequest) -> str:
    """Of a pool that nobody else uses: the emulator is everybody's."""
    return settings.dynamodb_table_prefix + request.path.stem
