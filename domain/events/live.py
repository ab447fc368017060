"""Watching streams of events as they go on: nothing is missed, nothing comes twice, and everything in its order.

Whoever watches first hears the channel of a stream, then reads what was missed, and leaves out what came before. Numbers of a
stream follow one another without a gap, and none appears late; so a number that is not the next one says that something was not
heard, and is read instead. Nothing depends on the channel: what it did not tell is found by asking for the last numbers of
all streams that are watched, often while the channel is down and now and then while it is up.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from domain.events.streams import BEFORE_ALL, Channels, CursorExpired, StreamStore
from domain.shared.events import EventRecord
from domain.shared.refusals import InvalidCursor, Unavailable
from domain.shared.viewer import Viewer

T = TypeVar("T")
log = logging.getLogger("torii.live")

PAGE = 100
WAITING = 100
"""Events that are kept for one who watches; when more come, all of them are read again when it is their turn."""
LOOK_EVERY_S = 15.0
LOOK_WHILE_DOWN_S = 1.0
STREAMS_A_LOOK = 1000
"""Streams asked for in one statement."""
RETRY_S = 1.0

Make = Callable[[int, EventRecord | None], T]
"""The value of an event and its number; None is where the stream stands when somebody begins to watch."""


class Watching(Generic[T]):
    """A stream as one viewer watches it: an asynchronous iterator, with as much kept as `WAITING` allows."""

    def __init__(self, live: "LiveStreams", viewer: Viewer, stream: str, make: Make[T]) -> None:
        self.stream = stream
        self._live = live
        self._viewer = viewer
        self._make = make
        self._last = BEFORE_ALL
        self._read: deque[EventRecord] = deque()
        self._heard: deque[EventRecord] = deque()
        self._is_behind = False
        self._is_new = False
        self._woken = asyncio.Event()
        self._is_closed = False

    async def begin(self, after: int | None) -> None:
        """Raises NotFound, InvalidCursor, CursorExpired, Unavailable."""
        reading = await self._live.store.read(self._viewer, self.stream, after, PAGE)
        if after is None:
            self._last, self._is_new = reading.head, True
            return
        if after > reading.head and not reading.events:
            raise InvalidCursor  # no event had this number yet
        self._last = after
        self._take(reading.events, reading.head)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Raises CursorExpired where what was missed is no longer kept, NotFound where it may not be watched any more."""
        if self._is_new:
            self._is_new = False
            return self._make(self._last, None)
        record = await self._next()
        self._last = _number(record)
        return self._make(self._last, record)

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._live.forget(self)

    def hear(self, record: EventRecord) -> None:
        if len(self._heard) < WAITING:
            self._heard.append(record)
        else:
            self._heard.clear()
            self._is_behind = True
        self._woken.set()

    def look(self, head: int) -> None:
        """The stream has come to this number."""
        known = [_number(waiting[-1]) for waiting in (self._read, self._heard) if waiting]
        if head > max((self._last, *known)):
            self._is_behind = True
            self._woken.set()

    async def _next(self) -> EventRecord:
        while True:
            if self._read:
                return self._read.popleft()
            if self._is_behind:
                await self._catch_up()
            elif self._heard:
                record = self._heard.popleft()
                if _number(record) == self._last + 1:
                    return record
                self._is_behind = _number(record) > self._last
            else:
                self._woken.clear()
                await self._woken.wait()

    async def _catch_up(self) -> None:
        self._is_behind = False
        try:
            reading = await self._live.store.read(self._viewer, self.stream, self._last, PAGE)
        except Unavailable:
            self._is_behind = True
            await asyncio.sleep(RETRY_S)
            return
        except BaseException:
            self._is_behind = True
            raise
        self._take(reading.events, reading.head)

    def _take(self, events: Sequence[EventRecord], head: int) -> None:
        """Have these come next. Raises CursorExpired where they are not all that followed."""
        expected = self._last + 1
        for record in events:
            if _number(record) != expected and self._last != BEFORE_ALL:
                raise CursorExpired
            expected = _number(record) + 1
        if not events and head > self._last:
            raise CursorExpired
        self._read.extend(events)
        self._is_behind = self._is_behind or len(events) == PAGE


class LiveStreams:
    """All that is watched in a process, and the audience of its channels. `run` has to run beside those who watch."""

    def __init__(
        self,
        store: StreamStore,
        channels: Channels,
        look_every_s: float = LOOK_EVERY_S,
        look_while_down_s: float = LOOK_WHILE_DOWN_S,
    ) -> None:
        self.store = store
        self._channels = channels
        self._look_every_s = look_every_s
        self._look_while_down_s = look_while_down_s
        self._watching: dict[str, dict[Watching[Any], None]] = {}
        self._look = asyncio.Event()

    async def watch(self, viewer: Viewer, stream: str, after: int | None, make: Make[T]) -> Watching[T]:
        """Watch a stream from after a number, or from now on. What comes back has to be closed.

        Raises NotFound where the viewer may not, InvalidCursor, CursorExpired, Unavailable.
        """
        watching = Watching(self, viewer, stream, make)
        self._watching.setdefault(stream, {})[watching] = None
        try:
            await self._channels.join(stream)
            await watching.begin(after)
        except BaseException:
            await watching.aclose()
            raise
        return watching

    def forget(self, watching: Watching[T]) -> None:
        of_stream = self._watching[watching.stream]
        del of_stream[watching]
        if not of_stream:
            del self._watching[watching.stream]
        self._channels.leave(watching.stream)

    def told(self, record: EventRecord) -> None:
        """An event was told on the channel of its stream."""
        for watching in self._watching.get(record.event.stream or "", ()):
            watching.hear(record)

    def joined(self) -> None:
        """What is told is heard again, or of more streams than before: what was told until now is not known."""
        self._look.set()

    def left(self) -> None:
        """The channel is down."""
        self._look.set()

    async def run(self) -> None:
        """Look what the channel did not tell, for ever."""
        while True:
            pause = self._look_every_s if self._channels.is_up else self._look_while_down_s
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._look.wait()
            self._look.clear()
            try:
                await self.look()
            except Unavailable:
                log.warning("what happened in streams that are watched could not be read")
                await asyncio.sleep(RETRY_S)
                self._look.set()

    async def look(self) -> None:
        """Have those read who have not heard of the last event of their stream. Raises Unavailable."""
        streams = tuple(self._watching)
        for start in range(0, len(streams), STREAMS_A_LOOK):
            for stream, head in (await self.store.heads(streams[start : start + STREAMS_A_LOOK])).items():
                for watching in self._watching.get(stream, ()):
                    watching.look(head)


def _number(record: EventRecord) -> int:
    assert record.sequence is not None
    return record.sequence
