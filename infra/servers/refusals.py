"""Why a server cannot be built or started here. The text of each is the one line a person sees."""

from collections.abc import Sequence
from pathlib import Path


class NotHere(Exception):
    """The server cannot be had on this machine as it is."""


class ToolMissing(NotHere):
    """What it is built with is not installed."""

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(f"{tool} is missing: {remedy}")


class BuildFailed(NotHere):
    """A build tool gave up: mostly because no registry could be reached."""

    def __init__(self, command: str, reason: str, log: Path, last_lines: Sequence[str]) -> None:
        said = "".join(f"\n    {line}" for line in last_lines)
        super().__init__(f"{command} {reason}; its log is {log}{said}")


class NotBuilt(NotHere):
    """Nobody has built it yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not built: run `make servers`")
