"""A line in the log for each operation that took long: what it was, how long, and how it ended. Never what was in it."""

import asyncio
import logging
import time
from types import TracebackType
from typing import Any

from graphql import OperationDefinitionNode

log = logging.getLogger("torii.operations")


class observed:  # noqa: N801  (used as a function is)
    """Around an operation: what is known of it so far. A context may say by its attribute `user_id` whose it is."""

    __slots__ = ("_context", "_slow_ms", "began", "codes", "cost", "kind", "ready")

    def __init__(self, context: Any, slow_ms: int) -> None:
        self.kind: str | None = None
        self.cost: int | None = None
        self.codes: list[str] = []
        self.began = time.perf_counter()
        self.ready: float | None = None
        """When it was about to run: read, priced and admitted."""
        self._context = context
        self._slow_ms = slow_ms

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
        if "errors" in body:
            codes = (error.get("extensions", {}).get("code", "") for error in body["errors"] or ())
            self.codes = list(dict.fromkeys(map(str, codes)))

    def __enter__(self) -> "observed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            self.codes = ["CANCELLED"]
        took_ms = (time.perf_counter() - self.began) * 1000
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
