"""Signed calls to a shop front: which tags it is to revalidate."""

import hashlib
import hmac
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import aiohttp
import orjson

from domain.events.ports import GivenUp
from domain.shared.clock import Clock
from domain.shared.events import EventId
from domain.shared.refusals import Unavailable

SIGNATURE = "Torii-Signature"
SERVICE = "the shop front's cache"
TIMEOUT_S = 5.0
NOT_NOW = (408, 425, 429)
"""Refusals that may be none a little later."""


class HttpPageCache:
    """The port `PageCache`, over HTTP, open between enter and exit."""

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def revalidate(self, event_id: EventId, tags: Sequence[str]) -> None:
        if self._session is None:
            raise RuntimeError("HttpPageCache is used outside `async with`")
        body = orjson.dumps({"id": str(event_id), "type": "revalidate", "tags": list(tags)})
        headers = {"Content-Type": "application/json", SIGNATURE: self.signature(body)}
        try:
            # a redirect would take the signed body somewhere else
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(SERVICE) from error
        if status >= 500 or status in NOT_NOW:
            raise Unavailable(SERVICE)
        if status >= 300:
            raise GivenUp(f"{SERVICE} answered {status}")

    def signature(self, body: bytes) -> str:
        """The header's value: when it was signed, in seconds since 1970, and HMAC-SHA256 of `{time}.{body}`."""
        time = int(self._clock.now().timestamp())
        digest = hmac.new(self._secret, f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={time},v1={digest}"
