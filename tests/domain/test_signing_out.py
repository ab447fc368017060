"""Signing out ends the session here, whatever the user pool says to it. The fakes are for its faults alone."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from domain.accounts.pace import Pace
from domain.accounts.refusals import InvalidToken, NotSupported, TooManyAttempts
from domain.accounts.signing_in import SignIn
from domain.shared.ids import SessionId, UserId, uuid7
from domain.shared.refusals import Refusal, Unavailable
from domain.shared.viewer import Role, Viewer

SESSION = SessionId(uuid4())
VIEWER = Viewer(Role.USER, UserId(uuid7()))


class Pool:
    """Says no, if it was told to."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        self.refusal = refusal
        self.taken_back: list[str] = []

    async def revoke(self, token: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken_back.append(token)

    revoke_all = revoke


class Tokens:
    async def verify(self, _token: str) -> Any:
        return SimpleNamespace(session_id=SESSION)


class Sessions:
    def __init__(self, *, is_away: bool = False) -> None:
        self.is_away = is_away
        self.ended: list[object] = []

    async def end_session(self, viewer: Viewer, session_id: SessionId) -> None:
        if self.is_away:
            raise Unavailable("DynamoDB")
        self.ended.append((viewer, session_id))

    async def end_all_sessions(self, viewer: Viewer) -> None:
        self.ended.append(viewer)


def sign_in(pool: Pool, sessions: Sessions) -> SignIn:
    ports: dict[str, Any] = {"pool": pool, "tokens": Tokens(), "sessions": sessions, "pace": Pace(0)}
    ports["attempts"] = ports["directory"] = ports["fresh"] = None  # nobody signs in here
    return SignIn(**ports)


@pytest.mark.parametrize("refusal", [NotSupported(), Unavailable("Cognito"), TooManyAttempts(), InvalidToken()])
@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_pool_that_says_no_keeps_nobody_signed_in(refusal: Refusal, everywhere: bool) -> None:
    pool, sessions = Pool(refusal), Sessions()
    assert not await sign_in(pool, sessions).sign_out(VIEWER, "access", "refresh", everywhere=everywhere)
    assert sessions.ended == ([VIEWER] if everywhere else [(VIEWER, SESSION)])


async def test_the_pool_takes_back_the_refresh_token_or_all_of_them() -> None:
    pool, sessions = Pool(), Sessions()
    assert await sign_in(pool, sessions).sign_out(VIEWER, "access", "refresh", everywhere=False)
    assert await sign_in(pool, sessions).sign_out(VIEWER, "access", None, everywhere=True)
    assert pool.taken_back == ["refresh", "access"]


async def test_without_a_refresh_token_the_session_ends_all_the_same() -> None:
    pool, sessions = Pool(), Sessions()
    assert not await sign_in(pool, sessions).sign_out(VIEWER, "access", None, everywhere=False)
    assert (pool.taken_back, sessions.ended) == ([], [(VIEWER, SESSION)])


async def test_a_session_that_could_not_be_ended_here_is_an_outage_and_can_be_tried_again() -> None:
    pool, sessions = Pool(), Sessions(is_away=True)
    signing = sign_in(pool, sessions)
    with pytest.raises(Unavailable):
        await signing.sign_out(VIEWER, "access", "refresh", everywhere=False)
    sessions.is_away = False
    assert await signing.sign_out(VIEWER, "access", "refresh", everywhere=False)
    assert sessions.ended == [(VIEWER, SESSION)]
