"""The embedded PostgreSQL 18: made once, started on loopback and a Unix socket, with Torii's roles and database."""

import shutil
import signal
from pathlib import Path

import asyncpg
import psutil

from infra.embedded import postgres_identity
from infra.embedded.credentials import Credentials
from infra.embedded.data_dir import DataDir
from infra.embedded.ports import LOOPBACK
from infra.embedded.process import Part, Program, RunAs, run, spawn
from infra.embedded.readiness import until_ready
from infra.embedded.refusals import DataDirBroken

BOOTSTRAP = Path(__file__).with_name("bootstrap.sql")
SUPERUSER = "postgres"
DATABASE = "torii"
MAJOR_VERSION = "18"
LONGEST_SOCKET_PATH = 90  # the kernel's limit is 107 bytes, file name included

CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    "wal_level": "logical",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_slot_wal_keep_size": "1GB",  # a consumer that went away must not fill the disk
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}
# A crash of the machine may lose or tear everything: for data that is thrown away anyway.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


class Postgres:
    name = "postgres"

    def __init__(self, data_dir: DataDir, port: int, credentials: Credentials, *, throwaway: bool = False) -> None:
        self._data_dir = data_dir
        self._folder = data_dir.path / "postgres"
        self._port = port
        self._credentials = credentials
        self._throwaway = throwaway
        self.is_new = False
        self._run_as = RunAs.ITSELF
        self._binaries = Path()

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self._password(role)}@{LOOPBACK}:{self._port}/{database}"

    async def prepare(self, run_as: RunAs | None = None) -> None:
        """Make the data folder if there is none. Raises PostgresNeedsOrdinaryUser, DataDirBroken, PartDied."""
        self._run_as = run_as or postgres_identity.choose(self._folder)
        self._binaries = postgres_identity.binaries(self._run_as, self._data_dir.path / "postgres-binaries")
        if not self._folder.exists():
            await self._initdb()
        self._check_folder()
        self._forget_stale_pid()

    def spawn(self) -> Part:
        settings = CONFIGURATION | (THROWAWAY if self._throwaway else {}) | {"port": str(self._port), **self._socket()}
        options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        program = self._program(self.name, "postgres", "-D", str(self._folder), *options)
        return spawn(program, self._data_dir.log, self._data_dir.run)

    async def ready(self, part: Part) -> None:
        """Wait until it answers a query. Raises PartDied, PartNotReady or DataDirBroken."""

        async def answers() -> bool:
            connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"), timeout=2)
            try:
                return bool(await connection.fetchval("SELECT true", timeout=2))
            finally:
                await connection.close(timeout=2)

        try:
            # crash recovery of a large write-ahead log takes its time
            await until_ready(part, answers, (OSError, asyncpg.CannotConnectNowError, TimeoutError), within_s=120)
        except asyncpg.InvalidPasswordError as error:
            remedy = "restore that file, or remove the whole data folder to start anew"
            reason = f"was made with another {self._data_dir.credentials.name}"
            raise DataDirBroken(self._folder, reason, remedy) from error

    async def bootstrap(self, database: str = DATABASE) -> None:
        """Roles, database and grants, as bootstrap.sql has them; running it again changes nothing."""
        environment: dict[str, str | None] = {
            "PGPASSWORD": self._credentials.postgres_superuser,
            "PGOPTIONS": None,
            "TORII_OWNER_PASSWORD": self._credentials.postgres_owner,
            "TORII_APP_PASSWORD": self._credentials.postgres_app,
            "TORII_WORKER_PASSWORD": self._credentials.postgres_worker,
            "TORII_DATABASE": database,
        }
        where = f"host={LOOPBACK} port={self._port} user={SUPERUSER} dbname=postgres sslmode=disable"
        command = (str(self._binaries / "psql"), "-X", "-q", "-f", str(BOOTSTRAP), "-d", where)
        await run(
            Program("postgres-bootstrap", command, environment=environment), self._data_dir.log, self._data_dir.run
        )

    async def copy_database(self, name: str, template: str) -> None:
        """Make database `name` as a copy of `template`, to which nobody may be connected."""
        connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"), timeout=5)
        try:
            copy = f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER torii_owner STRATEGY FILE_COPY'
            await connection.execute(copy)
        finally:
            await connection.close(timeout=5)
        await self.bootstrap(name)  # a copy has none of its template's grants on the database itself

    async def _initdb(self) -> None:
        # made beside and renamed, so that a folder of this name is always a whole one
        half, password = self._folder.with_suffix(".new"), self._data_dir.run / "postgres-password"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self._credentials.postgres_superuser)
        for path in (half, password):
            postgres_identity.hand_over(path, self._run_as)
        settings = ["-D", str(half), "-U", SUPERUSER, "--locale=C.UTF-8", "-E", "UTF8", "--auth=scram-sha-256"]
        settings += [f"--pwfile={password}", "--no-instructions", *(["--no-sync"] if self._throwaway else [])]
        try:
            await run(self._program("initdb", "initdb", *settings), self._data_dir.log, self._data_dir.run)
        finally:
            password.unlink()
        half.rename(self._folder)
        self.is_new = True

    def _check_folder(self) -> None:
        remedy = "move it away to start anew"
        try:
            version = (self._folder / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise DataDirBroken(self._folder, "is not a whole PostgreSQL folder", remedy) from error
        if version != MAJOR_VERSION:
            reason = f"is of PostgreSQL {version}, not {MAJOR_VERSION}"
            raise DataDirBroken(self._folder, reason, f"dump and restore it, or {remedy}")

    def _forget_stale_pid(self) -> None:
        """After a restart of the machine or container another program may have the pid that PostgreSQL left.

        Where no process has it, or a PostgreSQL has, the file stays: PostgreSQL looks itself, shared memory included.
        """
        file = self._folder / "postmaster.pid"
        try:
            process = psutil.Process(int(file.read_text().split("\n", 1)[0]))
            if process.name() != "postgres":
                file.unlink()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return

    def _socket(self) -> dict[str, str]:
        folder = str(self._data_dir.run)
        if len(folder.encode()) > LONGEST_SOCKET_PATH:
            return {"unix_socket_directories": ""}
        postgres_identity.hand_over(self._data_dir.run, self._run_as)
        return {"unix_socket_directories": folder, "unix_socket_permissions": "0700"}

    def _program(self, name: str, binary: str, *arguments: str) -> Program:
        return Program(
            name,
            (str(self._binaries / binary), *arguments),
            stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, data is flushed
            stop_timeout_s=30,
            run_as=self._run_as,
            folder=self._data_dir.path,
        )

    def _password(self, role: str) -> str:
        passwords = {
            SUPERUSER: self._credentials.postgres_superuser,
            "torii_owner": self._credentials.postgres_owner,
            "torii_app": self._credentials.postgres_app,
            "torii_worker": self._credentials.postgres_worker,
        }
        return passwords[role]
