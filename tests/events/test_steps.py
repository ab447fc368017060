"""A consumer that goes step by step: each step of it has the time of a message, and not the whole."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.postgres.events_deliveries import PostgresDeliveries
from composition.pipeline import EventTools, ensure_places
from domain.events.handling import Handling
from domain.events.ports import Delivery
from infra import messages
from infra.messages import QueueLoop
from infra.worker import Stop
from tests.events.consumers import KIND, NAME, declare
from tests.events.places import Deliveries, all_events, put_in, queues


class Sweep:
    """Comes so far twice; then the time of a step is over before it comes further."""

    name = NAME
    types = frozenset({KIND})
    went = 0

    def __init__(self, run_out: Callable[[], None]) -> None:
        self._run_out = run_out

    async def consume(self, delivery: Delivery) -> None:
        raise AssertionError("it goes step by step")

    async def consume_stepwise(self, delivery: Delivery, step: Callable[[], None]) -> None:
        for _ in range(2):
            step()
            self.went += 1
        self._run_out()
        step()
        await asyncio.Event().wait()


async def test_each_step_has_the_time_of_a_message(
    tools: EventTools, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep(lambda: monkeypatch.setattr(messages, "LONGEST_S", 0))
    declare(monkeypatch, sweep)
    await ensure_places(tools)
    event = await put_in(worker, KIND)
    queue, _, _ = queues(tools, NAME)
    await queue.send(await all_events(tools))
    deliveries, stop = PostgresDeliveries(tools.database), Stop()
    loop = QueueLoop(NAME, queue, Handling(sweep, deliveries, tools.clock, stop.within), stop, ensure=nothing)
    [message] = await queue.receive(wait_s=5)
    working = asyncio.create_task(loop.work(message))
    await asyncio.wait({working}, timeout=60)
    with pytest.raises(TimeoutError):  # of the last step: the first limit of ten minutes is far
        await working
    assert sweep.went == 2
    assert await Deliveries(worker, NAME).processed() == set()
    assert event


async def nothing() -> None:
    """All places are there."""
