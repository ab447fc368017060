"""The loops of a worker while EventBridge or SQS is away: five failures, half a minute of rest, one try, and well again by itself."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from adapters.aws.clients import EVENTBRIDGE, SQS, Aws
from adapters.aws.queues import SqsQueue
from adapters.breaker import FAILURES_TO_OPEN, OPEN_FOR_S, Breaker
from adapters.postgres.events import CHANNEL
from domain.events.ports import Message
from infra import messages, woken
from infra.messages import QueueLoop
from infra.woken import Bell, Trouble, WokenLoop
from infra.worker import Stop
from settings import Settings
from tests.events.conftest import until
from tests.relay import Fault, Relay, aws_service, relayed
from tests.watch import Seconds

PATIENT_MS = 20_000


class Hurried(Stop):
    """Who is to wait goes on at once; a clock shows how long it would have been."""

    def __init__(self, clock: Seconds) -> None:
        super().__init__()
        self._clock = clock

    async def within(self, seconds: float) -> bool:
        self._clock.now += seconds
        await asyncio.sleep(0.001)
        return self.is_asked


class Tries:
    """When a loop tried, by its clock, and how often it got through."""

    def __init__(self, clock: Seconds) -> None:
        self._clock = clock
        self.at: list[float] = []
        self.done = 0
        self.is_at_it = False

    def begin(self) -> None:
        self.at.append(self._clock.now)

    async def several(self) -> bool:
        return len(self.at) >= FAILURES_TO_OPEN + 3

    def rest_after_five(self) -> None:
        """Each of the further tries came half a minute after the one before, at least."""
        rests = [later - earlier for earlier, later in itertools.pairwise(self.at[FAILURES_TO_OPEN - 1 :])]
        assert min(rests) >= OPEN_FOR_S, self.at


class WatchedQueue(SqsQueue):
    tries: Tries

    async def receive(self, limit: int = 1, wait_s: int = 0) -> Sequence[Message]:
        self.tries.begin()
        found = await super().receive(limit, wait_s)
        self.tries.done += 1
        return found


@asynccontextmanager
async def aws_of(settings: Settings) -> AsyncIterator[tuple[Relay, Aws]]:
    async with (
        relayed(f"{settings.aws_endpoint_url}/", aws_service) as (relay, url),
        Aws(settings.aws_region, url, PATIENT_MS, services=(EVENTBRIDGE, SQS)) as aws,
    ):
        yield relay, aws


async def nothing_to_make() -> None:
    pass


async def test_a_consumer_leaves_sqs_alone_and_goes_on_by_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "POLL_QUEUE_S", 0)
    clock = Seconds()
    stop, tries = Hurried(clock), Tries(clock)
    async with aws_of(settings) as (relay, aws):
        await aws.sqs.create_queue(QueueName=settings.event_prefix)
        queue = WatchedQueue(aws, settings.event_prefix)
        queue.tries = tries
        loop = QueueLoop("tests", queue, None, stop, nothing_to_make)  # type: ignore[arg-type]  # no message comes
        loop._trouble.breaker = Breaker(clock)
        await relay.begin(Fault.DOWN, "sqs")
        running = asyncio.create_task(loop.run())
        await until(tries.several)
        tries.rest_after_five()
        assert tries.done == 0
        await relay.end("sqs")
        began = clock.now

        async def is_well() -> bool:
            return tries.done > 1 and not loop._trouble.breaker.has_opened

        await until(is_well)
        first = next(at for at in tries.at if at >= began)
        assert first - began <= 2 * OPEN_FOR_S
        stop.ask()
        await running


async def test_the_relay_leaves_eventbridge_alone_and_goes_on_by_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(woken, "POLL_S", 0.01)
    clock = Seconds()
    stop, tries = Hurried(clock), Tries(clock)
    async with aws_of(settings) as (relay, aws):
        await aws.events.create_event_bus(Name=settings.event_prefix)

        async def work() -> int:
            tries.begin()
            tries.is_at_it = True
            try:
                async with aws.calling(EVENTBRIDGE):
                    await aws.events.describe_event_bus(Name=settings.event_prefix)
            finally:
                tries.is_at_it = False
            tries.done += 1
            return 0

        trouble = Trouble("the tests", stop, nothing_to_make)
        trouble.breaker = Breaker(clock)
        url = settings.database_worker_url.get_secret_value()
        loop = WokenLoop(work, Bell(url, CHANNEL, "torii tests"), stop, trouble)
        await relay.begin(Fault.DOWN, "events")
        running = asyncio.create_task(loop.run())
        winding = asyncio.create_task(wind(clock, tries))
        await until(tries.several)
        tries.rest_after_five()
        await relay.end("events")
        began = clock.now

        async def is_well() -> bool:
            return tries.done > 1 and not trouble.breaker.has_opened

        await until(is_well)
        assert next(at for at in tries.at if at >= began) - began <= 2 * OPEN_FOR_S
        winding.cancel()
        stop.ask()
        await running


async def wind(clock: Seconds, tries: Tries) -> None:
    """Time passes for a loop that waits to be told, and stands still while it tries."""
    while True:
        clock.now += not tries.is_at_it
        await asyncio.sleep(0.001)
