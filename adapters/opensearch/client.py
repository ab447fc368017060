"""The one place where the OpenSearch client is made, and where its outages get a name."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import SerializationError, TransportError

from adapters.breaker import Breaker
from domain.shared.refusals import Unavailable

OUTAGE_STATUSES = frozenset({401, 403, 408, 429, 500, 502, 503, 504})
"""Answers that say "not now": the same request may work later, maybe once somebody has put our rights in order."""

CONNECTIONS = 20

LONGEST_S = 300
"""What the client itself allows a call; its blocks end sooner."""


class Client:
    """A client whose every call has a time limit of ours. Nothing is tried twice.

    Parameters:
        url: http(s)://user:password@host:port. With https the certificate is verified, against the system's
            authorities or those that SSL_CERT_FILE names.
        timeout_ms: the longest that a block of `answering` may take.
    """

    def __init__(self, url: str, timeout_ms: int) -> None:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._timeout_s = timeout_ms / 1000
        self._breaker = Breaker()
        self.api: Any = AsyncOpenSearch(
            hosts=[{"host": parts.hostname, "port": parts.port or (443 if is_tls else 80)}],
            url_prefix=parts.path.strip("/"),
            http_auth=login,
            use_ssl=is_tls,
            ssl_context=ssl.create_default_context() if is_tls else None,
            timeout=LONGEST_S,
            max_retries=0,
            maxsize=CONNECTIONS,
        )

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Any]:
        """Around the calls of a request, which share one time limit. Raises Unavailable for outages, and nothing else of
        its own: at once while the breaker is open."""
        if self._breaker.is_open:
            raise Unavailable("search")
        try:
            async with self.working(self._timeout_s) as api:
                yield api
        except Unavailable:
            self._breaker.failed()
            raise
        except TransportError:  # no, but an answer
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()

    @asynccontextmanager
    async def working(self, timeout_s: float) -> AsyncIterator[Any]:
        """The same around upkeep, with its own limit and without the breaker: it is to be tried however things are."""
        try:
            async with asyncio.timeout(timeout_s):
                yield self.api
        except (TimeoutError, NoConnection, SerializationError) as error:
            raise Unavailable("search") from error
        except TransportError as error:
            if error.status_code in OUTAGE_STATUSES:
                raise Unavailable("search") from error
            raise

    async def close(self) -> None:
        await self.api.close()
