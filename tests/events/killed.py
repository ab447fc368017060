"""A program that does one piece of work again and again, each time in a process that ends with -9 at another line of ours.

    python -m tests.events.killed relay|teller|consumer|capture KILLS

It first does it once to the end, to count the lines, and prints how many processes were killed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

from sqlalchemy import text

from adapters.aws import queues
from adapters.aws.clients import KINESIS
from adapters.aws.kinesis import KinesisStream
from adapters.postgres.events import put_out
from adapters.postgres.events_deliveries import PostgresDeliveries, first_time
from composition.capturing import change_log
from composition.cloud import open_aws
from composition.pipeline import EventTools, open_event_tools, open_teller
from domain.capture.service import Capture
from domain.events.handling import Handling
from domain.events.ports import Delivery
from domain.shared.clock import SystemClock
from domain.shared.events import Event
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS
from infra.messages import QueueLoop
from infra.worker import Stop
from settings.loading import load
from tests.events.consumers import KIND, NAME
from tests.events.places import relay_of
from tests.postgres.shop import connect

ROOT = Path(__file__).parents[2]
OURS = {
    str(ROOT / file)
    for file in (
        "domain/events/relay.py",
        "domain/events/handling.py",
        "domain/events/telling.py",
        "adapters/postgres/events.py",
        "adapters/postgres/events_streams.py",
        "adapters/redis/live.py",
        "adapters/postgres/events_deliveries.py",
        "adapters/aws/event_bus.py",
        "adapters/aws/queues.py",
        "adapters/aws/kinesis.py",
        "adapters/postgres/events_capture.py",
        "adapters/postgres/events_capture_rows.py",
        "domain/capture/service.py",
        "infra/messages.py",
        "tests/events/killed.py",
    )
}
BRAND = "of one that was killed"


@dataclass(frozen=True, slots=True)
class Work:
    """What is done, with what is opened for it before its lines count."""

    open: Callable[[], AbstractAsyncContextManager[Any]]
    do: Callable[[Any], Coroutine[Any, Any, None]]


class Counting:
    """Acts on an event in PostgreSQL: counts how often, in the transaction that keeps that it did."""

    name = NAME

    def __init__(self, tools: EventTools) -> None:
        self._tools = tools

    async def consume(self, delivery: Delivery) -> None:
        async with self._tools.database.transaction(ANONYMOUS) as connection:
            if await first_time(connection, NAME, delivery.record.id, SystemClock().now()):
                await connection.execute(
                    text("UPDATE events.outbox SET attempts = attempts + 1 WHERE id = :id"), {"id": delivery.record.id}
                )


async def relay(tools: EventTools) -> None:
    await put_in_one(tools)
    await relay_of(tools).send_batch()


async def tell(tools: EventTools) -> None:
    await put_in_one(tools, f"seller/{UUID(int=7)}")
    async with open_teller(tools) as teller:
        await teller.tell_batch()


@asynccontextmanager
async def open_capturing() -> AsyncIterator[tuple[Any, Capture]]:
    """A connection to change something by, and what captures it."""
    settings = load()
    log = change_log(settings)
    # decoding goes as far as the log is flushed
    connection = await connect(settings.database_worker_url.get_secret_value(), synchronous_commit="on")
    async with open_aws(settings, 30_000, (KINESIS,)) as aws:
        yield connection, Capture(log, KinesisStream(aws, settings.capture_stream))
    await log.close()
    await connection.close()


async def capture(opened: tuple[Any, Capture]) -> None:
    """A change, and whatever is to be put on the stream then."""
    connection, pumping = opened
    await connection.execute("INSERT INTO catalog.brands (name) VALUES ($1)", BRAND)
    done = 0
    while not done:  # the server may not have noticed yet that the one before is gone
        with suppress(Unavailable):
            done = await pumping.pump()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def open_tools() -> AsyncIterator[EventTools]:
    async with open_event_tools(load(), SystemClock()) as tools:
        yield tools


async def put_in_one(tools: EventTools, stream: str | None = None) -> None:
    """So that every run has something to send."""
    async with tools.database.transaction(ANONYMOUS) as connection:
        await put_out(connection, [Event(KIND, "test", UUID(int=7), stream=stream)])


async def consume(tools: EventTools) -> None:
    stop = Stop()
    handling = Handling(Counting(tools), PostgresDeliveries(tools.database), tools.clock, stop.within)
    queue = queues.SqsQueue(tools.aws, tools.names.queue(NAME))
    loop = QueueLoop(NAME, queue, handling, stop, ensure=none)
    for message in await queue.receive(wait_s=5):
        await loop.work(message)


async def none() -> None:
    """There is nothing to be made."""


def lines(work: Work, last: int | str | None) -> int:
    """Do it, in this process, and be killed before that line, or the first one of that function; how many lines there were."""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            seen += 1
            if last in (seen, frame.f_code.co_name):
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    async def whole() -> None:
        async with work.open() as opened:
            sys.settrace(trace)
            try:
                await asyncio.ensure_future(work.do(opened))
            finally:
                sys.settrace(None)

    asyncio.run(whole())
    return seen


def in_child(work: Work, last: int | str) -> bool:
    """Whether it was killed."""
    child = os.fork()
    if child == 0:
        lines(work, last)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(what: str, kills: int) -> None:
    queues.VISIBLE_AGAIN_S = 1
    work = {
        "relay": Work(open_tools, relay),
        "teller": Work(open_tools, tell),
        "consumer": Work(open_tools, consume),
        "capture": Work(open_capturing, capture),
    }[what]
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, str(lines(work, None)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    total = int(os.read(reading, 20))
    points: list[int | str] = [1 + round(step * (total - 1) / (kills - 1)) for step in range(kills)]
    if what == "capture":
        points[:2] = ["acknowledge", "acknowledge"]  # what was put is not known to be, and then once more
    print(sum(in_child(work, point) for point in points), total)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
