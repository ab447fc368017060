"""Streams that are watched: each event once and in order, whatever the channel loses, repeats or turns round."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from adapters.postgres.events import put_out
from adapters.postgres.events_streams import PostgresUntold
from composition import pipeline
from composition.pipeline import EventTools, open_teller
from domain.events import live as rules
from domain.events.live import LiveStreams
from domain.events.streams import CursorExpired
from domain.shared.events import Event
from domain.shared.refusals import InvalidCursor, NotFound, Unavailable
from domain.shared.viewer import ANONYMOUS, Viewer
from infra.worker import Stop
from tests.events.conftest import until
from tests.events.live import ADMIN, CountedStreams, live_of, streams_of, watched
from tests.events.places import all_events
from tests.relay import relayed


@pytest.fixture
def stream() -> str:
    return f"seller/{uuid4()}"


@pytest.fixture
async def store(tools: EventTools) -> AsyncIterator[CountedStreams]:
    async with streams_of(tools.settings) as store:
        yield store


async def put(tools: EventTools, stream: str, count: int = 1) -> None:
    async with tools.database.transaction(ANONYMOUS) as connection:
        await put_out(connection, [Event("Tested", "test", uuid4(), {"n": n}, stream) for n in range(count)])


@asynccontextmanager
async def telling(tools: EventTools) -> AsyncIterator[None]:
    """A worker tells those who watch, for the block."""
    stop = Stop()
    async with open_teller(tools) as teller:
        loop = asyncio.create_task(pipeline.telling(tools, teller, stop).run())
        try:
            yield
        finally:
            stop.ask()
            await loop


async def taken(watching: Any, count: int) -> Sequence[int]:
    async with asyncio.timeout(30):
        return [await anext(watching) for _ in range(count)]


def number(sequence: int, _: object) -> int:
    return sequence


class Silent:
    """A channel on which only comes what a test says: Redis loses and repeats nothing on demand."""

    is_up = True

    async def join(self, stream: str) -> None:
        """It says nothing anyway."""

    def leave(self, stream: str) -> None:
        """Neither."""


class TestWhatAChannelTells:
    @pytest.mark.parametrize("seed", range(10))
    async def test_in_any_order_and_several_times_comes_once_and_in_order(
        self, tools: EventTools, store: CountedStreams, stream: str, seed: int
    ) -> None:
        dice = random.Random(seed)
        live = LiveStreams(store, Silent())
        await put(tools, stream, 3)
        watching = await live.watch(ADMIN, stream, None, number)
        [head] = await taken(watching, 1)
        await put(tools, stream, 30)
        records = [record for record in await all_events(tools) if record.event.stream == stream]
        told = [record for record in records for _ in range(dice.choice((0, 1, 1, 2, 3)))]
        dice.shuffle(told)
        for record in told:
            live.told(record)
        await live.look()
        assert await taken(watching, 30) == [head + n for n in range(1, 31)]
        assert store.readings <= 3
        await watching.aclose()

    async def test_what_is_told_in_order_is_not_read_once_more(
        self, tools: EventTools, store: CountedStreams, stream: str
    ) -> None:
        live = LiveStreams(store, Silent())
        watching = await live.watch(ADMIN, stream, 0, number)
        await put(tools, stream, 5)
        await live.look()  # the first one has no number before it
        await taken(watching, 5)
        await put(tools, stream, 5)
        readings = store.readings
        for record in sorted(await all_events(tools), key=lambda record: record.sequence or 0):
            live.told(record)
        await taken(watching, 5)
        assert store.readings == readings

    async def test_for_who_does_not_read_little_is_kept_and_nothing_is_lost(
        self, tools: EventTools, store: CountedStreams, stream: str
    ) -> None:
        live = LiveStreams(store, Silent())
        await put(tools, stream)
        watching = await live.watch(ADMIN, stream, None, number)
        [head] = await taken(watching, 1)
        await put(tools, stream, 3 * rules.WAITING + 7)
        for record in await all_events(tools):
            live.told(record)
            assert len(watching._heard) <= rules.WAITING
        expected = [head + n for n in range(1, 3 * rules.WAITING + 8)]
        assert await taken(watching, len(expected)) == expected

    async def test_nothing_is_kept_of_who_has_gone(self, store: CountedStreams, stream: str) -> None:
        live = LiveStreams(store, Silent())
        for _ in range(3):
            watching = await live.watch(ADMIN, stream, None, number)
            await watching.aclose()
            await watching.aclose()
        with pytest.raises(NotFound):
            await live.watch(Viewer(), stream, None, number)
        assert not live._watching


class TestPlaces:
    async def test_a_stream_in_which_nothing_happened_is_watched_from_its_beginning(
        self, tools: EventTools, store: CountedStreams, stream: str
    ) -> None:
        live = LiveStreams(store, Silent())
        watching = await live.watch(ADMIN, stream, None, number)
        assert await taken(watching, 1) == [0]
        await put(tools, stream, 2)
        await live.look()
        first, second = await taken(watching, 2)
        assert second == first + 1
        again = await live.watch(ADMIN, stream, 0, number)
        assert await taken(again, 2) == [first, second]

    async def test_what_is_no_longer_kept_is_said(
        self, tools: EventTools, store: CountedStreams, stream: str, worker: Any
    ) -> None:
        live = LiveStreams(store, Silent())
        await put(tools, stream, 3)
        first = await first_of(tools, stream)
        await worker.execute("DELETE FROM events.outbox WHERE sequence <= $1", first + 1)
        with pytest.raises(CursorExpired):
            await live.watch(ADMIN, stream, first, number)
        good = await live.watch(ADMIN, stream, first + 1, number)
        assert await taken(good, 1) == [first + 2]
        await worker.execute("DELETE FROM events.outbox")
        with pytest.raises(CursorExpired):
            await live.watch(ADMIN, stream, first + 1, number)
        with pytest.raises(InvalidCursor):
            await live.watch(ADMIN, stream, first + 3, number)
        here = await live.watch(ADMIN, stream, first + 2, number)
        await here.aclose()


class TestRedis:
    @pytest.mark.bench
    async def test_p99_from_the_commit_to_who_watches_is_below_a_second(self, tools: EventTools, stream: str) -> None:
        async with telling(tools), watched(tools.settings, stream) as (watching, _):
            await taken(watching, 1)
            took = []
            for _ in range(200):
                began = time.monotonic()
                await put(tools, stream)
                await taken(watching, 1)
                took.append(time.monotonic() - began)
        assert sorted(took)[197] < 1

    async def test_two_tellers_side_by_side_tell_everything_and_it_comes_in_order(
        self, tools: EventTools, stream: str, worker: Any
    ) -> None:
        async with telling(tools), telling(tools), watched(tools.settings, stream) as (watching, _):
            [head] = await taken(watching, 1)
            await asyncio.gather(*(put(tools, stream, 10) for _ in range(30)))
            numbers = await taken(watching, 300)
            assert len(set(numbers)) == 300
            assert list(numbers) == sorted(numbers)
            assert numbers[0] > head
        assert await worker.fetchval("SELECT count(*) FROM events.untold") == 0

    async def test_a_silent_cut_is_noticed_looked_around_at_a_modest_rate_and_healed(
        self, tools: EventTools, stream: str
    ) -> None:
        async with (
            telling(tools),
            relayed(tools.settings.redis_url.get_secret_value()) as (relay, url),
            live_of(tools.settings, url) as (live, channels, store),
        ):
            await until_is(channels, up=True)
            watchers = [await live.watch(ADMIN, stream, None, number) for _ in range(3)]
            [(head,), *_] = [await taken(each, 1) for each in watchers]
            others = [await live.watch(ADMIN, f"seller/{uuid4()}", None, number) for _ in range(50)]
            relay.flowing.clear()
            await put(tools, stream)  # nobody hears it
            await until_is(channels, up=False)
            began, looks = time.monotonic(), store.looks
            for each in watchers:
                assert await taken(each, 1) == [(head or await first_of(tools, stream) - 1) + 1]
            await put(tools, stream, 2)
            for each in watchers:
                await taken(each, 2)
            # one statement for all streams, about once a second; and whenever the listener has tried in vain
            assert store.looks - looks <= 2 * (time.monotonic() - began) + 3
            readings = store.readings
            relay.flowing.set()
            await until_is(channels, up=True)
            live.heard.clear()
            await put(tools, stream)
            for each in watchers:
                await taken(each, 1)
            await until_heard(live.heard)
            assert store.readings <= readings + len(watchers)  # those who had nothing to catch up with read nothing
            for each in (*watchers, *others):
                await each.aclose()

    async def test_who_comes_while_redis_is_away_is_told_all_the_same(self, tools: EventTools, stream: str) -> None:
        nowhere = "redis://127.0.0.1:9/0"
        async with live_of(tools.settings, nowhere) as (live, channels, _):
            watching = await live.watch(ADMIN, stream, None, number)
            await taken(watching, 1)
            assert not channels.is_up
            await put(tools, stream, 2)
            await taken(watching, 2)
            await watching.aclose()

    async def test_without_redis_a_teller_keeps_what_is_untold(
        self, tools: EventTools, stream: str, worker: Any
    ) -> None:
        await put(tools, stream, 3)
        away = tools.settings.model_copy(update={"redis_url": type(tools.settings.redis_url)("redis://127.0.0.1:9/0")})
        nowhere = EventTools(away, tools.database, tools.aws, tools.clock)
        async with open_teller(nowhere) as teller:
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await teller.tell_batch()
        assert await worker.fetchval("SELECT count(*) FROM events.untold") == 3
        async with open_teller(tools) as teller:
            assert await teller.tell_batch() == 3
            assert await teller.tell_batch() == 0

    async def test_a_stream_is_subscribed_to_as_long_as_somebody_watches(self, tools: EventTools, stream: str) -> None:
        async with live_of(tools.settings) as (live, channels, _), open_teller(tools) as teller:
            await until_is(channels, up=True)
            dice = random.Random(1)
            watchers: list[Any] = []
            for _ in range(60):
                if watchers and dice.random() < 0.6:
                    await watchers.pop().aclose()
                else:
                    watchers.append(await live.watch(ADMIN, stream, None, number))
                    await taken(watchers[-1], 1)
                    await put(tools, stream)
                    await teller.tell_batch()
                    for each in watchers:
                        await taken(each, 1)
            for each in watchers:
                await each.aclose()
            live.heard.clear()

            async def nobody_hears() -> bool:
                await put(tools, stream)
                await teller.tell_batch()
                before = len(live.heard)
                await put(tools, stream)
                await teller.tell_batch()
                return len(live.heard) == before

            await until(nobody_hears)

    async def test_events_of_no_stream_are_nobodys_to_tell(self, tools: EventTools) -> None:
        async with tools.database.transaction(ANONYMOUS) as connection:
            await put_out(connection, [Event("Tested", "test", uuid4())])
        async with PostgresUntold(tools.database).batch(10) as events:
            assert events == []


async def until_is(channels: Any, *, up: bool) -> None:
    async def holds() -> bool:
        return bool(channels.is_up) is up

    await until(holds)


async def until_heard(heard: list[int]) -> None:
    async def holds() -> bool:
        return bool(heard)

    await until(holds)


async def first_of(tools: EventTools, stream: str) -> int:
    return min(record.sequence or 0 for record in await all_events(tools) if record.event.stream == stream)
