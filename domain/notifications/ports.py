"""What notifications need from the outside: who is written to, how, and what was sent already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.notifications.templates import Letter, Template
from domain.shared.ids import UserId
from domain.shared.languages import Language


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can be written to: the address is verified, and the account neither left nor suspended."""

    email: str
    name: str | None


class Recipients(Protocol):
    async def recipient(self, user_id: UserId) -> Recipient | None:
        """None for who is not to be written to. Raises Unavailable."""
        ...


class Languages(Protocol):
    async def language(self, user_id: UserId) -> Language:
        """In which the user is spoken to. Raises Unavailable."""
        ...


class Claim(StrEnum):
    """What may be done about a mail."""

    OURS = "OURS"
    """It is ours to send."""
    SENT = "SENT"
    UNDER_WAY = "UNDER_WAY"
    """Somebody is sending it, or was killed a moment ago."""
    UNKNOWN = "UNKNOWN"
    """Somebody began to send it and said no more: it may have gone out."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was begun. `key`: what it is sent once for."""

    key: str
    template: Template
    language: Language
    user_id: UserId
    begun_at: datetime
    sent_at: datetime | None = None
    id: UUID | None = None


class Mails(Protocol):
    """Every mail that was begun. Each method raises Unavailable."""

    async def claim(self, mail: Mail, again_since: datetime | None) -> Claim:
        """Keep that we begin it, unless somebody did before; but for who did so before `again_since`, for people ask again."""
        ...

    async def sent(self, key: str, at: datetime, message_id: str) -> None: ...

    async def release(self, key: str) -> None:
        """It did not go out: who comes next may begin it."""
        ...

    async def newest(self, limit: int) -> Sequence[Mail]: ...

    async def find(self, mail_id: UUID) -> Mail | None: ...


class MayBeSent(Exception):
    """The mail was handed over, and nobody said that it was taken."""


class Mailer(Protocol):
    async def send(self, to: str, letter: Letter, key: str) -> str:
        """Send it; the provider's id of it. Raises Unavailable and GivenUp, when it was not sent, and MayBeSent."""
        ...
