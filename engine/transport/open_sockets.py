"""How many WebSockets an address has open: each takes memory for as long as it likes."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import Response

RETRY_AFTER_S = 10


class TooManySockets(Exception):
    """This address has as many open as it may."""

    @property
    def response(self) -> Response:
        """What the handshake is answered with."""
        error = {
            "message": "Too many WebSockets are open from this address.",
            "extensions": {"code": "RATE_LIMITED", "retryAfter": RETRY_AFTER_S},
        }
        headers = {"retry-after": f"{RETRY_AFTER_S}"}
        return Response(orjson.dumps({"errors": [error]}), 429, headers, "application/json")


def by_host(connection: HTTPConnection) -> str | None:
    """The address that a connection comes from; that of the client, behind a trusted proxy."""
    return connection.client.host if connection.client else None


class OpenSockets:
    """Counts those of a process. `whose` says which ones count together."""

    def __init__(self, most: int, whose: Callable[[HTTPConnection], Hashable] = by_host) -> None:
        self._most = most
        self._whose = whose
        self._open: Counter[Hashable] = Counter()

    @contextmanager
    def one_more(self, connection: HTTPConnection) -> Iterator[None]:
        """For as long as the block takes. Raises TooManySockets."""
        who = self._whose(connection)
        if self._open[who] >= self._most:
            raise TooManySockets
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
