"""Running the gateway under uvicorn, in the settings that the environment gives."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvicorn

import settings as configuration
from settings import Settings

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

ROOT = Path(__file__).parents[1]
WATCHED = ("schema", "resolvers", "engine", "domain", "adapters")


def gateway_app() -> "ASGIApplication":
    """What uvicorn calls in each process that serves."""
    from gateway import create_app

    return cast("ASGIApplication", create_app(configuration.load()))


def serve(settings: Settings, *, reload: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end within `shutdown_grace_s`."""
    uvicorn.run(
        "infra.serve:gateway_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="websockets-sansio",
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        reload=reload,
        reload_dirs=[str(ROOT)] if reload else None,
        reload_includes=["*.py", *(f"{folder}/**/*.py" for folder in WATCHED)] if reload else None,
    )
