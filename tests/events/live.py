"""Streams as a gateway watches them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.postgres.database import Database
from adapters.postgres.events_streams import PostgresStreams
from adapters.redis.live import RedisChannels
from domain.events.live import LiveStreams, Watching
from domain.events.streams import Reading
from domain.shared.events import EventRecord
from domain.shared.viewer import Role, Viewer
from infra.background import running
from settings import Settings

ADMIN = Viewer(Role.ADMIN)


class CountedStreams(PostgresStreams):
    """Notes what it is asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.readings = 0
        self.looks = 0

    async def read(self, viewer: Viewer, stream: str, after: int | None, limit: int) -> Reading:
        self.readings += 1
        return await super().read(viewer, stream, after, limit)

    async def heads(self, streams: Sequence[str]) -> Mapping[str, int]:
        self.looks += 1
        return await super().heads(streams)


@asynccontextmanager
async def streams_of(settings: Settings) -> AsyncIterator[CountedStreams]:
    """As the gateway's role."""
    database = Database(settings.database_url.get_secret_value(), pool_size=4, timeout_ms=10_000)
    try:
        yield CountedStreams(database)
    finally:
        await database.close()


class HeardStreams(LiveStreams):
    """Notes the numbers that come on the channel."""

    heard: list[int]

    def told(self, record: EventRecord) -> None:
        self.heard.append(record.sequence or 0)
        super().told(record)


@asynccontextmanager
async def live_of(
    settings: Settings, redis_url: str | None = None
) -> AsyncIterator[tuple[HeardStreams, RedisChannels, CountedStreams]]:
    """What a gateway has of it, at work."""
    async with streams_of(settings) as store:
        channels = RedisChannels(redis_url or settings.redis_url.get_secret_value())
        live = HeardStreams(store, channels)
        live.heard = []
        async with running(lambda: channels.run(live)), running(live.run):
            yield live, channels, store


@asynccontextmanager
async def watched(
    settings: Settings, stream: str, after: int | None = None
) -> AsyncIterator[tuple[Watching[int], list[int]]]:
    """The numbers of a stream's events as an admin watches it, and those that came on the channel."""
    async with live_of(settings) as (live, channels, _):
        async with asyncio.timeout(30):
            while not channels.is_up:
                await asyncio.sleep(0.01)
        watching = await live.watch(ADMIN, stream, after, lambda number, _: number)
        try:
            yield watching, live.heard
        finally:
            await watching.aclose()
