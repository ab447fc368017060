"""Proves plans in production: a share of what they answered is run once more, on graphql-core, and compared.

It runs after the answer, from the plan's journal: nothing is loaded or called a second time, so what lies between the two is the
engines alone. One at a time, and none is waited for: what comes while one runs is let go.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult

from engine.fragments.rendered import written

log = logging.getLogger("torii.engine")
PAUSE_S = 0.1
"""From one to the next: graphql-core keeps the event loop busy for as long as it runs."""

MOST_S = 5.0

Rerun = Callable[[], Awaitable[ExecutionResult]]


@dataclass(slots=True)
class Compared:
    """How often graphql-core said the same."""

    same: int = 0
    different: int = 0


class Shadow:
    """Compares a `share` of runs, from 0 to 1."""

    def __init__(self, share: float, pause_s: float = PAUSE_S) -> None:
        self._share = share
        self._pause_s = pause_s
        self._running: asyncio.Task[None] | None = None
        self.compared = Compared()

    def takes_next(self) -> bool:
        """Whether the run that begins now is one to compare."""
        return self._share > 0 and self._running is None and random.random() < self._share

    def compare(self, document: DocumentNode, operation: str | None, data: dict[str, Any], rerun: Rerun) -> None:
        """Begin to compare what a plan gave with what a rerun gives."""
        if self._running is None:
            self._running = asyncio.create_task(self._compare(document, operation, data, rerun))
            self._running.add_done_callback(self._ended)

    async def settled(self) -> None:
        """When nothing is being compared any more."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _compare(self, document: DocumentNode, operation: str | None, data: dict[str, Any], rerun: Rerun) -> None:
        async with asyncio.timeout(MOST_S):
            result = await rerun()
        if not result.errors and _bytes(result.data) == _bytes(data):
            self.compared.same += 1
        else:
            self.compared.different += 1
            text = document.loc.source.body if document.loc else ""
            sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            fields = {"document": sha256, "operation": operation, "errors": len(result.errors or ())}
            log.error("a plan and graphql-core differ", extra={"fields": fields})
        await asyncio.sleep(self._pause_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running = None
        if not task.cancelled() and (error := task.exception()):
            log.error("a comparison failed", exc_info=error)


def _bytes(data: Any) -> bytes:
    """The same for the same JSON, in the same order."""
    return orjson.dumps(orjson.loads(orjson.dumps(data, default=written)))
