"""What the payload of an access token must say to be accepted here.

Source: Amazon Cognito developer guide, "Understanding the access token"; RFC 7519, 4.1.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.accounts.model import Identity
from domain.shared.ids import SessionId

LEEWAY_S = 60
"""How far the pool's clock and ours may differ."""


class Rejected(Exception):
    """Why a token is refused: for logs and tests, never for clients. The message never has a part of the token."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for, and when: seconds since 1970, `not_before` the later of `nbf` and `iat`."""

    identity: Identity
    not_before: int
    expires_at: int

    def check_time(self, now: float) -> None:
        """Raises Rejected unless the token is valid at this moment."""
        if now >= self.expires_at + LEEWAY_S:
            raise Rejected("expired")
        if now < self.not_before - LEEWAY_S:
            raise Rejected("from the future")


def read_claims(payload: bytes, issuer: str, client_id: str) -> Claims:
    """The claims of a payload whose signature was verified. Raises Rejected."""
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as cause:
        raise Rejected("payload is not JSON") from cause
    if not isinstance(claims, dict):
        raise Rejected("payload is not an object")
    if claims.get("iss") != issuer:
        raise Rejected("another issuer")
    if claims.get("token_use") != "access":  # an id token is for the client that asked for it, not for us
        raise Rejected("not an access token")
    if claims.get("client_id") != client_id:  # access tokens have no `aud`
        raise Rejected("another client")
    issued_at, expires_at = _seconds(claims, "iat"), _seconds(claims, "exp")
    identity = Identity(
        subject=_text(claims, "sub"),
        username=_text(claims, "username"),
        groups=_groups(claims),
        session_id=_session(claims),
        signed_in_at=_moment("auth_time", _seconds(claims, "auth_time")),
        expires_at=_moment("exp", expires_at),
    )
    not_before = max(issued_at, _seconds(claims, "nbf")) if "nbf" in claims else issued_at
    return Claims(identity, not_before, expires_at)


def _seconds(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:  # not isinstance: true is an int
        raise Rejected(f"{name} is not a time")
    return value


def _moment(name: str, seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise Rejected(f"{name} is not a time") from cause


def _session(claims: dict[str, Any]) -> SessionId:
    """A token that names no sign-in could not be revoked, so it is not taken: EnableTokenRevocation puts it there."""
    text = _text(claims, "origin_jti")
    try:
        session = UUID(text)
    except ValueError as cause:
        raise Rejected("origin_jti is not a UUID") from cause
    if str(session) != text:
        raise Rejected("origin_jti is not a UUID")
    return SessionId(session)


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise Rejected(f"{name} is missing")
    return value


def _groups(claims: dict[str, Any]) -> frozenset[str]:
    groups = claims.get("cognito:groups", [])  # left out for a user in no group
    if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
        raise Rejected("cognito:groups is not a list of names")
    return frozenset(groups)
