"""A connection of its own that hears what is told on channels of PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

PROBE_S = 5.0
"""How often a quiet connection is asked whether it still lives: a cut can be silent."""
EVERYTHING = "*"
QUEUE = 10_000
"""Notifications that may wait; when more do, they become one of each channel, `*`."""
LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What listening raises when the connection is lost, or there is none."""


Heard = tuple[str, str]
"""A channel, and what was told there."""


class Channel:
    """What was told on some channels since the listening began, in order. Methods raise what `LOST` names."""

    def __init__(self, connection: Any, names: Sequence[str]) -> None:
        self._connection = connection
        self._names = names
        self._heard: asyncio.Queue[Heard | None] = asyncio.Queue(QUEUE)

    def put(self, said: Heard | None) -> None:
        """None: the connection was closed."""
        if not self._heard.full():
            self._heard.put_nowait(said)
            return
        while not self._heard.empty():
            self._heard.get_nowait()
        for each in [(name, EVERYTHING) for name in self._names] if said else [None]:
            self._heard.put_nowait(each)

    async def next(self) -> str:
        """The payload of the next notification, however long that takes."""
        while True:
            said = await self.within(PROBE_S)
            if said is not None:
                return said[1]
            await self.probe()

    async def within(self, seconds: float) -> Heard | None:
        """The next notification, if it comes by then."""
        try:
            async with asyncio.timeout(seconds):
                return _told(await self._heard.get())
        except TimeoutError:
            return None

    def heard(self) -> list[Heard]:
        """All that has been told and was not asked for yet."""
        return [_told(self._heard.get_nowait()) for _ in range(self._heard.qsize())]

    async def probe(self) -> None:
        """Whether the connection still lives; what was told before has been heard when it says so."""
        await self._connection.execute("SELECT 1")


def _told(said: Heard | None) -> Heard:
    if said is None:
        raise ConnectionError("PostgreSQL closed the connection")
    return said


@asynccontextmanager
async def listening(url: str, channels: Sequence[str], name: str) -> AsyncIterator[Channel]:
    """Listen on the channels for the block. `name` is the application's, as the server shows it. Raises what `LOST` names."""
    connection = await asyncpg.connect(url, timeout=5, command_timeout=5, server_settings={"application_name": name})
    heard = Channel(connection, channels)
    try:
        connection.add_termination_listener(lambda _: heard.put(None))
        for channel in channels:
            await connection.add_listener(channel, lambda _connection, _pid, name, payload: heard.put((name, payload)))
        yield heard
    finally:
        connection.terminate()  # a polite close could fail, and hide from who listens that it was cancelled
