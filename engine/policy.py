"""What an executor allows."""

from dataclasses import dataclass, field
from pathlib import Path

from engine.compiled.engine import COMPILE_AT
from engine.reading.bounds import Limits


@dataclass(frozen=True, slots=True)
class Policy:
    """What an executor allows. `hints`: whether errors name what may have been meant.

    `slow_ms`: from when on an operation gets a line in the log.
    """

    timeout_s: float
    limits: Limits = field(default_factory=Limits)
    introspection: bool = True
    hints: bool = True
    compile_at: int | None = COMPILE_AT
    """The time at which an operation is compiled; None leaves all of them to graphql-core."""
    manifest: Path | None = None
    """Of trusted documents."""
    only_trusted: bool = False
    automatic: bool = True
    """Whether clients may register documents by their hash."""
    slow_ms: int = 1_000
    shadow_share: float = 0
    """Of the queries that plans ran: how many are run once more, on graphql-core, and compared."""
    traces: bool = False
    """Whether anybody may see how an operation ran; otherwise it takes a context whose `may_trace` is true."""
