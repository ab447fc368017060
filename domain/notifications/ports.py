"""What notifications need from the outside: who is written to, how, and what was sent already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.notifications.templates import Letter, Template
from domain.shared.ids import OrderId, ProductId, SellerId, UserId
from domain.shared.languages import DEFAULT_LANGUAGE, Language
from domain.shared.money import Money


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
    """A mail that was begun. `key`: what it is sent once for. To a user, a guest who is known by an order, or a seller."""

    key: str
    template: Template
    language: Language
    user_id: UserId | None
    begun_at: datetime
    sent_at: datetime | None = None
    id: UUID | None = None
    order_id: OrderId | None = None
    seller_id: SellerId | None = None


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


@dataclass(frozen=True, slots=True)
class Line:
    """So many of something, as an order names it."""

    name: str
    quantity: int
    seller_id: SellerId
    item_id: UUID
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What mails say of an order. `email`: where a guest is written to, in `language`; None for a user's order.

    `is_paid`: whether money ever came for it.
    """

    number: str
    total: Money
    lines: Sequence[Line]
    user_id: UserId | None
    email: str | None = None
    name: str | None = None
    language: Language = DEFAULT_LANGUAGE
    is_paid: bool = False


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """Whom a seller's mails go to. `member_id`: the member whose language they are in."""

    email: str
    name: str
    member_id: UserId | None


class OrdersTold(Protocol):
    async def order(self, order_id: OrderId) -> OrderFacts | None:
        """As it is when the mail goes out. Raises Unavailable."""
        ...


class OrderLinks(Protocol):
    def link(self, order_id: OrderId) -> str:
        """What opens a guest's order, for who reads the mail: made for each mail, and kept nowhere. Empty where none is made."""
        ...


class SellersTold(Protocol):
    async def seller(self, seller_id: SellerId) -> SellerFacts | None:
        """None for one that is not active. Raises Unavailable."""
        ...


class ProductsTold(Protocol):
    async def product(self, product_id: ProductId) -> tuple[str, int] | None:
        """Its name, and how many can be sold. Raises Unavailable."""
        ...


class MayBeSent(Exception):
    """The mail was handed over, and nobody said that it was taken."""


class Mailer(Protocol):
    async def send(self, to: str, letter: Letter, key: str) -> str:
        """Send it; the provider's id of it. Raises Unavailable and GivenUp, when it was not sent, and MayBeSent."""
        ...
