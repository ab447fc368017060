"""Events have a corner of their own, an empty outbox for each test, and a bus and queues of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from composition.pipeline import EventTools, ensure_places, open_event_tools, run_events
from domain.shared.clock import SystemClock
from infra.worker import Stop
from settings import Settings
from tests.backends import settings_of
from tests.conftest import EVENTS, Corners
from tests.events.shop_front import ShopFront
from tests.postgres.shop import Shop, connect

PATIENCE_S = 90


@pytest.fixture(scope="session")
def corner(corners: Corners) -> dict[str, str]:
    return corners[EVENTS]


@pytest.fixture
def settings(corner: dict[str, str], shop_front: ShopFront) -> Settings:
    return settings_of(
        corner,
        event_prefix=f"t{uuid4().hex[:12]}-",
        revalidate_url=shop_front.url,
        revalidate_secret=shop_front.secret,
        mail_from="",
    )


@pytest.fixture
async def shop_front() -> AsyncIterator[ShopFront]:
    async with ShopFront() as front:
        yield front


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Any]:
    """A connection as the worker role, to a database without events."""
    connection = await connect(settings.database_worker_url.get_secret_value())
    await connection.execute("DELETE FROM events.outbox")
    yield connection
    await connection.close()


@pytest.fixture
def shop(worker: Any) -> Shop:
    return Shop(worker)


@pytest.fixture
async def tools(settings: Settings, worker: Any) -> AsyncIterator[EventTools]:
    async with open_event_tools(settings, SystemClock()) as tools:
        await ensure_places(tools)
        yield tools


@asynccontextmanager
async def at_work(tools: EventTools, grace_s: float = 10) -> AsyncIterator[Stop]:
    """Relay and consumers of one worker, for the block."""
    stop = Stop()
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(run_events(tools, stop, grace_s))
        try:
            yield stop
        finally:
            stop.ask()


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.01)


def with_settings(tools: EventTools, **changes: Any) -> EventTools:
    return replace(tools, settings=tools.settings.model_copy(update=changes))
