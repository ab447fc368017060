"""Events of streams on channels of Redis: published by relays, heard by gateways on one connection a process.

What Redis passes on it keeps for nobody, so nobody relies on it: a connection that was lost, also silently, is noticed and told,
and whoever watches reads in PostgreSQL what happened meanwhile. `PUBLISH` reaches every node of a cluster, so that the
channels can be heard from any of them.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson
from hiredis import HiredisError
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from adapters.redis.client import Client
from adapters.redis.wire import Link, Wire
from domain.events.cloud_events import MalformedEvent, cloud_event, read_cloud_event
from domain.shared.events import EventRecord
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.live")

PREFIX = "torii:live:"
RETRY_S = 1.0
PING_S = 0.5
"""How often a quiet connection is asked whether it still lives."""
UNANSWERED = 3
"""So many questions in a row without an answer, and it is lost. Not a time: a process that stood still has yet to read the answers."""
CONNECT_S = 5.0
JOIN_S = 0.5
"""The longest that somebody waits to be heard of as a listener."""
AT_ONCE = 500
"""Channels of one command."""
LOST = (HiredisError, RedisError, OSError, TimeoutError)


class Audience(Protocol):
    def told(self, record: EventRecord) -> None: ...

    def joined(self) -> None:
        """Something is heard that was not, before: what was told there until now is not known."""
        ...

    def left(self) -> None:
        """Nothing is heard."""
        ...


class RedisAnnouncer:
    """The port `Announcer`. No breaker: its only caller waits between two tries."""

    def __init__(self, redis: Client, *, timeout_ms: int) -> None:
        self._redis = redis
        self._timeout_s = timeout_ms / 1000

    async def announce(self, events: Sequence[EventRecord]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.gather(*(self._publish(record) for record in events))
        except LOST as error:
            self._redis.wire.lose()  # it may be one that nothing comes back on
            raise Unavailable("Redis") from error

    async def _publish(self, record: EventRecord) -> None:
        await self._redis.wire.call("PUBLISH", f"{PREFIX}{record.event.stream}", orjson.dumps(cloud_event(record)))


class Listener(Link):
    """The connection on which a process hears what is published."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        super().__init__()
        self._take = take
        self.unanswered = 0
        """Questions since anything was heard."""

    def data_received(self, data: bytes) -> None:
        self.unanswered = 0
        super().data_received(data)

    def unasked(self, answer: Any) -> None:
        self._take(answer)


class RedisChannels:
    """The port `Channels`: a stream is subscribed to for as long as anybody in this process watches it."""

    def __init__(self, url: str) -> None:
        self._wire = Wire(ConnectionPool.from_url(url))
        self._joined: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        """Subscriptions that are under way, by channel: only the last answer says that it is heard."""
        self._confirmed: dict[str, asyncio.Event] = {}
        self._unsure: set[str] = set()
        """Channels that somebody joined without being told that they are heard."""
        self._changed: set[str] = set()
        self._has_changed = asyncio.Event()
        self._is_up = False

    @property
    def is_up(self) -> bool:
        return self._is_up

    async def join(self, stream: str) -> None:
        channel = PREFIX + stream
        self._joined[channel] += 1
        if self._joined[channel] == 1:
            self._confirmed[channel] = asyncio.Event()
            self._change(channel)
        confirmed = self._confirmed[channel]
        if not confirmed.is_set() and self._is_up:
            await asyncio.wait({waiting := asyncio.ensure_future(confirmed.wait())}, timeout=JOIN_S)
            waiting.cancel()
        if not confirmed.is_set():
            self._unsure.add(channel)

    def leave(self, stream: str) -> None:
        channel = PREFIX + stream
        self._joined[channel] -= 1
        if not self._joined[channel]:
            del self._joined[channel], self._confirmed[channel]
            self._unsure.discard(channel)
            self._change(channel)

    async def run(self, audience: Audience) -> None:
        """Listen for ever."""
        while True:
            try:
                await self._listen(audience)
            except LOST as lost:
                log.warning("lost the channels of Redis: %r", lost)
            finally:
                self._lose()
                audience.left()
            await asyncio.sleep(RETRY_S)

    async def _listen(self, audience: Audience) -> None:
        """Until the connection is lost. Raises what LOST names."""
        async with asyncio.timeout(CONNECT_S):
            link = await self._wire.opened(lambda: Listener(lambda answer: self._take(answer, audience)))
        try:
            link.tell("SUBSCRIBE", PREFIX)  # a connection without any channel gives other answers to a ping
            self._change(*self._joined)
            while not link.is_lost:
                self._follow(link)
                if not await self._changes_within(PING_S):
                    if link.unanswered >= UNANSWERED:
                        raise TimeoutError("Redis is silent")
                    link.unanswered += 1
                    link.tell("PING")
            raise ConnectionError("the connection was closed")
        finally:
            link.lose()

    async def _changes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._has_changed.wait()
        except TimeoutError:
            return False
        return True

    def _take(self, answer: Any, audience: Audience) -> None:
        match answer:
            case [b"message", _, told]:
                try:
                    audience.told(read_cloud_event(orjson.loads(told)))
                except (MalformedEvent, orjson.JSONDecodeError):
                    log.error("what came on a channel of Redis is no event")
            case [b"subscribe", bytes(channel), _]:
                self._confirm(channel.decode(), audience)
            case HiredisError():
                log.error("Redis refuses to be listened to: %s", answer)

    def _confirm(self, channel: str, audience: Audience) -> None:
        if channel == PREFIX:
            self._is_up = True
            audience.joined()
            return
        self._asked[channel] -= 1
        if self._asked[channel]:
            return
        del self._asked[channel]
        if channel in self._confirmed:
            self._confirmed[channel].set()
        if channel in self._unsure:
            self._unsure.discard(channel)
            audience.joined()

    def _follow(self, link: "Listener") -> None:
        """Subscribe to what is joined, and leave what is not any more."""
        self._has_changed.clear()
        channels, self._changed = self._changed, set()
        joined = [each for each in channels if each in self._joined]
        left = [each for each in channels if each not in self._joined]
        self._asked.update(joined)
        for command, names in (("SUBSCRIBE", joined), ("UNSUBSCRIBE", left)):
            for start in range(0, len(names), AT_ONCE):
                link.tell(command, *names[start : start + AT_ONCE])

    def _change(self, *channels: str) -> None:
        self._changed.update(channels)
        self._has_changed.set()

    def _lose(self) -> None:
        self._is_up = False
        self._asked.clear()
        self._unsure.update(self._joined)
        for confirmed in self._confirmed.values():
            confirmed.clear()
