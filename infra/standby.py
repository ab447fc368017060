"""The gateway's process under `torii up`: it gets ready while its back ends start, for imports take longer than servers do.

    python -m infra.standby

Once everything is imported it waits for the word on standard input, then serves. Without cli.py, which it has no use for.
"""

import gc
import sys
from importlib import import_module

GO = "go"
SLOW_MODULES = ("gateway", "infra.serve")


def wait_for_go() -> bool:
    """Import what takes long, then wait for the word. False: who started us is gone."""
    gc.disable()  # what is imported stays: looking for garbage among it takes a tenth of the time
    for module in SLOW_MODULES:
        import_module(module)
    gc.enable()
    return sys.stdin.readline().strip() == GO


def main() -> None:
    if not wait_for_go():
        return
    from infra.serve import serve
    from settings.loading import load

    serve(load())


if __name__ == "__main__":
    main()
