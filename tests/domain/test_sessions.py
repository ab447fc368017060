"""Sessions by the clock: what a request reads and writes, and for how long what was read is believed."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.accounts.model import Device, SessionState, Sighting
from domain.accounts.refusals import SessionEnded
from domain.accounts.sessions import MEMORY_S, Sessions
from domain.shared.ids import SessionId, UserId, uuid7
from domain.shared.refusals import Unavailable
from engine.transport.socket_watch import WATCH_EVERY_S
from tests.watch import Watch


class Store:
    """States by session, with what was asked and written; it can be away."""

    def __init__(self) -> None:
        self.known: dict[SessionId, SessionState] = {}
        self.reads = 0
        self.writes: list[Sighting] = []
        self.is_away = False

    async def states(self, ids: Sequence[SessionId]) -> list[SessionState | None]:
        self.reads += 1
        self._answer()
        return [self.known.get(each) for each in ids]

    async def seen(self, sighting: Sighting) -> SessionState:
        self._answer()
        self.writes.append(sighting)
        state = self.known.get(sighting.session_id)
        if state is None or not state.is_revoked:
            state = self.known[sighting.session_id] = SessionState(sighting.at)
        return state

    def _answer(self) -> None:
        if self.is_away:
            raise Unavailable("DynamoDB")

    revoke: Any = None
    of_user: Any = None


@pytest.fixture
def store() -> Store:
    return Store()


def seen(watch: Watch) -> Sighting:
    return Sighting(SessionId(uuid4()), UserId(uuid7()), watch.now(), watch.now(), Device())


@asynccontextmanager
async def moving(sessions: Sessions) -> Any:
    job = asyncio.create_task(sessions.keep_moving())
    yield
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job


async def test_a_session_begins_with_its_first_request_and_its_next_ones_write_nothing(store: Store) -> None:
    watch = Watch()
    sessions, first = Sessions(store, watch), seen(watch)
    async with moving(sessions):
        for second in range(60):
            await sessions.admit(replace(first, at=watch.now() + timedelta(seconds=second)))
    assert (len(store.writes), store.reads) == (1, 1)


async def test_its_last_use_is_written_once_a_minute_after_the_answer(store: Store) -> None:
    watch = Watch()
    sessions, first = Sessions(store, watch), seen(watch)
    await sessions.admit(first)
    later = replace(first, at=watch.now() + timedelta(minutes=1))
    for _ in range(5):
        await sessions.admit(later)
    assert store.writes == [first]
    async with moving(sessions), asyncio.timeout(60):
        while len(store.writes) < 2:
            await asyncio.sleep(0)
        await sessions.admit(later)
    assert store.writes == [first, later]


async def test_an_outage_while_it_is_written_down_ends_nothing(store: Store) -> None:
    watch = Watch()
    sessions, first = Sessions(store, watch, memory_s=3600), seen(watch)
    await sessions.admit(first)
    later = replace(first, at=watch.now() + timedelta(minutes=1))
    store.is_away = True
    async with moving(sessions), asyncio.timeout(60):
        await sessions.admit(later)
        while sessions._waiting:
            await asyncio.sleep(0)
        store.is_away = False
        await sessions.admit(later)
        while len(store.writes) < 2:
            await asyncio.sleep(0)


async def test_a_token_that_is_still_valid_starts_the_next_period_of_an_idle_session(store: Store) -> None:
    watch = Watch()
    sessions, first = Sessions(store, watch), seen(watch)
    await sessions.admit(first)
    again = replace(first, at=watch.now() + timedelta(minutes=30))
    await sessions.admit(again)
    assert store.writes == [first, again]


async def test_a_revoked_session_is_not_let_in_nor_written(store: Store) -> None:
    watch = Watch()
    sessions, first = Sessions(store, watch), seen(watch)
    store.known[first.session_id] = SessionState(watch.now(), is_revoked=True)
    for later in (timedelta(), timedelta(hours=5)):
        with pytest.raises(SessionEnded):
            await sessions.admit(replace(first, at=watch.now() + later))
    assert store.writes == []


async def test_nobody_is_let_in_on_a_guess(store: Store) -> None:
    watch = Watch()
    sessions = Sessions(store, watch)
    store.is_away = True
    with pytest.raises(Unavailable):
        await sessions.admit(seen(watch))


def test_what_is_remembered_and_looked_at_together_stays_below_a_second() -> None:
    assert MEMORY_S + WATCH_EVERY_S < 1
