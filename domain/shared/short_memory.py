"""What was read a moment ago, so that it is not read again for each request."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_KEPT = 10_000


class ShortMemory(Generic[K, V]):
    """Values by key, served until they are `age_s` old. Misses of one turn of the event loop are one batched load.

    Parameters:
        load: values in the order of their keys, each key once; an exception in a place fails that key alone
        age_s: counted from the moment before the load began, so that a change is seen within it
        at_most: values kept; the one that was set longest ago goes first
        clock: seconds that never go back
    """

    def __init__(
        self,
        load: Callable[[Sequence[K]], Awaitable[Sequence[V | Exception]]],
        *,
        age_s: float,
        at_most: int = MAX_KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._age_s = age_s
        self._at_most = at_most
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Future[V]] = {}
        """Keys of the load that begins next."""
        self._loading: dict[K, asyncio.Future[V]] = {}
        self._loads: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of a key. Raises whatever the load raises."""
        kept = self._fresh(key)
        return kept[1] if kept is not None else await asyncio.shield(self._future(key))

    def expect(self, key: K) -> None:
        """Let a load begin for a value that will be asked for soon."""
        if self._fresh(key) is None:
            self._future(key)

    def set(self, key: K, value: V) -> None:
        """What has just been written: no load that began before takes its place."""
        self._keep(key, self._clock(), value)

    def forget(self, key: K) -> None:
        """What has changed in a way that only another load tells."""
        self._kept.pop(key, None)

    def last(self, key: K, within_s: float) -> V | None:
        """The value as it was last known, unless that is longer ago: for when it cannot be loaded."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._clock() - kept[0] < within_s else None

    def _fresh(self, key: K) -> tuple[float, V] | None:
        kept = self._kept.get(key)
        return kept if kept is not None and self._clock() - kept[0] < self._age_s else None

    def _future(self, key: K) -> asyncio.Future[V]:
        waiting = self._loading.get(key) or self._asked.get(key)
        if waiting is None:
            loop = asyncio.get_running_loop()
            waiting = self._asked[key] = loop.create_future()
            waiting.add_done_callback(_heard)
            if len(self._asked) == 1:
                loop.call_soon(self._begin)
        return waiting

    def _begin(self) -> None:
        asked, self._asked = self._asked, {}
        self._loading |= asked
        load = asyncio.create_task(self._run(asked))
        self._loads.add(load)
        load.add_done_callback(self._loads.discard)

    async def _run(self, asked: dict[K, asyncio.Future[V]]) -> None:
        began = self._clock()
        try:
            for key, value in zip(asked, await self._load(list(asked)), strict=True):
                if isinstance(value, Exception):
                    asked[key].set_exception(value)
                else:
                    self._keep(key, began, value)
                    asked[key].set_result(value)
        except Exception as error:  # noqa: BLE001  (handed on, whatever it is, to those who wait)
            for waiting in asked.values():
                if not waiting.done():
                    waiting.set_exception(error)
        finally:
            for key, waiting in asked.items():
                self._loading.pop(key, None)
                waiting.cancel()  # for the end of the process: done ones stay as they are

    def _keep(self, key: K, at: float, value: V) -> None:
        kept = self._kept.get(key)
        if kept is not None and kept[0] > at:
            return
        self._kept[key] = at, value
        self._kept.move_to_end(key)
        if len(self._kept) > self._at_most:
            self._kept.popitem(last=False)


def _heard(waiting: asyncio.Future[V]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not waiting.cancelled():
        waiting.exception()
