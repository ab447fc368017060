"""Every test session has its own back ends; `settings` leads a test to its worker's corner of them."""

import os
from typing import Any

import pytest
from hypothesis import settings as examples

from settings import Settings
from tests.backends import SessionBackends, settings_of
from tests.servers import dynamodb_local, opensearch, stripe_mock, toxiproxy

__all__ = ["dynamodb_local", "opensearch", "stripe_mock", "toxiproxy"]

Corners = dict[str, dict[str, str]]
SHARED, DEMO, IMPORTS, EVENTS = "shared", "demo", "imports", "events"
"""Where tests make what they need; for the demo marketplace alone; for imports alone, whose tests count everything; for those
that relay events, and would relay those of all others."""

BACKENDS = pytest.StashKey[SessionBackends]()
CORNERS = pytest.StashKey[Corners]()
FIXTURE = "corners"


def pytest_configure(config: pytest.Config) -> None:
    examples.register_profile("torii", deadline=None)  # how fast an example is depends on what else the machine does
    examples.load_profile("torii")
    # what the developer's own shell says must not reach a test
    for name in [name for name in os.environ if name.startswith(("TORII_", "AWS_")) or name in ("PORT", "DATA_DIR")]:
        del os.environ[name]
    handed_over = getattr(config, "workerinput", {}).get(FIXTURE)
    if handed_over:
        _use(config, handed_over)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the controller, for each worker before it starts."""
    node.workerinput[FIXTURE] = _corners(node.config, node.gateway.id)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without xdist: start what is needed before any event loop runs, and only if a test asks for it."""
    config = session.config
    if config.option.collectonly or CORNERS in config.stash or _is_controller(config):
        return
    if any(FIXTURE in getattr(item, "fixturenames", ()) for item in session.items):
        _use(config, _corners(config, "one"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if BACKENDS in config.stash:
        config.stash[BACKENDS].stop()
        del config.stash[BACKENDS]


@pytest.fixture(scope="session")
def corners(pytestconfig: pytest.Config) -> Corners:
    """Addresses of this worker's corners as `TORII_…` and `AWS_…` variables, by name."""
    return pytestconfig.stash[CORNERS]


@pytest.fixture(scope="session")
def corner(corners: Corners) -> dict[str, str]:
    """The corner in which tests make what they need."""
    return corners[SHARED]


@pytest.fixture(scope="session")
def settings(corner: dict[str, str]) -> Settings:
    """Settings that lead to this worker's own database, tables and keys on the session's back ends."""
    return settings_of(corner)


@pytest.fixture(scope="session")
def demo_settings(corners: Corners) -> Settings:
    """Settings of a corner that is for the demo marketplace alone: nothing else is ever written there."""
    return settings_of(corners[DEMO])


def _started(config: pytest.Config) -> SessionBackends:
    if BACKENDS not in config.stash:
        from adapters.postgres.migrate import upgrade  # slow, and for the controller alone

        backends = config.stash[BACKENDS] = SessionBackends()
        backends.start(upgrade)
    return config.stash[BACKENDS]


def _corners(config: pytest.Config, worker: str) -> Corners:
    backends = _started(config)
    own = {name: backends.corner(f"{worker}_{name}") for name in (DEMO, IMPORTS, EVENTS)}
    return {SHARED: backends.corner(worker), **own}


def _use(config: pytest.Config, corners: Corners) -> None:
    config.stash[CORNERS] = corners
    # boto3 looks for its keys nowhere else
    os.environ.update({name: value for name, value in corners[SHARED].items() if name.startswith("AWS_")})


def _is_controller(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")
