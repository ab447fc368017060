"""Which pages and which names may reach the gateway: CORS, the origin of WebSockets, and the Host header.

CSRF needs no token: what changes something is a POST of application/json, which a browser sends across origins only after a
preflight that CORS refuses, and a GET never changes anything. A WebSocket has no preflight, so its origin is checked here.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PREFLIGHT_S = 3600
POLICY_VIOLATION = 1008


def guards(
    origins: Sequence[str],
    hosts: Sequence[str],
    *,
    headers: Sequence[str],
    exposed: Sequence[str],
    health: Sequence[str],
    endpoints: Mapping[str, ASGIApp] | None = None,
) -> list[Middleware]:
    """What stands before all routes. No hosts: any. `health`: paths that a load balancer asks for by address.

    `endpoints` answer HTTP at their paths as soon as all guards have let a request through, without a look at the routes.
    """
    found = [Middleware(OwnSockets, origins=origins)]
    if endpoints:
        found.append(Middleware(Shortcut, endpoints=endpoints))
    if origins:
        cors = Middleware(
            CrossOrigin,
            allow_origins=list(origins),
            allow_methods=["DELETE", "GET", "POST", "PUT"],
            allow_headers=list(headers),
            allow_credentials=True,
            expose_headers=list(exposed),
            max_age=PREFLIGHT_S,
        )
        found.insert(0, cors)
    if hosts:
        found.insert(0, Middleware(KnownHosts, hosts=hosts, except_paths=health))
    return found


class CrossOrigin:
    """Starlette's CORS, for requests that say which page they come from: nothing has to be said to others."""

    def __init__(self, app: ASGIApp, /, **options: Any) -> None:
        self._app = app
        self._checked = CORSMiddleware(app, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_told = scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"])
        await (self._checked if is_told else self._app)(scope, receive, send)


class Shortcut:
    """Calls an endpoint by the path alone; everything else goes on to the routes."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._endpoints = dict(endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self._app)(scope, receive, send)


class KnownHosts:
    """Starlette's check of the Host header, but for some paths."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], except_paths: Sequence[str]) -> None:
        self._app = app
        self._checked = TrustedHostMiddleware(app, list(hosts), www_redirect=False)
        self._except = frozenset(except_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = self._app if scope.get("path") in self._except else self._checked
        await target(scope, receive, send)


class OwnSockets:
    """Refuses a WebSocket from a page of another origin. Programs send no Origin, and need none."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._is_own(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "origin not allowed"})
            return
        await self._app(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        return urlsplit(origin).netloc == headers.get("host")  # the proxy that ends TLS makes the schemes differ
