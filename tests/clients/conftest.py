"""The gateway on a real socket, and Node.js with the clients' packages."""

from pathlib import Path

import pytest

from infra.npm import NoNode, installed, node
from tests.api.conftest import address, app, make, prepared

__all__ = ["address", "app", "make", "prepared"]

NODE_DIR = Path(__file__).with_name("node")


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts beside the packages that they import."""
    try:
        packages = installed(NODE_DIR, "clients", print)
    except NoNode as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("clients")
    (folder / "node_modules").symlink_to(packages)
    for script in [*NODE_DIR.glob("*.js"), NODE_DIR / "package.json"]:
        (folder / script.name).write_text(script.read_text())
    return folder


@pytest.fixture(scope="session")
def node_path(scripts: Path) -> Path:
    assert scripts
    return node()
