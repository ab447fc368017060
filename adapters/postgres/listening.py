"""A connection of its own that hears what is told on a channel of PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

PROBE_S = 5.0
"""How often a quiet connection is asked whether it still lives: a cut can be silent."""
EVERYTHING = "*"
QUEUE = 10_000
"""Notifications that may wait; when more do, they become one, `*`."""
LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What listening raises when the connection is lost, or there is none."""


class Channel:
    """What was told since the listening began."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._heard: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)

    def put(self, payload: str | None) -> None:
        """None: the connection was closed."""
        if self._heard.full():
            while not self._heard.empty():
                self._heard.get_nowait()
            payload = payload and EVERYTHING
        self._heard.put_nowait(payload)

    async def next(self) -> str:
        """The payload of the next notification. Raises what `LOST` names."""
        while True:
            try:
                async with asyncio.timeout(PROBE_S):
                    payload = await self._heard.get()
            except TimeoutError:
                await self._connection.execute("SELECT 1")
                continue
            if payload is None:
                raise ConnectionError("PostgreSQL closed the connection")
            return payload


@asynccontextmanager
async def listening(url: str, channel: str, name: str) -> AsyncIterator[Channel]:
    """Listen on the channel for the block. `name` is the application's, as the server shows it. Raises what `LOST` names."""
    connection = await asyncpg.connect(url, timeout=5, command_timeout=5, server_settings={"application_name": name})
    heard = Channel(connection)
    try:
        connection.add_termination_listener(lambda _: heard.put(None))
        await connection.add_listener(channel, lambda _connection, _pid, _channel, payload: heard.put(payload))
        yield heard
    finally:
        connection.terminate()  # a polite close could fail, and hide from who listens that it was cancelled
