"""The end of an account: first the point of no return, then what each store still holds, as often as it takes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.accounts.profiles import Profiles
from domain.shared.clock import Clock
from domain.shared.ids import UserId
from domain.shared.refusals import Refusal, Unauthenticated, Unavailable
from domain.shared.viewer import Viewer

WORD = "DELETE"
AT_ONCE = 100
SIDE_BY_SIDE = 10
LATE = timedelta(days=1)
"""So long after it was done an account is erased again: a request that was under way may have written behind us."""


class ConfirmationRequired(Refusal):
    """Neither the word nor the address was typed."""

    code = "CONFIRMATION_REQUIRED"

    def __init__(self) -> None:
        super().__init__(word=WORD, field=("confirm",))


@dataclass(frozen=True, slots=True)
class Leaver:
    """A user whose deletion was asked for. `subject` is the pool's user that has still to be deleted."""

    user_id: UserId
    subject: str | None


class Deletions(Protocol):
    async def begin(self, viewer: Viewer) -> bool:
        """In one transaction the person goes from the tables of accounts and tokens find the user no more.

        False where that was done before.
        """
        ...

    async def leaver(self, viewer: Viewer) -> Leaver:
        """The viewer, whose deletion has begun."""
        ...

    async def finish(self, user_id: UserId) -> None:
        """Everything is erased."""
        ...

    async def due(self, since: datetime, limit: int) -> Sequence[Leaver]:
        """Deletions that were interrupted, or done after `since`. For workers."""
        ...


class Pool(Protocol):
    async def delete(self, subject: str) -> None:
        """Delete the user of the pool, there or not. Raises Unavailable."""
        ...


Eraser = Callable[[UserId], Awaitable[None]]
"""Erases what one store holds of a user, there or not. Raises Unavailable."""


EndSessions = Callable[[Viewer], Awaitable[None]]


class AccountDeletion:
    """Deletes accounts. `erasers` are the stores by name; each can be called again."""

    def __init__(self, deletions: Deletions, pool: Pool, erasers: Mapping[str, Eraser], clock: Clock) -> None:
        self._deletions = deletions
        self._pool = pool
        self._erasers = erasers
        self._clock = clock

    async def delete(self, viewer: Viewer, profiles: Profiles, end_sessions: EndSessions, confirm: str) -> bool:
        """Delete the viewer's account; whether all of it is erased already. What is not, `resume` erases.

        Raises Unauthenticated, ConfirmationRequired, Unavailable (then nothing was done).
        """
        profile = await profiles.of_viewer(viewer)
        if profile is None:
            raise Unauthenticated
        if confirm != WORD and confirm.strip().casefold() != profile.email.casefold():
            raise ConfirmationRequired
        await self._deletions.begin(viewer)
        with suppress(Unavailable):  # from here on it is deleted, whatever is down
            await end_sessions(viewer)
        with suppress(Unavailable):
            await self._erase(await self._deletions.leaver(viewer))
            return True
        return False

    async def batches(self, again_for: timedelta) -> AsyncGenerator[int, None]:
        """Finish what was interrupted, and erase again what was done so short ago; how many accounts, a batch at a time.

        One that cannot be erased stops no other: what it raised is raised at the end.
        """
        due = await self._deletions.due(self._clock.now() - again_for, AT_ONCE)
        failed: list[BaseException] = []
        for first in range(0, len(due), SIDE_BY_SIDE):
            batch = due[first : first + SIDE_BY_SIDE]
            erased = await asyncio.gather(*map(self._erase, batch), return_exceptions=True)
            failed += [each for each in erased if each is not None]
            yield sum(each is None for each in erased)
        if failed:
            raise failed[0]

    async def resume(self) -> int:
        """Finish what was interrupted, and what was done within a day once more; how many accounts. Raises Unavailable."""
        return sum([erased async for erased in self.batches(LATE)])

    async def _erase(self, leaver: Leaver) -> None:
        erasing = [eraser(leaver.user_id) for eraser in self._erasers.values()]
        if leaver.subject is not None:
            erasing.append(self._pool.delete(leaver.subject))
        for failed in await asyncio.gather(*erasing, return_exceptions=True):
            if failed is not None:
                raise failed
        await self._deletions.finish(leaver.user_id)
