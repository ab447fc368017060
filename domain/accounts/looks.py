"""What somebody looked at, and where the last of it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.shared.ids import ProductId, UserId
from domain.shared.viewer import Viewer

MAX_VIEWED = 50
KEPT = timedelta(days=30)
"""After the last look."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looked: a user or a guest, whose ids never meet."""

    user_id: UserId | None
    guest_id: UUID | None

    @classmethod
    def of(cls, viewer: Viewer) -> "Onlooker | None":
        """None for somebody known by nothing."""
        if viewer.user_id is not None:
            return cls(viewer.user_id, None)
        return None if viewer.guest_id is None else cls(None, viewer.guest_id)

    @property
    def key(self) -> str:
        return f"guest:{self.guest_id}" if self.user_id is None else f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a product."""

    onlooker: Onlooker
    product_id: ProductId
    at: datetime


class ViewStore(Protocol):
    """The last MAX_VIEWED products of each onlooker. All raise Unavailable."""

    async def note(self, looks: Sequence[Look]) -> None: ...

    async def latest(self, onlooker: Onlooker, first: int) -> Sequence[ProductId]:
        """Last looked at first, each once."""
        ...

    async def forget(self, onlooker: Onlooker) -> None: ...
