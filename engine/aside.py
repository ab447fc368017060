"""Work of the processor that would hold up the event loop: done in one thread, which shares the interpreter by turns of 5 ms."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

MAX_WAITING = 16
"""Pieces of work that wait for the thread, the one that is under way included."""


class Busy(Exception):
    """Too much waits already."""


class Aside:
    """One thread. Who asks for what is under way, by its key, waits for the same."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside")
        self._waiting: dict[Hashable, asyncio.Future[Any]] = {}

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self, key: Hashable, work: Callable[..., T], *arguments: Any) -> T:
        """What the work gives. Raises Busy, and what the work raises."""
        running: asyncio.Future[T] | None = self._waiting.get(key)
        if running is None:
            if len(self._waiting) >= MAX_WAITING:
                raise Busy
            running = asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments))
            self._waiting[key] = running
            running.add_done_callback(lambda _: self._waiting.pop(key, None))
        return await asyncio.shield(running)  # one who gives up takes it from nobody else
