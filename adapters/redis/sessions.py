"""Redis in front of the sessions: what each request asks for, kept for the 30 minutes that a session may be idle.

A value is when the session was last seen (seconds since 1970), or REVOKED. Nothing is written over REVOKED, so that a slow
reader of the store cannot bring a session back. Without Redis the store is asked. What Redis could not be told it is told
with the next look; should this process end before, it is corrected when the session's last use is next written, within
a minute of its use: the store refuses that write for a session that was revoked.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.redis.client import Missed, RedisClient
from domain.accounts.model import SESSION_IDLE, Session, SessionState, Sighting
from domain.accounts.ports import SessionStore
from domain.shared.ids import SessionId, UserId
from domain.shared.refusals import Unavailable

REVOKED = b"revoked"
TTL_S = int(SESSION_IDLE.total_seconds())
MAX_UNHEARD = 10_000

KEEP = """
for i = 1, #KEYS do
    if redis.call('GET', KEYS[i]) ~= 'revoked' or ARGV[i + 1] == 'revoked' then
        redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1])
    end
end
"""

log = logging.getLogger("torii.redis")


class CachedSessions:
    """The port SessionStore, with the states cached."""

    def __init__(self, store: SessionStore, client: RedisClient) -> None:
        self._store = store
        self._client = client
        self._keep_script = client.redis.register_script(KEEP)
        self._unheard: dict[SessionId, SessionState] = {}
        """Sessions that were revoked while Redis could not be told."""

    async def states(self, ids: Sequence[SessionId]) -> Sequence[SessionState | Unavailable | None]:
        """One round trip for those that Redis knows; where the store is down they still pass, and the others fail."""
        try:
            if self._unheard:
                await self._tell_unheard()
            values: list[bytes | None] = await self._client.call("MGET", *map(_key, ids))
        except Missed:
            return await self._store.states(ids)
        found: dict[SessionId, SessionState | Unavailable | None] = {
            each: _state(value) for each, value in zip(ids, values, strict=True) if value is not None
        }
        missing = [each for each in ids if each not in found]
        if missing:
            found |= await self._load(missing)
        return [found[each] for each in ids]

    async def _load(self, missing: Sequence[SessionId]) -> dict[SessionId, SessionState | Unavailable | None]:
        try:
            loaded = dict(zip(missing, await self._store.states(missing), strict=True))
        except Unavailable as outage:
            return dict.fromkeys(missing, outage)
        await self._keep({each: state for each, state in loaded.items() if isinstance(state, SessionState)})
        return loaded

    async def seen(self, sighting: Sighting) -> SessionState:
        state = await self._store.seen(sighting)
        await self._keep({sighting.session_id: state})
        return state

    async def revoke(self, session_id: SessionId, user_id: UserId, at: datetime) -> Session:
        session = await self._store.revoke(session_id, user_id, at)
        await self._keep({session_id: SessionState(session.last_seen_at, is_revoked=True)})
        return session

    async def of_user(self, user_id: UserId, at_most: int) -> Sequence[Session]:
        return await self._store.of_user(user_id, at_most)

    async def _keep(self, states: Mapping[SessionId, SessionState]) -> None:
        try:
            await self._write(states)
        except Missed:
            if len(self._unheard) < MAX_UNHEARD:
                self._unheard |= {each: state for each, state in states.items() if state.is_revoked}

    async def _tell_unheard(self) -> None:
        told = dict(self._unheard)
        await self._write(told)
        log.info("Redis was told of %d ended sessions", len(told))
        for each in told:
            self._unheard.pop(each, None)

    async def _write(self, states: Mapping[SessionId, SessionState]) -> None:
        if states:
            values = [_value(state) for state in states.values()]
            await self._client.ask(self._keep_script(keys=[_key(each) for each in states], args=[TTL_S, *values]))


def _key(session_id: SessionId) -> str:
    return f"torii:{{sessions}}:{session_id}"  # one slot of a cluster: many are read and written together


def _value(state: SessionState) -> bytes:
    return REVOKED if state.is_revoked else str(int(state.last_seen_at.timestamp())).encode()


def _state(value: bytes) -> SessionState:
    if value == REVOKED:
        return SessionState(datetime.fromtimestamp(0, UTC), is_revoked=True)
    return SessionState(datetime.fromtimestamp(int(value), UTC))
