"""What came with a request, read off its ASGI scope as it is needed: no object of a framework is made for it."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import cookie_parser
from starlette.types import Scope

COOKIE = b"cookie"


class Asked:
    """The head of a request or of a WebSocket's handshake. Names of headers are lower-case bytes, as ASGI has them."""

    __slots__ = ("_headers", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # of several of one name the first counts

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def listed(self, name: bytes) -> str | None:
        """The value of a header that is a list: of several of one name, all of them (RFC 9110, 5.3)."""
        if len(self._headers) == len(self.scope["headers"]):
            return self.header(name)
        values = [value for each, value in self.scope["headers"] if each == name]
        return b", ".join(values).decode("latin-1") if values else None

    def cookie(self, name: str) -> str | None:
        if COOKIE not in self._headers:
            return None
        found: Mapping[str, str] = {}
        for header, value in self.scope["headers"]:
            if header == COOKIE:
                found = {**found, **cookie_parser(value.decode("latin-1"))}
        return found.get(name)

    @property
    def address(self) -> str | None:
        """Where it came from, as the nearest trusted proxy has it; None on a Unix socket."""
        client: Any = self.scope.get("client")
        return client[0] if client else None
