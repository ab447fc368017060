"""Sign-ins around the second in which sessions end. The fakes are for their timing, which no real pool gives on demand."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.accounts.fresh_sign_in import APART_S, FreshSignIn
from domain.accounts.model import Challenge, ChallengeKind, TokenSet, UserStanding
from domain.accounts.refusals import InvalidCredentials, NotSupported
from domain.shared.ids import SessionId, UserId, uuid7
from domain.shared.refusals import Refusal, Unavailable
from tests.watch import Watch

AT = datetime(2026, 11, 1, 9, 30, 15, 400_000, tzinfo=UTC)
SECOND = AT.replace(microsecond=0)
CHALLENGE = Challenge(ChallengeKind.SMS_MFA, "session", "name")


@pytest.mark.parametrize(
    ("signed_in_at", "is_over"),
    [(SECOND - timedelta(seconds=1), True), (SECOND, True), (SECOND + timedelta(seconds=1), False)],
)
def test_a_session_of_the_second_in_which_all_ended_is_over_but_for_the_one_that_goes_on(
    signed_in_at: datetime, is_over: bool
) -> None:
    session = SessionId(uuid4())
    standing = UserStanding(UserId(uuid7()), False, (), signed_out_at=AT, signed_out_except=session)
    assert standing.has_signed_out(SessionId(uuid4()), signed_in_at) is is_over
    assert not standing.has_signed_out(session, signed_in_at)
    assert not UserStanding(UserId(uuid7()), False, ()).has_signed_out(session, signed_in_at)


class World:
    """A pool that answers one thing after the other, and sessions of which some have ended."""

    def __init__(self, answers: Iterable[Any], ended: Iterable[str] = (), *, refusal: Refusal | None = None) -> None:
        self.answers, self.ended, self.refusal = list(answers), set(ended), refusal
        self.done: list[object] = []
        self.clock, self.within_s = Watch(), 60.0

    async def sign_in(self, name: str, password: str) -> Any:
        self.done.append("sign-in")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def take_back(self, name: str) -> None:
        self.done.append("taken back")
        if self.refusal:
            raise self.refusal

    async def verify(self, token: str) -> str:
        return token

    async def has_ended(self, identity: str) -> bool:
        if self.refusal:
            raise self.refusal
        return identity in self.ended

    async def sleep(self, seconds: float) -> None:
        self.done.append("slept")
        before = self.clock.now()
        self.clock.wind(timedelta(seconds=seconds))
        assert self.clock.now() >= before.replace(microsecond=0) + timedelta(seconds=1 + APART_S)

    @property
    def fresh(self) -> FreshSignIn:
        world: Any = self
        return FreshSignIn(world, world, world, world, world.clock, within_s=self.within_s, sleep=world.sleep)


def tokens(name: str) -> TokenSet:
    return TokenSet(name, f"refresh {name}", 3600)


async def test_a_session_that_is_over_already_is_begun_again_in_the_next_second() -> None:
    world = World([tokens("one"), tokens("two")], ended=["one"])
    assert await world.fresh.by_password("name", "password") == tokens("two")
    assert world.done == ["sign-in", "slept", "sign-in"]


@pytest.mark.parametrize("first", [tokens("one"), CHALLENGE])
async def test_any_other_is_begun_once(first: TokenSet | Challenge) -> None:
    world = World([first])
    assert await world.fresh.by_password("name", "password") == first
    assert world.done == ["sign-in"]


async def test_an_old_password_does_not_come_in_by_the_second_try() -> None:
    world = World([tokens("one"), InvalidCredentials()], ended=["one"])
    with pytest.raises(InvalidCredentials):
        await world.fresh.by_password("name", "old")


async def test_signing_in_does_not_wait_for_a_database_that_is_away() -> None:
    world = World([tokens("one")], refusal=Unavailable("PostgreSQL"))
    assert await world.fresh.by_password("name", "password") == tokens("one")


async def test_a_new_password_gets_tokens_of_after_all_others_were_taken_back() -> None:
    world = World([tokens("new")])
    assert await world.fresh.by_new_password("name", "new") == tokens("new")
    assert world.done == ["taken back", "slept", "sign-in"]


@pytest.mark.parametrize("refusal", [NotSupported(), Unavailable("Cognito")])
async def test_a_pool_that_takes_nothing_back_gives_nothing_new(refusal: Refusal) -> None:
    world = World([], refusal=refusal)
    assert await world.fresh.by_new_password("name", "new") is None


async def test_a_pool_that_dawdles_does_not_hold_up_the_answer_to_a_new_password() -> None:
    world = World([])
    world.within_s = 0.01

    async def dawdle(name: str) -> None:
        await asyncio.Event().wait()

    world.take_back = dawdle  # type: ignore[method-assign]
    assert await world.fresh.by_new_password("name", "new") is None


async def test_a_pool_that_refuses_to_sign_in_is_no_reason_to_say_that_the_password_is_the_old_one() -> None:
    assert await World([Unavailable("Cognito")]).fresh.by_new_password("name", "new") is None
