"""Sessions: a sign-in with all tokens that were refreshed from it. Who is signed out stays signed out.

A session is active while it is used. 30 minutes after its last request it is idle; a token that is still valid starts its next
period, under the same id. All are kept for as long as any token of them can live: idle ones so that they can be ended, ended
ones so that they stay it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.accounts.model import SESSION_IDLE, Session, SessionState, Sighting
from domain.accounts.ports import SessionStore
from domain.accounts.refusals import SessionEnded, SessionNotFound
from domain.shared.clock import Clock
from domain.shared.ids import SessionId
from domain.shared.refusals import Unavailable
from domain.shared.short_memory import ShortMemory
from domain.shared.viewer import Viewer

MOVE_EVERY = timedelta(minutes=1)
"""How often `last_seen_at` moves at most: the requests in between write nothing."""
MEMORY_S = 0.5
"""Half of the second within which a revoked session stops; the other half is for what looks at it, and the way there."""
MAX_LISTED = 50
MAX_NOTED = 10_000
WRITERS = 8

log = logging.getLogger("torii.sessions")


class Sessions:
    """Looks at the session of each request, and lets users see and end theirs.

    Raises Unavailable where neither the store nor anything in front of it can say whether a session was revoked: nobody
    is let in on a guess.
    """

    def __init__(self, store: SessionStore, clock: Clock, *, memory_s: float = MEMORY_S) -> None:
        self._store = store
        self._clock = clock
        self._states: ShortMemory[SessionId, SessionState | None] = ShortMemory(store.states, age_s=memory_s)
        self._noted: asyncio.Queue[Sighting] = asyncio.Queue(MAX_NOTED)
        self._waiting: set[SessionId] = set()

    def expect(self, session_id: SessionId) -> None:
        """A request of this session is coming: look it up while something else is looked up."""
        self._states.expect(session_id)

    async def admit(self, sighting: Sighting) -> None:
        """Let a request of a session through; a new session, or one that was idle, begins. Raises SessionEnded, Unavailable."""
        state = await self._states.get(sighting.session_id)
        if state is None or (not state.is_revoked and sighting.at >= state.last_seen_at + SESSION_IDLE):
            state = await self._seen(sighting)  # before anything else happens, so that it can be seen and ended
        if state.is_revoked:
            raise SessionEnded
        if sighting.at >= state.last_seen_at + MOVE_EVERY:
            self._note(sighting)

    async def is_revoked(self, session_id: SessionId) -> bool:
        """Whether a session was ended. Those asked after in one turn are looked up together. Raises Unavailable."""
        state = await self._states.get(session_id)
        return state is not None and state.is_revoked

    async def of_viewer(self, viewer: Viewer) -> Sequence[Session]:
        """The viewer's sessions that were not ended, active and idle, the last used first; at most 50."""
        if viewer.user_id is None:
            return ()
        return [self._shown(viewer, each) for each in await self._store.of_user(viewer.user_id, MAX_LISTED)]

    async def revoke(self, viewer: Viewer, session_id: SessionId) -> Session:
        """End a session of the viewer: in a second none of its tokens is good any more. Raises SessionNotFound."""
        if viewer.user_id is None:
            raise SessionNotFound
        session = await self._store.revoke(session_id, viewer.user_id, self._clock.now())
        self._states.set(session_id, SessionState(session.last_seen_at, is_revoked=True))
        return self._shown(viewer, session)

    async def revoke_all(self, viewer: Viewer, *, but: SessionId | None = None) -> None:
        """End what `of_viewer` lists and the session that asks, but for one."""
        sessions = {each.id for each in await self.of_viewer(viewer)} | {viewer.session_id}
        await asyncio.gather(*(self.revoke(viewer, each) for each in sessions - {None, but} if each))

    async def keep_moving(self) -> None:
        """Write down when sessions were last used, for as long as the gateway runs."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self._write_noted())

    def _shown(self, viewer: Viewer, session: Session) -> Session:
        return replace(
            session,
            is_current=session.id == viewer.session_id,
            is_active=self._clock.now() < session.last_seen_at + SESSION_IDLE,
        )

    def _note(self, sighting: Sighting) -> None:
        if sighting.session_id not in self._waiting and not self._noted.full():
            self._waiting.add(sighting.session_id)
            self._noted.put_nowait(sighting)

    async def _write_noted(self) -> None:
        while True:
            sighting = await self._noted.get()
            try:
                await self._seen(sighting)
            except Unavailable as outage:  # the next request notes it again
                log.warning("a session's last use was not written: %s", outage)
            finally:
                self._waiting.discard(sighting.session_id)

    async def _seen(self, sighting: Sighting) -> SessionState:
        state = await self._store.seen(sighting)
        self._states.set(sighting.session_id, state)
        return state
