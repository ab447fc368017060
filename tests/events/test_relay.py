"""The relay on a real outbox: nothing is left out, nothing waits for what is late, and a bus that fails loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.events import PostgresOutbox, put_out
from composition.pipeline import EventTools, ensure_places
from domain.events.cloud_events import MalformedEvent, cloud_event, read_cloud_event
from domain.events.relay import Relay, pause_s
from domain.shared.clock import SystemClock
from domain.shared.events import Event, EventId, EventRecord
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS
from tests.events.consumers import KIND, Listener, declare
from tests.events.places import put_in, queues, relay_of, unsent
from tests.postgres.shop import connect
from tests.watch import Watch


class FaultyBus:
    """Refuses events, or fails, as it is told: EventBridge does so when it likes."""

    def __init__(self) -> None:
        self.refused: set[UUID] = set()
        self.is_down = False
        self.taken: list[UUID] = []

    async def publish(self, events: Sequence[EventRecord]) -> Mapping[EventId, str]:
        if self.is_down:
            raise Unavailable("the bus")
        await asyncio.sleep(0)
        self.taken += [each.id for each in events if each.id not in self.refused]
        return {each.id: "ThrottlingException" for each in events if each.id in self.refused}


@pytest.fixture
def bus() -> FaultyBus:
    return FaultyBus()


@pytest.fixture
async def second(tools: EventTools) -> AsyncIterator[Any]:
    connection = await connect(tools.settings.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


async def test_what_commits_late_is_sent_though_younger_events_went_before(
    tools: EventTools, worker: Any, second: Any, bus: FaultyBus
) -> None:
    relay = Relay(PostgresOutbox(tools.database), bus, SystemClock())
    late = second.transaction()
    await late.start()
    first = await put_in(second)
    then = await put_in(worker)
    assert first < then
    await relay.send_batch()
    assert bus.taken == [then]
    await late.commit()
    await relay.send_batch()
    assert bus.taken == [then, first]
    assert await unsent(worker) == 0


async def test_relays_side_by_side_send_each_event_once(tools: EventTools, worker: Any, bus: FaultyBus) -> None:
    ids = [await put_in(worker) for _ in range(250)]
    relays = [Relay(PostgresOutbox(tools.database), bus, SystemClock()) for _ in range(4)]

    async def drain(relay: Relay) -> None:
        while await unsent(worker_of[relay]):
            await relay.send_batch()

    others = [await connect(tools.settings.database_worker_url.get_secret_value()) for _ in relays]
    worker_of = dict(zip(relays, others, strict=True))
    await asyncio.gather(*map(drain, relays))
    for each in others:
        await each.close()
    assert sorted(bus.taken) == ids


async def test_what_the_bus_refuses_is_tried_again_a_little_later_and_holds_up_nothing(
    tools: EventTools, worker: Any, bus: FaultyBus
) -> None:
    watch = Watch(SystemClock().now())
    relay = Relay(PostgresOutbox(tools.database), bus, watch)
    refused, others = await put_in(worker), [await put_in(worker) for _ in range(12)]
    bus.refused = {refused}
    await relay.send_batch()
    assert sorted(bus.taken) == others
    for pause in (1, 2, 4):
        assert await relay.send_batch() == 0
        watch.wind(timedelta(seconds=pause))
        assert await relay.send_batch() == 1
    bus.refused = set()
    watch.wind(timedelta(seconds=8))
    await relay.send_batch()
    assert bus.taken[-1] == refused
    assert await unsent(worker) == 0


async def test_a_bus_that_is_down_leaves_all_as_it_was(tools: EventTools, worker: Any, bus: FaultyBus) -> None:
    relay = Relay(PostgresOutbox(tools.database), bus, SystemClock())
    await put_in(worker)
    bus.is_down = True
    with pytest.raises(Unavailable):
        await relay.send_batch()
    assert await unsent(worker) == 1
    bus.is_down = False
    assert await relay.send_batch() == 1
    assert await unsent(worker) == 0


def test_pauses_are_1_2_4_seconds_and_end_at_30() -> None:
    assert [pause_s(n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


async def test_events_come_out_of_the_queue_as_they_were_written(
    tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, Listener())
    await ensure_places(tools)
    told = Event(KIND, "order", UUID(int=5), {"text": '<id> "日本" {x}', "n": 7}, stream="order/5")
    async with tools.database.transaction(ANONYMOUS) as connection:
        await put_out(connection, [told, told])
    await relay_of(tools).send_batch()
    queue, _, _ = queues(tools, "listener")
    came = [message.record for _ in range(2) for message in await queue.receive(wait_s=2)]
    assert [each.event for each in came if each] == [told, told]
    assert len({each.sequence for each in came if each}) == 2


class TestCloudEvents:
    def test_there_and_back(self) -> None:
        record = EventRecord(EventId(UUID(int=1)), Event("T", "user", UUID(int=2), {"a": 1}), SystemClock().now())
        told = cloud_event(record)
        assert told["specversion"] == "1.0"
        assert (told["subject"], told["datacontenttype"]) == (f"user/{UUID(int=2)}", "application/json")
        assert read_cloud_event(told) == record

    @pytest.mark.parametrize(
        "wrong", [None, [], {}, {"specversion": "1.0"}, {"specversion": "0.3"}, {"subject": "x"}, {"time": 5}]
    )
    def test_what_is_none_is_refused(self, wrong: Any) -> None:
        record = EventRecord(EventId(UUID(int=1)), Event("T", "user", UUID(int=2)), SystemClock().now())
        told = (
            cloud_event(record) | wrong if isinstance(wrong, dict) and "specversion" not in wrong and wrong else wrong
        )
        with pytest.raises(MalformedEvent):
            read_cloud_event(told)


class TestStreams:
    async def test_numbers_of_a_stream_appear_in_their_order(self, tools: EventTools, worker: Any) -> None:
        """Whoever sees a number sees all that are smaller: writers wait for each other."""
        seen: list[int] = []

        async def write() -> None:
            async with tools.database.transaction(ANONYMOUS) as connection:
                await put_out(connection, [Event("T", "order", UUID(int=5), stream="order/5") for _ in range(3)])

        async def look() -> None:
            while len(seen) < 24:
                rows = await worker.fetch(
                    "SELECT sequence FROM events.outbox WHERE stream = 'order/5' ORDER BY sequence"
                )
                numbers = [row["sequence"] for row in rows]
                assert numbers[: len(seen)] == seen
                seen[:] = numbers

        await asyncio.gather(look(), *(write() for _ in range(8)))
        assert seen == list(range(seen[0], seen[0] + 24))

    async def test_a_stream_that_was_forgotten_goes_on_above_its_old_numbers(
        self, tools: EventTools, worker: Any
    ) -> None:
        async def number() -> int:
            async with tools.database.transaction(ANONYMOUS) as connection:
                await put_out(connection, [Event("T", "order", UUID(int=6), stream="order/6")])
            return int(await worker.fetchval("SELECT max(sequence) FROM events.outbox WHERE stream = 'order/6'"))

        before = [await number(), await number()]
        await worker.execute("DELETE FROM events.streams WHERE stream = 'order/6'")
        assert await number() > before[1] > before[0]
