"""Getting the gateway ready while its back ends start: imports take longer than servers do."""

import sys
from importlib import import_module

GO = "go"
SLOW_MODULES = ("gateway", "infra.serve")


def wait_for_go() -> bool:
    """Import what takes long, then wait for the word on standard input. False: who started us is gone."""
    for module in SLOW_MODULES:
        import_module(module)
    return sys.stdin.readline().strip() == GO
