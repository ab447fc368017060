"""Loading by keys for one operation: what was loaded once is not loaded again, and what is on its way is waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from engine.fairness.turns import WALK, Walk, turn

WOKEN = 8
"""Of those that waited for a batch, at once: what each does with its value is all done before anybody else is served."""

Told = Mapping[Any, Any]
"""Values by their keys."""
Batch = Callable[[list[Any]], Awaitable[Sequence[Any]]]
"""Values in the order of the keys, all different; an exception in a value's place fails that key alone."""


LEVEL: ContextVar[Hashable] = ContextVar("level", default=None)
"""What the loads of one level of an operation, which begin in one turn of the event loop, have in common."""


class Coming:
    """Keys that are on their way."""

    __slots__ = ("_done", "_is_over", "keys")

    def __init__(self, keys: Sequence[Hashable]) -> None:
        self.keys = keys
        self._is_over = False
        self._done: asyncio.Future[None] | None = None
        """Made when somebody waits."""

    async def over(self) -> None:
        if self._is_over:
            return
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._done)

    def end(self) -> None:
        self._is_over = True
        if self._done is not None:
            self._done.set_result(None)


class BatchLoader:
    """One batch function and what it has given so far."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._values: dict[Hashable, Any] = {}
        self._new: list[tuple[Sequence[Hashable], Sequence[Any]]] = []
        """Keys and their values that are not among the others yet: most operations ask a loader once, and never look at them."""
        self._told: list[Told] = []
        """Values that came another way, and are not among the others yet."""
        self._coming: list[Coming] = []
        self._asked: list[tuple[Hashable, asyncio.Future[None]]] = []
        self._turns: set[asyncio.Task[None]] = set()

    async def level(self, keys: Collection[Any]) -> Sequence[Any]:
        """Values of a whole level in the order of its keys; an exception in the place of a key that failed. Of None it is None.

        Keys that come as a dict's are different as they are.
        """
        values = self._known() if self._new or self._told else self._values
        once = keys if isinstance(keys, dict) else dict.fromkeys(keys)
        if None in once:
            once = {key: None for key in once if key is not None}
        missing = [key for key in once if key not in values] if values else list(once)
        if missing:
            found = await (self._load(missing) if self._coming else self._load_own(missing))
            if len(missing) == len(keys):  # each once, and none known: they are in order already
                return found
            values = self._known()
        return list(map(values.get, keys))

    def _known(self) -> dict[Hashable, Any]:
        for keys, found in self._new:
            self._values.update(zip(keys, found, strict=True))
        self._new.clear()
        while self._told:
            self._values = {**self._told.pop(0), **self._values}
            self._values.pop(None, None)
        return self._values

    def know(self, told: Told) -> None:
        """Values that came another way, as this would have loaded them; what it has loaded itself stays."""
        self._told.append(told)

    async def one(self, key: Hashable) -> Any:
        """One value, of None it is None; the keys asked for in the same turn of the event loop go together. Raises what failed it."""
        if key is None:
            return None
        if key not in self._known():
            loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._asked.append((key, loaded))
            if len(self._asked) == 1:
                task = asyncio.ensure_future(self._load_asked())
                self._turns.add(task)
                task.add_done_callback(self._turns.discard)
            await loaded
        value = self._known()[key]
        if isinstance(value, BaseException):
            raise value
        return value

    async def _load_asked(self) -> None:
        """Load what was asked for, and tell a few of those who wait at a time."""
        walk = WALK.get() or Walk()
        await walk.over()
        asked, self._asked = self._asked, []
        try:
            await self.level([key for key, _ in asked])
        except Exception as error:  # noqa: BLE001  (keys that cannot be compared: whoever waits for them has to hear of it)
            for _, loaded in asked:
                if not loaded.done():
                    loaded.set_exception(error)
            return
        with walk.going():
            for start in range(0, len(asked), WOKEN):
                for _, loaded in asked[start : start + WOKEN]:
                    if not loaded.done():
                        loaded.set_result(None)
                if start + WOKEN < len(asked):
                    await asyncio.sleep(0)
                    await turn()

    async def _load(self, missing: list[Hashable]) -> Sequence[Any]:
        """The values of keys, of which another call may have asked for some already: those are waited for."""
        others = [each for each in self._coming if not set(each.keys).isdisjoint(missing)]
        coming = {key for each in self._coming for key in each.keys}
        own = [key for key in missing if key not in coming]
        if own:
            await self._load_own(own)
        for other in others:
            await other.over()
        return await self.level(missing)  # once more those whose load was given up

    async def _load_own(self, keys: list[Hashable]) -> Sequence[Any]:
        coming = Coming(keys)
        self._coming.append(coming)
        try:
            found = await self._batch(keys)
            if len(found) != len(keys):
                raise WrongLength(f"{len(found)} values for {len(keys)} keys")
        except Exception as error:  # noqa: BLE001  (whatever a batch raises is the answer for each of its keys)
            found = [error] * len(keys)
        finally:
            self._coming.remove(coming)
            coming.end()
        self._new.append((keys, found))
        return found


class WrongLength(Exception):
    """A batch function gave more or fewer values than it was asked for."""
