"""A process that was asked to stop, and still serves."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Draining:
    """Set by the server when it is asked to stop, read by the health that the load balancer asks for."""

    has_begun: bool = False
    when_stopping: list[Callable[[], None]] = field(default_factory=list)
    """Called once no more requests are taken: to end what would not end by itself."""
