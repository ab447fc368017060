"""Imports have a corner of their own: their tests count every row there is."""

import pytest

from settings import Settings
from tests.backends import settings_of
from tests.conftest import IMPORTS, Corners


@pytest.fixture(scope="session")
def settings(corners: Corners) -> Settings:
    return settings_of(corners[IMPORTS])
