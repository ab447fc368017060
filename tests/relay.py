"""A relay in front of a server, which brings about what networks and servers do: down, slow, half open, resetting.

As toxiproxy does it, but in the test's own process, and for one service of several behind one address.
"""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit

SLOW_S = 3.0
CHUNK = 65536
EARLIEST_S = 0.0001
"""Between two chunks that come late."""


class Fault(Enum):
    DOWN = "down"
    """Nobody listens; what was connected is cut."""
    SLOW = "slow"
    """Each answer comes three seconds late."""
    HALF_OPEN = "half open"
    """It accepts, and nothing ever comes back. What was sent meanwhile arrives when the fault is over."""
    RESETTING = "resetting"
    """Whoever sends anything is sent a reset, on connections old and new."""


Label = Callable[[bytes], str]
"""Which service a connection is for, by the first bytes that its client sends."""


def aws_service(first: bytes) -> str:
    """The service of AWS, by the name that it signs with: a client of aiobotocore has connections of its own."""
    signed = re.search(rb"Credential=[^,\s]*/([a-z-]+)/aws4_request", first)
    if signed:
        return signed[1].decode()
    return "cognito-idp" if b"AWSCognitoIdentityProviderService" in first else ""


class Line:
    """One connection through the relay."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.label: str | None = None
        self.free_at = 0.0
        """When the last of what comes late is there, in the loop's time."""

    def say(self, some: bytes) -> None:
        if not self.client.transport.is_closing():
            self.client.write(some)

    def reset(self) -> None:
        """Cut, with a reset in place of a polite end."""
        with suppress(OSError):
            self.client.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        self.abort()

    def abort(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


class Relay:
    """Passes bytes to the real server, as long as nothing is the matter."""

    def __init__(self, host: str, port: int, label: Label | None = None) -> None:
        self._address = host, port
        self._label = label
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._faults: dict[str, Fault] = {}
        self._changed = asyncio.Event()
        self.port = 0
        self.lines: set[Line] = set()
        """Connections that are open."""
        self.heard = 0
        """How many times something came from a client."""
        self.flowing = asyncio.Event()
        """Cleared, everything is half open, whatever else is said."""
        self.flowing.set()

    async def begin(self, fault: Fault, service: str = "") -> None:
        """Of one service of several, or of all. One of several that is down accepts, and cuts when it sees whom it is for."""
        self._change(service, fault)
        if fault is Fault.DOWN:
            if not service:
                await self._deafen()
            for line in [each for each in self.lines if not service or each.label == service]:
                line.abort()

    async def end(self, service: str = "") -> None:
        if self._faults.get(service) is Fault.DOWN and not service:
            await self.listen()
        self._change(service, None)

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._faults.get("") is not Fault.DOWN:
            await self._deafen()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deafen(self) -> None:
        assert self._server is not None
        self._server.close()

    def _change(self, service: str, fault: Fault | None) -> None:
        self._faults.pop(service, None)
        if fault is not None:
            self._faults[service] = fault
        self._changed.set()
        self._changed = asyncio.Event()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(writer)
        self.lines.add(line)
        try:
            await self._relay(line, reader)
        finally:
            self.lines.discard(line)
            line.abort()

    async def _relay(self, line: Line, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            there, line.server = await asyncio.open_connection(*self._address)
            ways = [asyncio.create_task(self._out(line, reader)), asyncio.create_task(self._back(line, there))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _out(self, line: Line, reader: asyncio.StreamReader) -> None:
        assert line.server is not None
        with suppress(OSError):
            while some := await reader.read(CHUNK):
                if line.label is None:
                    line.label = self._label(some) if self._label else ""
                self.heard += 1
                await self._passing(line)
                line.server.write(some)
                await line.server.drain()

    async def _back(self, line: Line, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while some := await reader.read(CHUNK):
                due = self._due(line, await self._passing(line))
                if due is None:
                    line.client.write(some)
                    await line.client.drain()
                else:
                    asyncio.get_running_loop().call_at(due, line.say, some)
            if line.free_at > (now := asyncio.get_running_loop().time()):
                await asyncio.sleep(line.free_at - now)

    def _due(self, line: Line, fault: Fault | None) -> float | None:
        """When the next chunk goes on; None for at once. One after the other, so that none overtakes one that is late."""
        now = asyncio.get_running_loop().time()
        if fault is Fault.SLOW:
            line.free_at = max(now + SLOW_S, line.free_at + EARLIEST_S)
        elif line.free_at > now:
            line.free_at += EARLIEST_S
        else:
            return None
        return line.free_at

    async def _passing(self, line: Line) -> Fault | None:
        """Wait until something may pass. Raises ConnectionResetError where the line was cut."""
        while True:
            await self.flowing.wait()
            fault = self._faults.get("") or self._faults.get(line.label or "")
            if fault is Fault.HALF_OPEN:
                await self._changed.wait()
            elif fault in (Fault.DOWN, Fault.RESETTING):
                line.reset()
                raise ConnectionResetError
            else:
                return fault


@asynccontextmanager
async def relayed(url: str, label: Label | None = None) -> AsyncIterator[tuple[Relay, str]]:
    """The relay, and the address that leads through it."""
    port = urlsplit(url).port or 0
    relay = Relay(urlsplit(url).hostname or "", port, label)
    await relay.listen()
    try:
        yield relay, url.replace(f":{port}/", f":{relay.port}/")
    finally:
        await relay.close()
