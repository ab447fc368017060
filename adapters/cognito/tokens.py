"""Access tokens of a user pool, verified."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from jose import jws
from jose.exceptions import JOSEError

from adapters.cognito.claims import Claims, Rejected, read_claims
from adapters.cognito.keys import ALGORITHM, KeySet
from domain.accounts.model import Identity
from domain.accounts.refusals import InvalidToken
from domain.shared.clock import Clock

MAX_TOKEN = 8 * 1024
"""Characters. Cognito's access tokens have about 1,100."""
MAX_CACHED = 10_000
"""Verified tokens remembered, about 1 KiB each."""

# Exactly three segments: five are an encrypted token, and unpacking one can be a bomb (CVE-2024-33664).
# python-jose skips characters that are not base64url, which would give one token endlessly many spellings.
_COMPACT_JWS = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature was found good. The time is checked again on every use."""

    kid: str
    claims: Claims


class CognitoTokens:
    """The port domain.accounts.ports.Tokens, for the access tokens of one app client of one pool.

    python-jose checks the signature; the claims are checked here, because its own checks ask the machine's clock.
    """

    def __init__(
        self, keys: KeySet, issuer: str, client_id: str, clock: Clock, *, max_cached: int = MAX_CACHED
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id
        self._clock = clock
        self._max_cached = max_cached
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, token: str) -> Identity:
        """Who a bearer token speaks for. Raises InvalidToken, Unavailable."""
        try:
            return await self._verify(token)
        except Rejected as reason:
            raise InvalidToken() from reason

    async def _verify(self, token: str) -> Identity:
        if len(token) > MAX_TOKEN:
            raise Rejected("too long")
        if not _COMPACT_JWS.fullmatch(token):
            raise Rejected("not a compact JWS")
        self._keys.keep_fresh()
        digest = sha256(token.encode()).digest()  # so that memory holds no token that could be used again
        verified = self._remembered(digest)
        if verified is None:
            verified = await self._check_signature(token)
        try:
            verified.claims.check_time(self._clock.now().timestamp())
        except Rejected:
            self._verified.pop(digest, None)
            raise
        self._remember(digest, verified)
        return verified.claims.identity

    async def _check_signature(self, token: str) -> _Verified:
        header = _header(token)
        if header.get("alg") != ALGORITHM:
            raise Rejected("another algorithm")
        if "crit" in header:  # extensions that must be understood (RFC 7515, 4.1.11): python-jose overlooks them
            raise Rejected("critical extensions")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Rejected("no key id")
        key = await self._keys.key(kid)
        if key is None:
            raise Rejected("unknown key")
        try:
            # A key object and a list: python-jose then neither builds a key as the header says (CVE-2024-33663)
            # nor looks for the algorithm's name inside a string.
            payload = jws.verify(token, key, algorithms=[ALGORITHM])
        except JOSEError as cause:
            raise Rejected("signature") from cause
        return _Verified(kid, read_claims(payload, self._issuer, self._client_id))

    def _remembered(self, digest: bytes) -> _Verified | None:
        verified = self._verified.get(digest)
        return verified if verified is not None and verified.kid in self._keys else None  # a key can be withdrawn

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > self._max_cached:
            self._verified.popitem(last=False)


def _header(token: str) -> dict[str, Any]:
    """The header, which nobody vouches for yet. Raises Rejected."""
    try:
        header: dict[str, Any] = jws.get_unverified_header(token)
    except (JOSEError, ValueError, RecursionError) as cause:  # RecursionError: 8 KiB of opening brackets
        raise Rejected("header") from cause
    return header
