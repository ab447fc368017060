"""What of payments waits or failed, for those who look after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A message of the provider's that could not be acted on, a refund that could not be carried out, or a payment that is over
    something else than its order.

    `kind` is the message's type, `refund`, or `payment`, whose `id` is its order's. `try_at`: None where people have to try it
    again. `problem` never holds a person.
    """

    id: UUID
    kind: str
    since: datetime
    problem: str
    try_at: datetime | None


class Troubled(Protocol):
    """Both raise Unavailable."""

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        """The oldest."""
        ...

    async def try_again(self, at: datetime) -> int:
        """Let all of them have their turn now; how many."""
        ...
