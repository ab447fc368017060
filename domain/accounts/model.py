"""Users and what is known of them."""

from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified access token says: the pool's subject, and the groups it is in."""

    subject: str
    username: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's own data, shown to nobody else."""

    id: UserId
    email: str
    display_name: str | None
    avatar_url: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """What the public sees of a user who wrote something."""

    id: UserId
    display_name: str
    avatar_url: str | None
