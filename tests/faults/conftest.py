"""The corner of those that relay events: nobody else's events are relayed here."""

from collections.abc import Iterator

import pytest

from settings import Settings
from tests.api.conftest import prepare
from tests.backends import settings_of
from tests.conftest import EVENTS, Corners
from tests.sandbox.running import Sandbox
from tests.sandbox.running import running as running_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("stripe") / "data") as started:
        yield started


@pytest.fixture(scope="module")
async def prepared(corners: Corners) -> Settings:
    return await prepare(settings_of(corners[EVENTS]))
