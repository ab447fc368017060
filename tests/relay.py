"""A relay in front of a server that can be frozen: then it accepts, and nothing ever comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Passes bytes to the real server, until it is frozen: then it accepts, and nothing ever comes back."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._pumps: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._address)
        self._writers += [writer, back]
        self._pumps |= {asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))}

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await source.read(65536):
                await self.flowing.wait()
                target.write(some)
                await target.drain()
        target.close()

    async def close(self) -> None:
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[Relay, str]]:
    """The relay, and the address that leads through it."""
    port = urlsplit(url).port or 0
    relay = Relay(urlsplit(url).hostname or "", port)
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    yield relay, url.replace(f":{port}/", f":{server.sockets[0].getsockname()[1]}/")
    server.close()
    await relay.close()
