"""A process that was asked to stop, and still serves."""

from dataclasses import dataclass


@dataclass(slots=True)
class Draining:
    """Set by the server when it is asked to stop, read by the health that the load balancer asks for."""

    has_begun: bool = False
