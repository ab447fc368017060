"""The viewer's sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.accounts.model import Session
from domain.shared.ids import SessionId
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of


@dataclass(frozen=True, slots=True)
class SessionPayload:
    """What a session mutation shows."""

    session: Session | None
    user_errors: Sequence[UserError]


async def of_viewer(info: Info) -> Sequence[Session]:
    return await info.context.services.accounts.sessions_of(info.context.viewer)


async def revoke(info: Info, session_id: str) -> SessionPayload:
    async def use_case() -> Session:
        key = SessionId(key_of(session_id, "Session", "sessionId"))
        return await info.context.services.sessions.revoke(info.context.viewer, key)

    session, refusals = await outcome_or_refusal(info, use_case)
    return SessionPayload(session, refusals)
