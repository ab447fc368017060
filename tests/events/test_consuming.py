"""A worker and its queues: once each, kept from others while it is at it, left to people when it fails."""

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import text

from adapters.aws import queues as sqs
from adapters.postgres.events_deliveries import first_time
from composition import pipeline
from composition.pipeline import EventTools, ensure_places
from domain.events import handling
from domain.events.ports import Delivery, GivenUp, PlacesAreGone
from domain.shared.clock import SystemClock
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS
from infra import messages
from tests.events.conftest import at_work, until
from tests.events.consumers import KIND, NAME, Listener, declare
from tests.events.places import Deliveries, all_events, put_in, queues, unsent


@pytest.fixture
def kept(worker: Any) -> Deliveries:
    return Deliveries(worker, NAME)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts, and before a message comes again."""
    monkeypatch.setattr(handling, "PAUSES_S", (0, 0, 0))
    monkeypatch.setattr(handling, "COMES_AGAIN_S", 0)


async def is_in(tools: EventTools, place: int, count: int) -> bool:
    try:
        return await queues(tools, NAME)[place].waiting() == count
    except PlacesAreGone:  # the worker is still making them
        return False


async def drained(tools: EventTools, worker: Any) -> bool:
    return await unsent(worker) == 0 and await is_in(tools, 0, 0)


async def test_a_message_that_comes_three_times_at_once_has_one_effect(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect is in PostgreSQL, and so is that it happened; three workers are at it."""
    begun = asyncio.Barrier(3)

    async def act(delivery: Delivery) -> None:
        await begun.wait()
        async with tools.database.transaction(ANONYMOUS) as connection:
            if await first_time(connection, NAME, delivery.record.id, SystemClock().now()):
                await connection.execute(
                    text("UPDATE events.outbox SET attempts = attempts + 1 WHERE id = :id"), {"id": delivery.record.id}
                )

    declare(monkeypatch, Listener(act))
    await ensure_places(tools)
    event = await put_in(worker, KIND)
    records = await all_events(tools)
    await queues(tools, NAME)[0].send(records * 3)
    await worker.execute("UPDATE events.outbox SET sent_at = now()")
    async with at_work(tools), at_work(tools), at_work(tools):
        await until(lambda: drained(tools, worker))
    assert await kept.processed() == {event}
    assert await worker.fetchval("SELECT attempts FROM events.outbox WHERE id = $1", event) == 1


