"""Users and what is known of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.accounts.details import PersonalDetails
from domain.shared.ids import SellerId, SessionId, UserId

SESSION_IDLE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=31)
"""How long anything of a sign-in can live: a refresh token (30 days) and the last access token that it gave."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified access token says: the pool's subject, the groups it is in, and the sign-in it comes from.

    All tokens refreshed from one sign-in have its `session_id`. `signed_in_at` is when the password was given.
    """

    subject: str
    username: str
    groups: frozenset[str]
    session_id: SessionId
    signed_in_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserStanding:
    """What decides on each request whether and for whom a user may act."""

    user_id: UserId
    is_suspended: bool
    seller_ids: tuple[SellerId, ...]
    """The sellers the user works for."""
    signed_out_at: datetime | None = None
    """When the user last signed out everywhere."""
    signed_out_except: SessionId | None = None
    """The session that went on all the same: the one that gave the new password."""
    is_admin: bool = False
    """Whether a token of the pool's group of admins counts for one."""

    def has_signed_out(self, session_id: SessionId, signed_in_at: datetime) -> bool:
        """Whether a session that began at that moment is over.

        Tokens tell whole seconds, so one of the same second is over too: it may have come of the old password. Whoever signs
        in right afterwards is signed in once more in the next second (`domain/accounts/fresh_sign_in.py`).
        """
        if self.signed_out_at is None or session_id == self.signed_out_except:
            return False
        return signed_in_at <= self.signed_out_at


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
    """What signing in gives. The access token is good for `expires_in` seconds; the refresh token renews it.

    `device_token` is what the client shows the next time, to be known as a device of the account's.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    device_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What became of a password that was replaced. `sessions_ended`: those of before, which is tried and may have failed.

    `tokens` are those to go on with: the pool has taken back all that it had given before.
    """

    sessions_ended: bool
    tokens: TokenSet | None = None
    device_token: str | None = field(default=None, repr=False)


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


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from, as far as it says."""

    ip_address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A session in use, by a request that comes from a device."""

    session_id: SessionId
    user_id: UserId
    signed_in_at: datetime
    at: datetime
    device: Device


@dataclass(frozen=True, slots=True)
class SessionState:
    """As much of a session as each request has to know."""

    last_seen_at: datetime
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its user sees it. `is_current`: the one that asks. `is_active`: in use, its last request not long ago."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    last_seen_at: datetime
    ip_address: str | None
    user_agent: str | None
    is_current: bool = False
    is_active: bool = False
