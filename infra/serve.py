"""Running the gateway under uvicorn, in the settings that the environment gives."""

import asyncio
import sys
import time
from pathlib import Path
from socket import socket
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from infra import logs
from infra.draining import Draining
from infra.embedded.refusals import StartRefused
from infra.http_protocol import bounded
from infra.peers import Peers
from settings import Settings, listed, require
from settings import loading as configuration

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

ROOT = Path(__file__).parents[1]


def gateway_app() -> "ASGIApplication":
    """What uvicorn calls in each process that serves."""
    settings = configuration.load()
    logs.configure(settings.log_level)
    try:
        return _app(settings, Draining())
    except StartRefused as refused:  # uvicorn calls this in a process of its own, and waits for the next change
        sys.exit(f"torii: {refused}")


def _app(settings: Settings, draining: Draining) -> "ASGIApplication":
    """Raises StartRefused."""
    from engine.reading.persisted import WrongManifest
    from gateway import create_app

    try:
        return cast("ASGIApplication", create_app(settings, draining))
    except WrongManifest as wrong:
        raise StartRefused(f"TORII_TRUSTED_DOCUMENTS: {wrong}") from wrong


class DrainingServer(uvicorn.Server):
    """Tells the load balancer first: when asked to stop it goes on serving for `drain_s`, while its health is 503."""

    def __init__(self, config: uvicorn.Config, draining: Draining, drain_s: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._drain_s = drain_s
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(logs.log_stray)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for end in self._draining.when_stopping:
            end()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._drain_s == 0 or self._draining.has_begun:  # asked twice: no more patience
            super().handle_exit(sig, frame)
            return
        self._draining.has_begun = True
        self._stop_at = time.monotonic() + self._drain_s

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(settings: Settings, *, reload: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end within `shutdown_grace_s`."""
    require(settings, "database_url", "redis_url", "secret_key")
    logs.configure(settings.log_level)
    if reload:
        uvicorn.run(
            "infra.serve:gateway_app",
            factory=True,
            reload=True,
            reload_dirs=[str(ROOT)],
            reload_includes=["*.py"],
            **_options(settings),
        )
        return
    draining = Draining()
    config = uvicorn.Config(_app(settings, draining), **_options(settings))
    DrainingServer(config, draining, settings.drain_s).run()


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": bounded(Peers(settings.connections_per_address, listed(settings.trusted_proxies))),
        "ws": "websockets-sansio",
        "ws_max_size": settings.max_body_bytes,
        "log_config": None,  # its loggers go where all do
        "access_log": False,
        "server_header": False,
        # uvicorn's own default believes every proxy on this machine, and so whoever can reach the port from here
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies,
        "timeout_graceful_shutdown": settings.shutdown_grace_s,
    }
