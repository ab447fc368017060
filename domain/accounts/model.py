"""Users and what is known of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.accounts.details import PersonalDetails
from domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified access token says: the pool's subject, the groups it is in, and which sign-in it came of."""

    subject: str
    username: str
    groups: frozenset[str]
    session_id: SessionId | None = None
    """The same in all tokens that one sign-in led to."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's own data, shown to nobody else."""

    id: UserId
    email: str
    details: PersonalDetails
    created_at: datetime

    @property
    def display_name(self) -> str | None:
        return self.details.display_name

    @property
    def avatar_url(self) -> str | None:
        return self.details.avatar_url


@dataclass(frozen=True, slots=True)
class Author:
    """What the public sees of a user who wrote something."""

    id: UserId
    display_name: str
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class PoolUser:
    """What the user pool knows of a user."""

    subject: str
    email: str = field(repr=False)
    email_verified: bool


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What signing in gives. The access token is good for `expires_in` seconds; the refresh token renews it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class ChallengeKind(StrEnum):
    """What a user pool may ask for before it signs somebody in. Names are Cognito's."""

    NEW_PASSWORD_REQUIRED = "NEW_PASSWORD_REQUIRED"
    SMS_MFA = "SMS_MFA"
    SOFTWARE_TOKEN_MFA = "SOFTWARE_TOKEN_MFA"
    EMAIL_OTP = "EMAIL_OTP"
    SMS_OTP = "SMS_OTP"
    WEB_AUTHN = "WEB_AUTHN"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the pool wants to see before it signs somebody in: a step of the sign-in, not the end of it.

    `session` and `username` are sent back with the answer. `options` are a passkey's: JSON for the browser.
    """

    kind: ChallengeKind
    session: str = field(repr=False)
    username: str = field(repr=False)
    options: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """What somebody says to a challenge: a code, a new password, or a passkey's assertion as JSON."""

    kind: ChallengeKind
    session: str = field(repr=False)
    username: str = field(repr=False)
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of a user, as the pool keeps it."""

    id: str
    name: str
    relying_party: str
    created_at: datetime
