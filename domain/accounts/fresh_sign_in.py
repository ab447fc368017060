"""Sign-ins around the moment at which sessions end. Tokens tell the second of theirs, and a second may have both sides of it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from domain.accounts.model import Challenge, TokenSet
from domain.accounts.pool_ports import SessionEnds, SignIns, TokenEnds
from domain.accounts.ports import Tokens
from domain.shared.clock import Clock
from domain.shared.refusals import Refusal

APART_S = 0.05
"""How far the pool's clock and ours may be apart for a sign-in to count as one of the next second."""
Sleep = Callable[[float], Coroutine[Any, Any, None]]


async def is_done(ending: Awaitable[None]) -> bool:
    """False where it was refused or a back end is away: what came before is done and cannot be asked for again."""
    try:
        await ending
    except Refusal:
        return False
    return True


class FreshSignIn:
    """Signs in so that the session is one of after everything that has ended until now."""

    def __init__(
        self,
        pool: SignIns,
        ends: TokenEnds,
        tokens: Tokens,
        sessions: SessionEnds,
        clock: Clock,
        *,
        within_s: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`within_s`: the longest that may pass after a new password, whose own answer must not come too late."""
        self._pool = pool
        self._ends = ends
        self._tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._within_s = within_s
        self._sleep = sleep

    async def by_password(self, name: str, password: str) -> TokenSet | Challenge:
        """Twice, where the first session is of the very second in which others ended. Raises as SignIns.sign_in."""
        outcome = await self._pool.sign_in(name, password)
        if isinstance(outcome, Challenge) or not await self._is_over(outcome):
            return outcome
        await self._next_second()
        return await self._pool.sign_in(name, password)

    async def by_new_password(self, name: str, password: str) -> TokenSet | Challenge | None:
        """After a new password has ended the sessions of before: the pool takes all of its tokens back, and gives others.

        None where it gives none, in time. Where it took none back those of before are refused here all the same.
        """
        try:
            async with asyncio.timeout(self._within_s):
                await asyncio.gather(self._ends.take_back(name), self._next_second())
                return await self._pool.sign_in(name, password)
        except (Refusal, TimeoutError):  # the password is the new one, whatever the pool says to this
            return None

    async def take_back(self, name: str) -> bool:
        """Whether the pool has taken back all tokens of a user who is still on the way in."""
        return await is_done(self._ends.take_back(name))

    async def _is_over(self, outcome: TokenSet) -> bool:
        try:
            return await self._sessions.has_ended(await self._tokens.verify(outcome.access_token))
        except Refusal:  # it is looked at with each request: here nobody is kept waiting for it
            return False

    async def _next_second(self) -> None:
        await self._sleep(1 - self._clock.now().microsecond / 1e6 + APART_S)
