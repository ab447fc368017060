"""graphql-transport-ws as a client speaks it, to a gateway on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from infra.serve import _options
from settings import Settings

PROTOCOL = "graphql-transport-ws"


@asynccontextmanager
async def serving(app: Starlette, settings: Settings) -> AsyncIterator[str]:
    """The app, which has started, on a socket of its own; as `torii serve` serves it. Gives `127.0.0.1:port`."""
    config = uvicorn.Config(cast("Any", app), **_options(settings) | {"port": 0, "lifespan": "off", "loop": "none"})
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def exchange(socket: ClientConnection, message: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps(message))
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 60))
    return answer


async def begin(socket: ClientConnection, **payload: Any) -> None:
    assert (await exchange(socket, {"type": "connection_init", "payload": payload}))["type"] == "connection_ack"


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason with which the gateway closes a socket."""
    with pytest.raises(ConnectionClosed) as end:
        await asyncio.wait_for(socket.recv(), 20)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason
