"""The servers that are compared, and running them: each a process of its own on the back ends of one marketplace."""

import asyncio
import http.client
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values

from bench.parts import listener
from bench.peers.operations import FEED, LISTING, NAMES, SMALL
from bench.peers.packages import NODE_DIR, node
from bench.peers.statements import SQL_DIR
from bench.torii import ROOT, Torii
from infra.embedded.ports import LOOPBACK, remembered_ports
from infra.embedded.process import Part, Program, python, spawn
from infra.embedded.readiness import until_ready
from settings.loading import RUN_ENV

POOL = 10
"""Connections to PostgreSQL of each server, as many as Torii has for public reads by default."""

READY_WITHIN_S = 60.0
NOT_YET = (OSError, http.client.HTTPException)


class Kind(StrEnum):
    TORII = "torii"
    NODE = "node"
    PYTHON = "python"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Server:
    """What answers. `process`: whose it is, where several share one. `as_buyer`: asked by somebody who is signed in."""

    name: str
    title: str
    kind: Kind
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    process: str = ""
    folder: str = ""
    operations: Sequence[str] = (FEED, LISTING, SMALL)
    as_buyer: bool = False

    @property
    def runs_as(self) -> str:
        return self.process or self.name

    def path(self, operation: str) -> str:
        return f"/{self.folder}/{NAMES[operation]}" if self.folder else "/graphql"


SERVE = python("-m", "cli", "serve")
PATIENT = {"TORII_REDIS_TIMEOUT_MS": "5000", "TORII_QUERY_TIMEOUT_MS": "20000"}
"""A busy machine would have the gateway skip its cache: then a warm one is none."""

NOTHING_CACHED = {"TORII_CATALOG_CACHE": "false", "TORII_FRAGMENTS": "false"}
NO_RATES = {"TORII_RATE_LIMITS": "false"}
ASGI = (
    *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    *("--timeout-keep-alive", "120"),  # longer than a busy machine may hold up the generator
)
FLOORS = python("-m", "uvicorn", "bench.peers.floors:app", *ASGI)
STRAWBERRY = python("-m", "uvicorn", "bench.peers.strawberry_server:app", *ASGI)

COLD_OFF, COLD_ON, WARM_OFF, WARM_ON, BUYER = "torii-cold-off", "torii-cold-on", "torii-off", "torii", "torii-buyer"
APOLLO, YOGA, MERCURIUS, STOCK = "apollo", "yoga", "mercurius", "strawberry"
BY_HAND, FROM_REDIS, FROM_MEMORY = "sql", "redis", "memory"

SERVERS = (
    Server(COLD_OFF, "Torii, nothing cached, guard off", Kind.TORII, SERVE, NOTHING_CACHED | NO_RATES),
    Server(COLD_ON, "Torii, nothing cached, guard on", Kind.TORII, SERVE, NOTHING_CACHED),
    Server(WARM_OFF, "Torii, warm, guard off", Kind.TORII, SERVE, NO_RATES),
    Server(WARM_ON, "Torii, warm, guard on", Kind.TORII, SERVE),
    Server(
        BUYER,
        "Torii, warm, guard on, signed in",
        Kind.TORII,
        SERVE,
        process=WARM_ON,
        operations=(SMALL,),
        as_buyer=True,
    ),
    Server(APOLLO, "Apollo Server 5", Kind.NODE, ("apollo.js",)),
    Server(YOGA, "Yoga 5 with jit", Kind.NODE, ("yoga.js",)),
    Server(MERCURIUS, "Mercurius with jit", Kind.NODE, ("mercurius.js",)),
    Server(STOCK, "Strawberry, stock", Kind.PYTHON, STRAWBERRY),
    Server(BY_HAND, "no GraphQL: Starlette, asyncpg, orjson", Kind.FLOOR, FLOORS, process="floors", folder=BY_HAND),
    Server(FROM_REDIS, "the same bytes from Redis", Kind.FLOOR, FLOORS, process="floors", folder=FROM_REDIS),
    Server(
        FROM_MEMORY, "the same bytes from memory (bare ASGI)", Kind.FLOOR, FLOORS, process="floors", folder=FROM_MEMORY
    ),
)
TITLES = {server.name: server.title for server in SERVERS}


