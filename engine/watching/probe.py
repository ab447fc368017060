"""What one run did and when, for whoever asks why it is slow: fields that loaded something, and the loads themselves.

Only names, counts and times: nothing that a client sent, nothing that was loaded. A run that nobody asks about has no
probe, which costs it a test for None a field.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
BY_PLAN, BY_CORE = "plan", "graphql-core"
MAX_SPANS = 1_000
"""That are written down; the others are counted."""


@dataclass(slots=True)
class Span:
    """A field, or a load. `count` is the values that a field was asked of, or the keys of a load. Times in milliseconds."""

    name: str
    kind: str
    count: int
    at: float
    took: float = 0
    inside: list["Span"] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"name": self.name, "kind": self.kind, "count": self.count}
        told |= {"atMs": round(self.at, 3), "tookMs": round(self.took, 3)}
        return told | ({"inside": [span.as_json() for span in self.inside]} if self.inside else {})


_current: ContextVar[Span | None] = ContextVar("span", default=None)


class Probe:
    """The spans of one run, each within the one that it was begun for."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._root = Span("", "run", 1, 0)
        self._spans = self._omitted = 0
        self.ran_by = BY_CORE
        """Which engine ran the operation."""

    async def around(self, name: str, kind: str, count: int, work: Awaitable[T]) -> T:
        """What the work gives, with a span around it."""
        span = Span(name, kind, count, self._now())
        self._spans += 1
        if self._spans <= MAX_SPANS:
            (_current.get() or self._root).inside.append(span)
        else:
            self._omitted += 1
        token = _current.set(span)
        try:
            return await work
        finally:
            _current.reset(token)
            span.took = self._now() - span.at

    def batch(
        self, name: str, batch: Callable[..., Awaitable[Sequence[Any]]]
    ) -> Callable[..., Awaitable[Sequence[Any]]]:
        """A batch function, with a span around each of its calls."""

        async def watched(keys: Sequence[Any], **arguments: Any) -> Sequence[Any]:
            return await self.around(name, "load", len(keys), batch(keys, **arguments))

        return watched

    def as_json(self) -> dict[str, Any]:
        """`extensions.trace`: by whom it ran, the steps, and how many more there were than are told."""
        told: dict[str, Any] = {"ranBy": self.ran_by, "tookMs": round(self._now(), 3)}
        told["steps"] = [span.as_json() for span in self._root.inside]
        return told | ({"omitted": self._omitted} if self._omitted else {})

    def _now(self) -> float:
        return (time.perf_counter() - self._began) * 1000
