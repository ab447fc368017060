"""A line in the log for each operation that took long: what it was, how long, and how it ended. Never what was in it."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationDefinitionNode

log = logging.getLogger("torii.operations")


@dataclass(slots=True)
class Observed:
    """What is known of an operation so far."""

    kind: str | None = None
    cost: int | None = None
    codes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    ready: float | None = None
    """When it was about to run: read, priced and admitted."""

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
        codes = (error.get("extensions", {}).get("code", "") for error in body.get("errors") or ())
        self.codes = list(dict.fromkeys(map(str, codes)))


@contextmanager
def observed(context: Any, slow_ms: int) -> Iterator[Observed]:
    """Around an operation. A context may say by its attribute `user_id` whose it is."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    operation = Observed()
    try:
        yield operation
    except asyncio.CancelledError:
        operation.codes = ["CANCELLED"]
        raise
    finally:
        took_ms = (loop.time() - began) * 1000
        if took_ms >= slow_ms:
            _write(operation, context, took_ms)


def _write(operation: Observed, context: Any, took_ms: float) -> None:
    fields = {
        "operationType": operation.kind,
        "durationMs": round(took_ms, 1),
        "outcome": operation.codes or "ok",
        "cost": operation.cost,
        "userId": getattr(context, "user_id", None),
    }
    log.info("operation took %.0f ms", took_ms, extra={"fields": fields})
