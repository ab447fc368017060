"""The public keys of a user pool, fetched rarely and kept through an outage."""

import asyncio
import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
from jose import jwk
from jose.backends.base import Key
from jose.exceptions import JWKError
from jose.utils import base64_to_long as base64url_to_long

from domain.shared.clock import Clock
from domain.shared.refusals import Unavailable

ALGORITHM = "RS256"
MAX_BYTES = 64 * 1024
"""Cognito's key sets have two keys and less than 1 KiB."""
MAX_AGE = timedelta(hours=6)
REFRESH_INTERVAL = timedelta(minutes=1)
RETRY_INTERVAL = timedelta(seconds=1)
"""While there is no key at all nobody can sign in, so a failed first fetch is not left for a whole minute."""

log = logging.getLogger(__name__)


class KeySetFault(Exception):
    """What a pool's address answered is not a key set. The message never has the answer in it."""


class KeySet:
    """The keys of one pool by key id; an async context manager, which owns its connections.

    Parameters:
        url: address of the key set (JWKS, RFC 7517)
        clock: paces the refreshes
        refuse_kids: key ids that are never trusted, whatever the pool publishes
        refuse_moduli: SHA-256 of moduli that are never trusted, under whatever id; hexadecimal
        timeout_s: longest fetch, from connecting to the last byte
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        refuse_kids: Iterable[str] = (),
        refuse_moduli: Iterable[str] = (),
        timeout_s: float = 1.5,
    ) -> None:
        self._url = url
        self._clock = clock
        self._refused = frozenset(refuse_kids)
        self._refused_moduli = frozenset(refuse_moduli)
        self._timeout_s = timeout_s
        self._keys: dict[str, Key] = {}
        self._tried_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # The answer is not compressed, so that its size is known before anything is unpacked.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, force_close=True),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._refreshing is not None and not self._refreshing.done():
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
        if self._http is not None:
            await self._http.close()

    def __contains__(self, kid: str) -> bool:
        """Whether the key is among those that the pool published last."""
        return kid in self._keys

    def keep_fresh(self) -> None:
        """Fetch keys of some age again, while they go on serving: so a key that was withdrawn stops."""
        if self._fetched_at is not None and self._clock.now() - self._fetched_at >= MAX_AGE:
            self._begin_refresh()

    async def key(self, kid: str) -> Key | None:
        """The pool's key of this id; None when the pool has none, or it is one to refuse.

        An unknown id fetches the key set again, at most once a minute and once for all who ask meanwhile.
        Raises Unavailable when no key was ever fetched.
        """
        if kid in self._refused:
            return None
        if kid not in self._keys:
            await self._refreshed()
        if not self._keys:
            raise Unavailable("sign-in keys")
        return self._keys.get(kid)

    async def _refreshed(self) -> None:
        refreshing = self._begin_refresh()
        if refreshing is not None:
            # Shielded: the fetch belongs to all who wait for it, and outlives the request that happened to start it.
            await asyncio.shield(refreshing)

    def _begin_refresh(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, or begins now; None when one ended not long ago."""
        if self._refreshing is None or self._refreshing.done():
            if not self._is_due():
                return None
            self._tried_at = self._clock.now()
            self._refreshing = asyncio.create_task(self._refresh(), name="refresh sign-in keys")
        return self._refreshing

    def _is_due(self) -> bool:
        if self._tried_at is None:
            return True
        interval = REFRESH_INTERVAL if self._keys else RETRY_INTERVAL
        passed = self._clock.now() - self._tried_at
        return passed >= interval or passed < timedelta(0)  # a clock set back must not stop refreshes until then

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                document = await self._fetch()
            self._keys = self._trusted(document)
            self._fetched_at = self._clock.now()
        except (aiohttp.ClientError, TimeoutError, KeySetFault) as fault:
            kept = f"going on with {len(self._keys)} cached" if self._keys else "none cached: nobody can sign in"
            log.warning("sign-in keys not fetched from %s (%s: %s), %s", self._url, type(fault).__name__, fault, kept)

    async def _fetch(self) -> bytes:
        assert self._http is not None, "KeySet is used outside `async with`"
        document = bytearray()
        # A redirect is not followed: whoever can place one on the pool's host would choose our keys.
        async with self._http.get(self._url, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK:
                raise KeySetFault(f"status {answer.status}")
            async for part in answer.content.iter_any():
                document += part
                if len(document) > MAX_BYTES:
                    raise KeySetFault(f"more than {MAX_BYTES} bytes")
        return bytes(document)

    def _trusted(self, document: bytes) -> dict[str, Key]:
        """The RSA signing keys of a key set; the rest is left out. Raises KeySetFault when none is left."""
        try:
            published = json.loads(document)["keys"]
            keys = {each["kid"]: _public_key(each) for each in published if _signs_tokens(each)}
        except (ValueError, TypeError, KeyError, RecursionError, JWKError) as cause:
            raise KeySetFault(f"not a key set ({type(cause).__name__})") from cause
        trusted = {kid: key for kid, key in keys.items() if not self._is_refused(kid, key)}
        if not trusted:
            raise KeySetFault("no key in it that may be trusted")
        return trusted

    def _is_refused(self, kid: str, key: Key) -> bool:
        return kid in self._refused or (bool(self._refused_moduli) and _modulus(key) in self._refused_moduli)


def _modulus(key: Key) -> str:
    """SHA-256 of the number itself, so that no other spelling of it is another key."""
    number = base64url_to_long(key.to_dict()["n"])
    return sha256(number.to_bytes((number.bit_length() + 7) // 8, "big")).hexdigest()


def _signs_tokens(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and (entry.get("kty"), entry.get("alg"), entry.get("use")) == ("RSA", ALGORITHM, "sig")
        and isinstance(entry.get("kid"), str)
        and all(isinstance(entry.get(part), str) for part in "ne")
    )


def _public_key(entry: dict[str, Any]) -> Key:
    # Built from these three members alone, so that nothing else in the entry can turn it into another kind of key.
    return jwk.construct({"kty": "RSA", "n": entry["n"], "e": entry["e"]}, ALGORITHM)
