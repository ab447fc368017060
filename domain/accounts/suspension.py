"""Shutting a user out, and letting it in again: what operators do, never the user."""

from datetime import datetime
from typing import Protocol

from domain.shared.clock import Clock
from domain.shared.refusals import InvalidInput, NotFound

MAX_REASON = 500
"""Characters. It is kept with the user as long as they are suspended, for whoever looks into it."""


class UserNotFound(NotFound):
    """Nobody here has the address."""

    def __init__(self) -> None:
        super().__init__(key="user_not_found")


class Suspensions(Protocol):
    """Each is one transaction with its event. False where nothing was to be done. Raises UserNotFound."""

    async def suspend(self, email: str, at: datetime, reason: str | None) -> bool:
        """Refuse all of a user's tokens, and end whatever was signed in before now for good."""
        ...

    async def reinstate(self, email: str) -> bool: ...


class UserSuspension:
    """Gateways see it within a second, for they look at a user's standing on each request."""

    def __init__(self, users: Suspensions, clock: Clock) -> None:
        self._users = users
        self._clock = clock

    async def suspend(self, email: str, reason: str | None = None) -> bool:
        """Whether the user was not suspended before. Raises InvalidInput, UserNotFound, Unavailable."""
        why = (reason or "").strip()
        if len(why) > MAX_REASON:
            raise InvalidInput(f"a reason has at most {MAX_REASON} characters", field=("reason",))
        return await self._users.suspend(email.strip(), self._clock.now(), why or None)

    async def reinstate(self, email: str) -> bool:
        """Whether the user was suspended before; it has to sign in anew. Raises UserNotFound, Unavailable."""
        return await self._users.reinstate(email.strip())