async def test_a_failure_is_recorded_with_its_place_and_the_message_becomes_a_dead_letter(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(delivery: Delivery) -> None:
        raise ZeroDivisionError("hanako@example.com")

    declare(monkeypatch, listener := Listener(act))
    event = await put_in(worker, KIND)
    async with at_work(tools):
        await until(lambda: is_in(tools, 1, 1))
    assert listener.told == [event] * 4
    (row,) = await kept.rows()
    assert (row["event_id"], row["attempts"]) == (event, 4)
    assert row["reason"].startswith("ZeroDivisionError in test_consuming.py:")


async def test_what_is_hopeless_is_tried_once(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(delivery: Delivery) -> None:
        raise GivenUp("the shop front answered 404")

    declare(monkeypatch, listener := Listener(act))
    event = await put_in(worker, KIND)
    async with at_work(tools):
        await until(lambda: is_in(tools, 1, 1))
    assert listener.told == [event]
    assert await kept.failed() == {event: "the shop front answered 404"}


async def test_an_outage_is_nobodys_failure(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(delivery: Delivery) -> None:
        raise Unavailable("SES")

    declare(monkeypatch, Listener(act))
    await put_in(worker, KIND)
    async with at_work(tools):
        await until(lambda: is_in(tools, 1, 1))
    assert await kept.rows() == []


async def test_one_failure_holds_up_nothing(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await put_in(worker, KIND)

    async def act(delivery: Delivery) -> None:
        if delivery.record.id == bad:
            raise ZeroDivisionError

    declare(monkeypatch, Listener(act))
    good = {await put_in(worker, KIND) for _ in range(5)}
    async with at_work(tools):
        await until(lambda: is_in(tools, 1, 1))
        await until(lambda: drained(tools, worker))
    assert await kept.processed() == good


async def test_what_takes_long_is_kept_from_others_for_as_long(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqs, "VISIBLE_AGAIN_S", 1)
    monkeypatch.setattr(messages, "HEARTBEAT_S", 0.2)

    async def act(delivery: Delivery) -> None:
        began = asyncio.get_running_loop().time()
        await until(lambda: later(began + 3))

    async def later(time: float) -> bool:
        return asyncio.get_running_loop().time() > time

    declare(monkeypatch, listener := Listener(act))
    event = await put_in(worker, KIND)
    async with at_work(tools), at_work(tools):
        await until(lambda: drained(tools, worker))
    assert listener.told == [event]
    assert await kept.processed() == {event}


async def test_without_the_heartbeat_another_would_have_begun(
    tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a worker is frozen: the message comes again, and may be acted on by two."""
    monkeypatch.setattr(sqs, "VISIBLE_AGAIN_S", 1)
    go = asyncio.Event()

    async def act(delivery: Delivery) -> None:
        await go.wait()

    declare(monkeypatch, listener := Listener(act))
    event = await put_in(worker, KIND)
    async with at_work(tools), at_work(tools):
        await until(lambda: two(listener))
        go.set()
        await until(lambda: drained(tools, worker))
    assert listener.told == [event] * 2


async def two(listener: Listener) -> bool:
    return len(listener.told) == 2


async def test_a_stop_finishes_the_message_at_work_and_begins_no_other(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def act(delivery: Delivery) -> None:
        begun.set()
        await go.wait()

    declare(monkeypatch, listener := Listener(act))
    for _ in range(3):
        await put_in(worker, KIND)
    async with at_work(tools) as stop:
        await asyncio.wait_for(begun.wait(), 30)
        stop.ask()
        go.set()
    assert len(await kept.processed()) == len(listener.told) == 1
    assert await queues(tools, NAME)[0].waiting() == 2


async def test_after_the_grace_the_message_is_given_up_and_comes_again(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqs, "VISIBLE_AGAIN_S", 1)
    begun = asyncio.Event()

    async def act(delivery: Delivery) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()

    declare(monkeypatch, Listener(act))
    event = await put_in(worker, KIND)
    async with at_work(tools, grace_s=0) as stop:
        await asyncio.wait_for(begun.wait(), 30)
        stop.ask()
    async with at_work(tools):
        await until(lambda: drained(tools, worker))
    assert await kept.processed() == {event}


async def test_what_is_no_event_becomes_a_dead_letter_and_stays_one(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    declare(monkeypatch, listener := Listener())
    await ensure_places(tools)
    url = (await tools.aws.sqs.get_queue_url(QueueName=tools.names.queue(NAME)))["QueueUrl"]
    for body in ("no JSON", "[]", '{"detail-type": "x"}', '{"specversion": "1.0", "id": 5}'):
        await tools.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    async with at_work(tools):
        await until(lambda: is_in(tools, 1, 4))
    assert listener.told == []
    assert [n async for n in pipeline.upkeep_of(tools).return_dead_letters()] == [0]
    assert await is_in(tools, 1, 4)
    assert "a message is no event" in caplog.text


async def test_an_event_that_is_no_longer_there_is_acted_on_no_more(
    tools: EventTools, worker: Any, kept: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, listener := Listener())
    await ensure_places(tools)
    await put_in(worker, KIND)
    records = await all_events(tools)
    await worker.execute("DELETE FROM events.outbox")
    await queues(tools, NAME)[0].send(records)
    async with at_work(tools):
        await until(lambda: drained(tools, worker))
    assert listener.told == []


@pytest.mark.bench
async def test_from_commit_to_consumer_takes_less_than_a_second(
    tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, came = asyncio.get_running_loop(), {}

    async def act(delivery: Delivery) -> None:
        came[delivery.record.id] = loop.time()

    declare(monkeypatch, Listener(act))
    await ensure_places(tools)
    written = {}
    async with at_work(tools):
        for _ in range(100):
            key = await put_in(worker, KIND)
            written[key] = loop.time()
            await until(lambda: has(came, key))  # noqa: B023
    late = sorted(came[key] - written[key] for key in written)
    logging.getLogger("torii.tests").info("to the consumer: median %.3f s, p99 %.3f s", late[50], late[98])
    assert late[98] < 1


async def has(things: dict[Any, Any], key: Any) -> bool:
    return key in things