@dataclass(frozen=True, slots=True)
class Running:
    """The processes, by the names that servers run as."""

    ports: Mapping[str, int]
    parts: Mapping[str, Part]

    @property
    def pids(self) -> dict[str, int]:
        return {name: part.pid for name, part in self.parts.items()}

    def log_of(self, server: Server) -> list[str]:
        """What its process said last."""
        return self.parts[server.runs_as].last_lines()

    def url(self, server: Server, operation: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[server.runs_as]}{server.path(operation)}"


@contextmanager
def running(servers: Sequence[Server], torii: Torii, modules: Path | None) -> Iterator[Running]:
    """The servers, answering, until the block ends. `modules`: the npm packages, where one of them needs those.

    Use it from the main thread. Raises PartDied, PartNotReady, NoNode.
    """
    folder = torii.folder / "peers"
    folder.mkdir()
    scripts = _scripts(folder, modules) if modules else folder
    processes = {server.runs_as: server for server in servers}
    ports = remembered_ports(folder / "ports.json", list(processes))
    parts: list[Part] = []
    try:
        for name, server in processes.items():
            part = spawn(_program(name, server, ports[name], torii, scripts), folder, folder)
            parts.append(part)
            # one after another: starting all at once, some would wait for a back end longer than they are willing to
            asyncio.run(until_ready(part, _answering(part, ports[name]), NOT_YET, READY_WITHIN_S))
        yield Running(ports, {part.name: part for part in parts})
    finally:
        asyncio.run(_stop_all(parts))


def _program(name: str, server: Server, port: int, torii: Torii, scripts: Path) -> Program:
    environment: dict[str, str | None] = dict.fromkeys(os.environ)
    environment |= {**torii.environment, **_run_env(torii), **server.settings, "PORT": str(port)}
    if server.kind is Kind.TORII:
        environment |= PATIENT
    if server.kind is Kind.NODE:
        command: tuple[str, ...] = (str(node()), *server.command)
    else:
        command = (*server.command, *(() if server.kind is Kind.TORII else ("--port", str(port))))
    if server.kind is not Kind.TORII:
        environment |= _for_peers(torii)
    return Program(name, command, environment=environment, folder=scripts)


def _for_peers(torii: Torii) -> dict[str, str]:
    """What a peer is told: the same role as the gateway's, whom the row policies show what anybody may see."""
    addresses = _run_env(torii)
    return {
        "NODE_ENV": "production",
        "DATABASE_URL": addresses["TORII_DATABASE_URL"],
        "REDIS_URL": addresses["TORII_REDIS_URL"],
        "DATABASE_POOL": str(POOL),
        "SQL_DIR": str(SQL_DIR),
        "SCHEMA": str(ROOT / "schema.graphql"),
    }


def _run_env(torii: Torii) -> dict[str, str]:
    """Addresses and keys of the back ends, as `torii up` gives them to its own gateway."""
    return {name: value for name, value in dotenv_values(torii.data_dir / RUN_ENV).items() if value is not None}


def _scripts(folder: Path, modules: Path) -> Path:
    """The scripts beside their packages: Node.js looks for those in the folders above a script, and nowhere else."""
    scripts = folder / "node"
    shutil.copytree(NODE_DIR, scripts, ignore=shutil.ignore_patterns("node_modules"))
    (scripts / "node_modules").symlink_to(modules)
    return scripts


def _answering(part: Part, port: int) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        # another program may have taken the port since it was chosen, and answers too
        return await asyncio.to_thread(_answers, port) and listener(port) in (None, part.pid)

    return answers


def _answers(port: int) -> bool:
    """Whether there is any answer at all; none has the same path."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("POST", "/graphql", '{"query": "{ __typename }"}', {"content-type": "application/json"})
        return bool(connection.getresponse().status)
    finally:
        connection.close()


async def _stop_all(parts: Sequence[Part]) -> None:
    await asyncio.gather(*(part.stop() for part in parts))
