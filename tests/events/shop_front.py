"""A shop front that is told what to revalidate, and answers as it is bidden."""

import asyncio
import hashlib
import hmac
import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web


class ShopFront:
    """An HTTP server. `answers` are the next statuses; 200 when there are no more. `told` is what came with a good signature."""

    secret = "s" * 32

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.requests: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        self.is_held = asyncio.Event()
        self.is_held.set()
        app = web.Application()
        app.router.add_post("/api/revalidate", self._revalidate)
        self._runner = web.AppRunner(app)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/revalidate"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_held.set()
        await self._runner.cleanup()

    @property
    def tags(self) -> list[str]:
        return [tag for told in self.told for tag in told["tags"]]

    async def _revalidate(self, request: web.Request) -> web.Response:
        body, signature = await request.read(), request.headers["Torii-Signature"]
        self.requests.append((body, signature))
        await self.is_held.wait()
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            assert self.is_signed(body, signature)
            self.told.append(json.loads(body))
        return web.Response(status=status)

    def is_signed(self, body: bytes, signature: str) -> bool:
        """As docs/events.md tells shop fronts to check it."""
        parts = dict(part.split("=", 1) for part in signature.split(","))
        expected = hmac.new(self.secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts["v1"])
