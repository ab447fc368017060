"""Whose word is taken for where a request comes from: a trusted proxy's and nobody else's."""

from typing import Any

import uvicorn

from infra.serve import _options
from settings import Settings


async def client_seen(trusted: str, peer: str, forwarded: str) -> str:
    """The client that an app sees of a request, under the options of the gateway."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    config = uvicorn.Config(app, **_options(Settings(_env_file=None, trusted_proxies=trusted)))
    config.load()
    headers = [(b"x-forwarded-for", forwarded.encode())]
    scope: Any = {"type": "http", "client": (peer, 1), "headers": headers, "scheme": "http"}
    await config.loaded_app(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


async def test_nobody_is_believed_by_default() -> None:
    assert await client_seen("", "127.0.0.1", "203.0.113.9") == "127.0.0.1"


async def test_a_trusted_proxy_names_its_client() -> None:
    assert await client_seen("10.0.0.0/8, 192.0.2.1", "10.1.2.3", "203.0.113.9") == "203.0.113.9"


async def test_what_a_client_says_of_itself_before_the_proxy_is_not_believed() -> None:
    assert await client_seen("10.0.0.0/8", "10.1.2.3", "1.1.1.1, 203.0.113.9, 10.9.9.9") == "203.0.113.9"


async def test_another_peer_is_not_believed() -> None:
    assert await client_seen("10.0.0.0/8", "198.51.100.7", "203.0.113.9") == "198.51.100.7"
