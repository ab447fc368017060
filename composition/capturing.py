"""Change data capture, put together: what a worker runs for it, and what operators may do."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.aws.clients import OF_CAPTURE, Aws
from adapters.aws.kinesis import KinesisReader, KinesisStream, ensure_stream
from adapters.aws.lake import S3Lake
from adapters.postgres.capture_state import capture_state
from adapters.postgres.database import Database
from adapters.postgres.events import CHANNEL
from adapters.postgres.events_capture import PostgresChangeLog
from adapters.postgres.events_stream_places import PostgresStreamPlaces
from composition.cloud import open_aws
from composition.database import worker_database
from composition.search_index import open_index
from composition.search_upkeep import marketplace_documents
from domain.capture.ports import CaptureLost, CaptureNotSetUp, CaptureState, CaptureStuck, ChangeConsumer
from domain.capture.service import Capture, Following, IndexFeed
from domain.search.upkeep import IndexUpkeep
from infra.woken import Bell, Trouble, WokenLoop, until_stopped
from infra.worker import Stop
from settings import Settings, require

log = logging.getLogger("torii.capture")

DATABASE_MS = 10_000
LONGEST_PAUSE_S = 30.0

Work = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class CaptureWork:
    """One batch of each, again and again: the log onto the stream, and what follows the stream, by name."""

    capture: Capture
    following: dict[str, Following]
    ensure: Callable[[], Awaitable[None]]


def is_on(settings: Settings) -> bool:
    return bool(settings.capture_stream)


def change_log(settings: Settings) -> PostgresChangeLog:
    """Raises MissingSettings."""
    require(settings, "database_worker_url")
    return PostgresChangeLog(settings.database_worker_url.get_secret_value(), settings.capture_slot)


@asynccontextmanager
async def open_capture(settings: Settings) -> AsyncIterator[CaptureWork]:
    """Raises MissingSettings."""
    changes = change_log(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(changes.close)
        # of each follower the turn that it holds, and what it does meanwhile
        database = await stack.enter_async_context(worker_database(settings, 5, DATABASE_MS))
        aws = await stack.enter_async_context(open_aws(settings, settings.events_timeout_ms, OF_CAPTURE))
        index = await stack.enter_async_context(open_index(settings))
        consumers: list[ChangeConsumer] = [IndexFeed(IndexUpkeep(index, marketplace_documents(database)))]
        if settings.lake_bucket:
            consumers.append(S3Lake(aws, settings.lake_bucket))
        stream = settings.capture_stream

        async def ensure() -> None:
            await ensure_stream(aws, stream)

        following = {each.name: _following(aws, database, stream, each) for each in consumers}
        yield CaptureWork(Capture(changes, KinesisStream(aws, stream)), following, ensure)


def _following(aws: Aws, database: Database, stream: str, consumer: ChangeConsumer) -> Following:
    places = PostgresStreamPlaces(database, f"{stream} {consumer.name}")
    return Following(KinesisReader(aws, stream, places), consumer)


async def run_capture(settings: Settings, stop: Stop, grace_s: float) -> None:
    """Where a stream is named: until it is asked to stop."""
    if not is_on(settings):
        await stop.asked()
        return
    async with open_capture(settings) as work:
        loops = [_loop(settings, "the capture of changes", _telling(work.capture.pump), stop, work)]
        loops += [
            _loop(settings, f"the follower {name} of changes", each.follow, stop, work)
            for name, each in work.following.items()
        ]
        await until_stopped([asyncio.create_task(loop.run()) for loop in loops], stop, grace_s)


def _loop(settings: Settings, what: str, work: Work, stop: Stop, capture: CaptureWork) -> WokenLoop:
    """Most changes worth following put an event into the outbox: that wakes it, and it looks every second besides."""
    bell = Bell(settings.database_worker_url.get_secret_value(), CHANNEL, "torii capture bell")
    return WokenLoop(work, bell, stop, Trouble(what, stop, capture.ensure, longest_pause_s=LONGEST_PAUSE_S))


def _telling(pump: Work) -> Work:
    """What only people can put right is told in words, each time it is met."""

    async def told() -> int:
        try:
            return await pump()
        except (CaptureLost, CaptureNotSetUp, CaptureStuck) as refusal:
            log.error("%s", refusal)
            raise

    return told


async def state_of_capture(settings: Settings) -> CaptureState:
    """How the slot stands. Raises MissingSettings, Unavailable."""
    async with worker_database(settings, 1, DATABASE_MS) as database:
        return await capture_state(database, settings.capture_slot)


async def watch_capture(settings: Settings, database: Database) -> AsyncGenerator[int, None]:
    """Say in the log what should be looked at; how many bytes are held back. Also where nothing is captured any more: a slot that was
    forgotten holds the log back all the same. Raises Unavailable."""
    state = await capture_state(database, settings.capture_slot)
    told = {"heldBytes": state.held_bytes, "mostBytes": state.most_bytes}
    for warning in state.warnings:
        log.warning("%s", warning, extra={"fields": told})
    if state.is_lost:
        log.error("%s", CaptureLost(settings.capture_slot), extra={"fields": told})
    yield state.held_bytes


async def drop_capture(settings: Settings) -> bool:
    """Let the database's log go; whether anything held it. Workers begin anew with all rows, where a stream is named."""
    return await change_log(settings).drop()
