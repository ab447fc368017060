"""What is noted of each operation: a figure of how long it took and how it ended, and a line in the log if it was long.

Never what was in it.
"""

import asyncio
import logging
import time
from types import TracebackType
from typing import Any

from graphql import OperationDefinitionNode

from engine.watching.metrics import Metrics

log = logging.getLogger("torii.operations")


class observed:  # noqa: N801  (used as a function is)
    """Around an operation: what is known of it so far. A context may say by its attribute `user_id` whose it is."""

    __slots__ = ("_context", "_metrics", "_slow_ms", "began", "codes", "cost", "kind", "outcome", "ready")

    def __init__(self, context: Any, slow_ms: int, metrics: Metrics) -> None:
        self.kind: str | None = None
        self.cost: int | None = None
        self.codes: list[str] = []
        self.began = time.perf_counter()
        self.ready: float | None = None
        """When it was about to run: read, priced and admitted."""
        self._context = context
        self._slow_ms = slow_ms
        self._metrics = metrics
        self.outcome = "refused"
        """As metrics tell it: ok, errors, refused or cancelled."""

    def is_ready(self) -> None:
        self.ready = time.perf_counter()

    def timing(self) -> str:
        """The value of the header `Server-Timing` (W3C), in milliseconds: until it was ready, and what it took to run."""
        now = time.perf_counter()
        ready = now if self.ready is None else self.ready
        return f"prepare;dur={(ready - self.began) * 1000:.2f}, run;dur={(now - ready) * 1000:.2f}"

    def is_operation(self, operation: OperationDefinitionNode) -> None:
        self.kind = operation.operation.value

    def answered(self, body: dict[str, Any]) -> None:
        """Takes note of the codes of the errors in an answer, each once."""
        if "data" in body:
            self.outcome = "errors" if "errors" in body else "ok"
        if "errors" in body:
            codes = (error.get("extensions", {}).get("code", "") for error in body["errors"] or ())
            self.codes = list(dict.fromkeys(map(str, codes)))

    def __enter__(self) -> "observed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            self.codes, self.outcome = ["CANCELLED"], "cancelled"
        took_s = time.perf_counter() - self.began
        self._metrics.operation(self.kind or "unknown", self.outcome, took_s)
        took_ms = took_s * 1000
        if took_ms >= self._slow_ms:
            _write(self, self._context, took_ms)


def _write(operation: observed, context: Any, took_ms: float) -> None:
    fields = {
        "operationType": operation.kind,
        "durationMs": round(took_ms, 1),
        "outcome": operation.codes or "ok",
        "cost": operation.cost,
        "userId": getattr(context, "user_id", None),
    }
    log.info("operation took %.0f ms", took_ms, extra={"fields": fields})
