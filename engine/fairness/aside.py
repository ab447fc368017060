"""Work of the processor that would hold up the event loop: done in one thread, which shares the interpreter by turns of 5 ms.

Whoever waits for the thread waits with the other pieces of the same client: clients take turns, and none may fill the queue.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from engine.fairness.shares import WHO, InTurn

T = TypeVar("T")

MAX_WAITING = 16
"""Pieces of work that wait for the thread, the one that is under way included."""
MAX_OF_ONE = 8
"""Of these, pieces of one client."""


class Busy(Exception):
    """Too much waits already."""


class Aside:
    """One thread. Who asks for what is under way, by its key, waits for the same."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside")
        self._known: dict[Hashable, asyncio.Future[Any]] = {}
        self._of: Counter[Hashable] = Counter()
        self._queue: InTurn[Callable[[], asyncio.Future[Any]]] = InTurn()
        self._is_working = False

    @property
    def waiting(self) -> int:
        return len(self._known)

    async def run(self, key: Hashable, work: Callable[..., T], *arguments: Any) -> T:
        """What the work gives. Raises Busy, and what the work raises."""
        result: asyncio.Future[T] | None = self._known.get(key)
        if result is None:
            result = self._wait(key, partial(work, *arguments))
        return await asyncio.shield(result)  # one who gives up takes it from nobody else

    def _wait(self, key: Hashable, work: Callable[[], T]) -> asyncio.Future[T]:
        who = WHO.get()
        if len(self._known) >= MAX_WAITING or (who is not None and self._of[who] >= MAX_OF_ONE):
            raise Busy
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._known[key] = result
        self._of[who] += 1

        def begin() -> asyncio.Future[T]:
            done = loop.run_in_executor(self._thread, work)
            done.add_done_callback(partial(self._end, key, who, result))
            return done

        self._queue.add(who, begin)
        self._next()
        return result

    def _next(self) -> None:
        if self._queue and not self._is_working:
            self._is_working = True
            self._queue.pop()()

    def _end(self, key: Hashable, who: Hashable, result: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
        self._is_working = False
        del self._known[key]
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]
        error = done.exception()
        if error is None:
            result.set_result(done.result())
        else:
            result.set_exception(error)
            result.exception()  # whoever asked may have given up: it is nobody's fault then
        self._next()
