"""Workers that end with -9 between any two lines: nothing is lost, and nothing is acted on twice."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from composition.pipeline import EventTools, ensure_places, open_teller, upkeep_of
from infra import messages
from tests.events.conftest import at_work, until
from tests.events.consumers import KIND, NAME, Listener, declare
from tests.events.killed import Counting
from tests.events.live import watched
from tests.events.places import Deliveries, all_events, put_in, queues, unsent

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("EVENT_KILLS", "8"))


async def killed(corner: dict[str, str], tools: EventTools, folder: Path, what: str, kills: int) -> tuple[int, int]:
    """How many processes were killed, and among how many lines."""
    environment = {
        **os.environ,
        **corner,
        "TORII_EVENT_PREFIX": tools.settings.event_prefix,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tests.events.killed", what, str(kills)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    count, lines = done.stdout.split()
    return int(count), int(lines)


async def test_a_relay_that_is_killed_anywhere_loses_nothing(
    tools: EventTools, worker: Any, corner: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, listener := Listener())
    await ensure_places(tools)
    count, lines = await killed(corner, tools, tmp_path, "relay", KILLS)
    assert lines > 30
    assert count == KILLS
    events = {record.id for record in await all_events(tools)}
    assert len(events) > 1

    async def is_told() -> bool:
        return events <= set(listener.told)

    async with at_work(tools):
        await until(is_told)
    assert await unsent(worker) == 0
    assert await Deliveries(worker, NAME).processed() == events


async def test_a_teller_that_is_killed_anywhere_leaves_nothing_untold(
    tools: EventTools, worker: Any, corner: dict[str, str], tmp_path: Path
) -> None:
    await worker.execute("DELETE FROM events.streams")
    async with watched(tools.settings, f"seller/{UUID(int=7)}", after=0) as (watching, heard):
        count, lines = await killed(corner, tools, tmp_path, "teller", KILLS)
        assert lines > 15
        assert count == KILLS
        numbers = [record.sequence for record in await all_events(tools)]
        assert len(numbers) > 1
        async with open_teller(tools) as teller:
            while await teller.tell_batch():
                pass
        assert [await anext(watching) for _ in numbers] == numbers
        async with asyncio.timeout(60):
            while set(heard) != set(numbers):  # every one of them was told, some of them twice
                await asyncio.sleep(0.01)


async def test_a_consumer_that_is_killed_anywhere_acts_once(
    tools: EventTools, worker: Any, corner: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.events.upkeep.FIRST_DELAY_S", 0)
    monkeypatch.setattr(messages, "POLL_QUEUE_S", 1)
    declare(monkeypatch, Counting(tools))
    await ensure_places(tools)
    events = {await put_in(worker, KIND) for _ in range(KILLS + 1)}
    await worker.execute("UPDATE events.outbox SET sent_at = now()")
    await queues(tools, NAME)[0].send(await all_events(tools))
    count, lines = await killed(corner, tools, tmp_path, "consumer", KILLS)
    assert lines > 30
    assert count >= KILLS - 1
    kept = Deliveries(worker, NAME)

    async def all_are_processed() -> bool:
        async for _ in upkeep_of(tools).return_dead_letters():
            pass
        return await kept.processed() == events

    async with at_work(tools):
        await until(all_are_processed, within_s=60)
    acted: list[tuple[UUID, int]] = [
        (row["id"], row["attempts"]) for row in await worker.fetch("SELECT id, attempts FROM events.outbox")
    ]
    assert sorted(acted) == sorted((event, 1) for event in events)
    assert await kept.failed() == {}
