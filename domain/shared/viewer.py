"""Who is looking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.ids import OrderId, SellerId, SessionId, UserId


class Role(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a user's token said, for as long as something goes on under it: `subject` is the pool's name of the user."""

    session_id: SessionId
    subject: str
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request: a user, or a guest known only by a key of ours.

    `seller_ids` are the sellers the user works for; `sign_in` is there for a user who came with a token; `order_ids` are
    orders that may be seen whosever they are, by a link that only their buyer was given.
    """

    role: Role = Role.ANONYMOUS
    user_id: UserId | None = None
    guest_id: UUID | None = None
    seller_ids: tuple[SellerId, ...] = ()
    sign_in: SignedIn | None = None
    order_ids: tuple[OrderId, ...] = ()

    @property
    def session_id(self) -> SessionId | None:
        return self.sign_in.session_id if self.sign_in else None

    @property
    def is_public(self) -> bool:
        """Whether the viewer sees no more of the catalogue than anybody does."""
        return self.role is not Role.ADMIN and not self.seller_ids

    def is_user(self, user_id: UserId | None) -> bool:
        """Whether the viewer is this user; nobody is no user."""
        return user_id is not None and user_id == self.user_id

    def is_guest(self, guest_id: UUID) -> bool:
        """Whether the viewer is this guest; whoever is signed in is none."""
        return self.user_id is None and guest_id == self.guest_id

    def works_for(self, seller_id: SellerId | None) -> bool:
        return seller_id is not None and seller_id in self.seller_ids


ANONYMOUS = Viewer()
