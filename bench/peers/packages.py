"""The npm packages of the peers."""

from collections.abc import Callable
from pathlib import Path

from infra.npm import LISTS, NoNode, node
from infra.npm import installed as installed_npm

NODE_DIR = Path(__file__).with_name("node")

__all__ = ["LISTS", "NODE_DIR", "NoNode", "installed", "node"]


def installed(say: Callable[[str], None]) -> Path:
    """The folder `node_modules`, made with the first call. Raises NoNode."""
    return installed_npm(NODE_DIR, "peers", say)
