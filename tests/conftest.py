"""Every test session has its own back ends; `settings` leads a test to its worker's corner of them."""

import os
from typing import Any

import pytest

from settings import Settings
from tests.backends import SessionBackends, settings_of

BACKENDS = pytest.StashKey[SessionBackends]()
CORNER = pytest.StashKey[dict[str, str]]()
FIXTURE = "corner"


def pytest_configure(config: pytest.Config) -> None:
    # what the developer's own shell says must not reach a test
    for name in [name for name in os.environ if name.startswith(("TORII_", "AWS_")) or name in ("PORT", "DATA_DIR")]:
        del os.environ[name]
    handed_over = getattr(config, "workerinput", {}).get(FIXTURE)
    if handed_over:
        _use(config, handed_over)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the controller, for each worker before it starts."""
    node.workerinput[FIXTURE] = _started(node.config).corner(node.gateway.id)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without xdist: start what is needed before any event loop runs, and only if a test asks for it."""
    config = session.config
    if config.option.collectonly or CORNER in config.stash or _is_controller(config):
        return
    if any(FIXTURE in getattr(item, "fixturenames", ()) for item in session.items):
        _use(config, _started(config).corner("one"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if BACKENDS in config.stash:
        config.stash[BACKENDS].stop()
        del config.stash[BACKENDS]


@pytest.fixture(scope="session")
def corner(pytestconfig: pytest.Config) -> dict[str, str]:
    """Addresses of this worker's corner as `TORII_…` and `AWS_…` variables."""
    return pytestconfig.stash[CORNER]


@pytest.fixture(scope="session")
def settings(corner: dict[str, str]) -> Settings:
    """Settings that lead to this worker's own database, tables and keys on the session's back ends."""
    return settings_of(corner)


def _started(config: pytest.Config) -> SessionBackends:
    if BACKENDS not in config.stash:
        from adapters.postgres.migrate import upgrade  # slow, and for the controller alone

        backends = config.stash[BACKENDS] = SessionBackends()
        backends.start(upgrade)
    return config.stash[BACKENDS]


def _use(config: pytest.Config, corner: dict[str, str]) -> None:
    config.stash[CORNER] = corner
    # boto3 looks for its keys nowhere else
    os.environ.update({name: value for name, value in corner.items() if name.startswith("AWS_")})


def _is_controller(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")
