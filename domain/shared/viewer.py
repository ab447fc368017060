"""Who is looking."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.shared.ids import SellerId, UserId


class Role(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request: a user, or a guest known only by a key of ours.

    `seller_ids` are the sellers the user works for.
    """

    role: Role = Role.ANONYMOUS
    user_id: UserId | None = None
    guest_id: UUID | None = None
    seller_ids: tuple[SellerId, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether the viewer sees no more of the catalogue than anybody does."""
        return self.role is not Role.ADMIN and not self.seller_ids

    def is_user(self, user_id: UserId | None) -> bool:
        """Whether the viewer is this user; nobody is no user."""
        return user_id is not None and user_id == self.user_id

    def works_for(self, seller_id: SellerId | None) -> bool:
        return seller_id is not None and seller_id in self.seller_ids


ANONYMOUS = Viewer()
