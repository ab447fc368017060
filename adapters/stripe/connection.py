"""The way to Stripe: one session, time limits of ours, and its errors in our terms."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from adapters.breaker import Breaker
from adapters.stripe.faults import SERVICE, StripeFault, in_our_terms
from domain.payments.refusals import ProviderAway
from domain.shared.refusals import Unavailable

if TYPE_CHECKING:
    import stripe

API = "https://api.stripe.com"
MAX_CONNECTIONS = 50
CONNECT_WITHIN_S = 2.0
SLOW_S = 1.0
"""A call that its caller gave up after so long is held against Stripe."""
FRESH_S = 30.0
"""How long a good answer to the health check is given again: Stripe counts our calls."""


class StripeConnection:
    """Stripe's library is slow to import (half a second), so that happens with the first call, in a thread."""

    def __init__(
        self, secret_key: str, *, api_base: str = "", timeout_ms: int = 5_000, breaker: Breaker | None = None
    ) -> None:
        self._secret_key = secret_key
        self._api_base = api_base.rstrip("/") or API
        self._timeout_s = timeout_ms / 1000
        self.breaker = breaker or Breaker()
        self._session: aiohttp.ClientSession | None = None
        self._client: stripe.StripeClient | None = None
        self._healthy: tuple[float, str] | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator["stripe.StripeClient"]:
        """The library's client, for one call in the time that one may take; what it raises leaves in our terms.

        After five outages in a row Stripe is left alone for half a minute: then this says so at once.
        Raises ProviderAway, NotFound, PaymentRefused, PaymentConflict, KeySpent.
        """
        if self.breaker.is_open:
            raise ProviderAway(SERVICE) from ConnectionError("it failed too often, and is left alone for a while")
        if self._client is None:
            self._client = await asyncio.to_thread(self._make_client, self._open_session())
        with self.breaker.watching(SLOW_S, _is_outage):
            try:
                async with asyncio.timeout(self._timeout_s):
                    with in_our_terms():
                        yield self._client
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                raise ProviderAway(SERVICE) from error

    async def check(self) -> str:
        """The version of the API, and whether money is real. By hand, for it must not wait for the library. Raises Unavailable."""
        if self._healthy is not None and time.monotonic() - self._healthy[0] < FRESH_S:
            return self._healthy[1]
        headers = {"Authorization": f"Bearer {self._secret_key}"}
        try:
            async with self._open_session().get(f"{self._api_base}/v1/balance", headers=headers) as answer:
                if answer.status != 200:
                    raise Unavailable(SERVICE) from ConnectionError(f"it answered {answer.status}")
                is_live = (await answer.json()).get("livemode") is True
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, AttributeError) as error:
            raise Unavailable(SERVICE) from error
        found = (
            f"API {answer.headers.get('stripe-version', 'of an unknown version')}, {'live' if is_live else 'test mode'}"
        )
        self._healthy = time.monotonic(), found
        return found

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=self._timeout_s, connect=min(CONNECT_WITHIN_S, self._timeout_s))
            self._session = aiohttp.ClientSession(
                timeout=limits,
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _make_client(self, session: aiohttp.ClientSession) -> "stripe.StripeClient":
        import stripe

        stripe.enable_telemetry = False  # it would send what machine this is, and how long our last calls took
        return stripe.StripeClient(
            self._secret_key,
            base_addresses={"api": self._api_base},
            max_network_retries=0,  # a request that may not wait retries nothing; jobs do, by themselves
            http_client=stripe.AIOHTTPClient(session=session, timeout=None),
        )


def _is_outage(error: Exception) -> bool:
    cause = error.__cause__
    return isinstance(error, ProviderAway) and not (isinstance(cause, StripeFault) and not cause.is_outage)
