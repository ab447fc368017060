"""What is put right by itself: events that the bus forgot, dead letters of killed workers, an emulator started anew."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.clients import OF_EVENTS, Aws
from adapters.postgres.events_failures import PostgresFailures
from composition.pipeline import EventTools, ensure_places, places_of, settle_events, upkeep_of
from domain.events.ports import PlacesAreGone
from domain.events.upkeep import FORGOTTEN_AFTER, LATE_AFTER, MAX_RETURNS, delay_s, redrive
from domain.shared.clock import SystemClock
from infra.embedded.aws_server import Aws as Emulator
from infra.embedded.data_dir import DataDir
from infra.embedded.ports import remembered_ports
from tests.events.conftest import at_work, until
from tests.events.consumers import KIND, NAME, Listener, declare
from tests.events.places import Deliveries, all_events, put_in, queues, relay_of, unsent
from tests.watch import Watch


@pytest.fixture
def watch() -> Watch:
    return Watch(SystemClock().now())


@pytest.fixture
def tools(tools: EventTools, watch: Watch) -> EventTools:
    return replace(tools, clock=watch)


@pytest.fixture
def kept(worker: Any) -> Deliveries:
    return Deliveries(worker, NAME)


async def settled(tools: EventTools) -> int:
    return sum([count async for count in settle_events(tools)])


async def returned(tools: EventTools) -> int:
    return sum([count async for count in upkeep_of(tools).return_dead_letters()])


async def done(worker: Any) -> int:
    count: int = await worker.fetchval("SELECT count(*) FROM events.outbox WHERE done_at IS NOT NULL")
    return count


class TestSettling:
    async def test_an_event_is_done_when_all_who_want_it_have_it(
        self, tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = Listener()
        other.name = "other"
        declare(monkeypatch, Listener(), other)
        await ensure_places(tools)
        event, unwanted = await put_in(worker, KIND), await put_in(worker, "Unwanted")
        await worker.execute("UPDATE events.outbox SET sent_at = now()")
        assert await settled(tools) == 1  # nobody wants the other
        has_it = "INSERT INTO events.deliveries (consumer, event_id, processed_at) VALUES ($1, $2, now())"
        await worker.execute(has_it, NAME, event)
        assert await settled(tools) == 0
        await worker.execute(has_it, "other", event)
        assert await settled(tools) == 1
        assert await done(worker) == 2
        assert unwanted != event

    async def test_a_recorded_failure_is_having_it_too(
        self, tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        declare(monkeypatch, Listener())
        await ensure_places(tools)
        event = await put_in(worker, KIND)
        await worker.execute("UPDATE events.outbox SET sent_at = now()")
        await worker.execute(
            "INSERT INTO events.deliveries (consumer, event_id, failed_at, reason) VALUES ($1, $2, now(), 'x')",
            NAME,
            event,
        )
        assert await settled(tools) == 1


class TestForgotten:
    @pytest.fixture(autouse=True)
    async def declared(self, tools: EventTools, monkeypatch: pytest.MonkeyPatch) -> Listener:
        declare(monkeypatch, listener := Listener())
        await ensure_places(tools)
        return listener

    async def test_what_the_bus_forgot_is_sent_again(
        self, tools: EventTools, worker: Any, kept: Deliveries, watch: Watch, declared: Listener
    ) -> None:
        event = await put_in(worker, KIND)
        await worker.execute(
            "UPDATE events.outbox SET sent_at = $1", watch.now()
        )  # so it was told, and no queue has it
        watch.wind(FORGOTTEN_AFTER)
        assert await settled(tools) == 0
        watch.wind(timedelta(seconds=1))
        assert await settled(tools) == 1
        async with at_work(tools):
            await until(lambda: has(kept, event))
        assert declared.told == [event]
        assert await settled(tools) == 1
        assert await done(worker) == 1

    async def test_it_is_sent_ever_more_rarely(self, tools: EventTools, worker: Any, watch: Watch) -> None:
        await put_in(worker, KIND)
        await worker.execute("UPDATE events.outbox SET sent_at = $1", watch.now())
        queue, _, _ = queues(tools, NAME)
        for pause in (FORGOTTEN_AFTER, 2 * FORGOTTEN_AFTER, 4 * FORGOTTEN_AFTER):
            watch.wind(pause)
            assert await settled(tools) == 0
            watch.wind(timedelta(seconds=1))
            assert await settled(tools) == 1
            assert await settled(tools) == 0
            await queue.delete(await queue.receive(wait_s=2))

    async def test_what_may_still_be_waiting_in_the_queue_is_given_an_hour(
        self, tools: EventTools, worker: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await put_in(worker, KIND)
        await relay_of(tools).send_batch()
        watch.wind(LATE_AFTER - timedelta(minutes=1))
        assert await settled(tools) == 0
        watch.wind(timedelta(minutes=2))
        assert await settled(tools) == 1


async def has(kept: Deliveries, event: Any) -> bool:
    return event in await kept.processed()


class TestDeadLetters:
    @pytest.fixture(autouse=True)
    async def declared(self, tools: EventTools, monkeypatch: pytest.MonkeyPatch) -> Listener:
        declare(monkeypatch, listener := Listener())
        await ensure_places(tools)
        return listener

    @pytest.mark.parametrize("place", [1, 2])
    async def test_without_a_recorded_failure_it_goes_back(
        self, tools: EventTools, worker: Any, kept: Deliveries, place: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.events.upkeep.FIRST_DELAY_S", 0)
        event = await put_in(worker, KIND)
        await worker.execute("UPDATE events.outbox SET sent_at = now()")
        await queues(tools, NAME)[place].send(await all_events(tools))
        assert await returned(tools) == 1
        assert await queues(tools, NAME)[place].waiting() == 0
        async with at_work(tools):
            await until(lambda: has(kept, event))

    async def test_after_ten_times_it_is_left_to_people(
        self, tools: EventTools, worker: Any, kept: Deliveries, watch: Watch
    ) -> None:
        event = await put_in(worker, KIND)
        (record,) = await all_events(tools)
        _, dead, _ = queues(tools, NAME)
        for _ in range(MAX_RETURNS):
            await dead.send([record])
            assert await returned(tools) == 1
        await dead.send([record])
        assert await returned(tools) == 0
        assert await kept.failed() == {event: "its worker was killed, or what it needs was away, 10 times"}
        assert await dead.waiting() == 1

    async def test_what_was_acted_on_meanwhile_is_removed(self, tools: EventTools, worker: Any) -> None:
        event = await put_in(worker, KIND)
        await worker.execute(
            "INSERT INTO events.deliveries (consumer, event_id, processed_at) VALUES ($1, $2, now())", NAME, event
        )
        queue, dead, _ = queues(tools, NAME)
        await dead.send(await all_events(tools))
        assert await returned(tools) == 0
        assert (await dead.waiting(), await queue.waiting()) == (0, 0)

    async def test_a_recorded_failure_stays_until_people_ask_again(
        self, tools: EventTools, worker: Any, kept: Deliveries, declared: Listener
    ) -> None:
        event = await put_in(worker, KIND)
        await worker.execute("UPDATE events.outbox SET sent_at = now(), done_at = now()")
        await worker.execute(
            "INSERT INTO events.deliveries (consumer, event_id, failed_at, reason) VALUES ($1, $2, now(), 'x')",
            NAME,
            event,
        )
        queue, dead, _ = queues(tools, NAME)
        await dead.send(await all_events(tools))
        assert await returned(tools) == 0
        assert (await dead.waiting(), await queue.waiting()) == (1, 0)
        again = await redrive(places_of(tools, NAME), PostgresFailures(tools.database), tools.clock)
        assert again == [event]
        async with at_work(tools):
            await until(lambda: has(kept, event))
        assert declared.told == [event]
        assert await kept.failed() == {}
        assert await settled(tools) == 1

    def test_it_is_held_back_ever_longer_up_to_what_sqs_can(self) -> None:
        assert [delay_s(n) for n in (1, 2, 3, 7, 8, 10)] == [10, 20, 40, 640, 900, 900]


class TestEmulatorStartedAnew:
    """Its queues are in memory alone: what was in them is sent again from the outbox."""

    @pytest.fixture
    async def emulator(self, tmp_path: Path) -> AsyncIterator["Emulators"]:
        emulators = Emulators(DataDir(tmp_path))
        await emulators.start()
        yield emulators
        await emulators.kill()
        emulators.data_dir.release()

    @pytest.fixture
    def listener(self, monkeypatch: pytest.MonkeyPatch) -> Listener:
        declare(monkeypatch, listener := Listener())
        return listener

    @pytest.fixture
    async def mine(self, tools: EventTools, emulator: "Emulators", listener: Listener) -> AsyncIterator[EventTools]:
        async with Aws("ap-northeast-1", emulator.url, 5000, services=OF_EVENTS) as aws:
            yield replace(tools, aws=aws)

    async def test_nothing_is_lost(
        self, mine: EventTools, worker: Any, kept: Deliveries, watch: Watch, emulator: "Emulators", listener: Listener
    ) -> None:
        await ensure_places(mine)
        events = {await put_in(worker, KIND) for _ in range(15)}
        while await unsent(worker):
            await relay_of(mine).send_batch()
        assert await queues(mine, NAME)[0].waiting() == 15
        await emulator.kill()
        await emulator.start()
        async with at_work(mine):  # makes the places anew
            later = await put_in(worker, KIND)
            await until(lambda: has(kept, later))
            watch.wind(FORGOTTEN_AFTER + timedelta(seconds=1))
            await settled(mine)
            await until(lambda: all_of(kept, events))
        assert set(listener.told) == events | {later}

    async def test_a_worker_that_goes_on_meanwhile_makes_the_places_anew(
        self, mine: EventTools, worker: Any, kept: Deliveries, watch: Watch, emulator: "Emulators"
    ) -> None:
        async with at_work(mine):
            first = await put_in(worker, KIND)
            await until(lambda: has(kept, first))
            await emulator.kill()
            second = await put_in(worker, KIND)
            await emulator.start()
            await until(lambda: are_made(mine))

            async def comes() -> bool:
                # a bus is there before its rules: what it is sent between the two it forgets
                watch.wind(FORGOTTEN_AFTER + timedelta(seconds=1))
                await settled(mine)
                return await has(kept, second)

            await until(comes)


async def are_made(tools: EventTools) -> bool:
    try:
        for queue in queues(tools, NAME):
            await queue.waiting()
    except PlacesAreGone:
        return False
    return True


async def all_of(kept: Deliveries, events: set[Any]) -> bool:
    return events <= await kept.processed()


class Emulators:
    """One emulator after the other on the same port and folder."""

    def __init__(self, data_dir: DataDir) -> None:
        data_dir.acquire()
        self.data_dir = data_dir
        self._emulator = Emulator(data_dir, remembered_ports(data_dir.ports, ("aws",))["aws"])
        self._part: Any = None

    @property
    def url(self) -> str:
        return self._emulator.url

    async def start(self) -> None:
        self._part = self._emulator.spawn()
        await self._emulator.ready(self._part)

    async def kill(self) -> None:
        os.kill(self._part.pid, signal.SIGKILL)
        await self._part.finished()
