"""Starting a built server on loopback, for as long as a block lasts."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.aws_server import lists_tables
from infra.embedded.ports import LOOPBACK, remembered_ports
from infra.embedded.process import Program, spawn
from infra.embedded.readiness import until_ready
from infra.servers.recipes import DYNAMODB, DYNAMODB_JAVA, OPENSEARCH, OPENSEARCH_JAVA, STRIPE_MOCK, TOXIPROXY, Recipe
from infra.servers.toolchain import java_home

READY_S = 120.0
"""OpenSearch takes 15 s when nothing else runs."""

OPENSEARCH_PLUGINS = (
    "org.opensearch.plugin.analysis.kuromoji.AnalysisKuromojiPlugin",
    "org.opensearch.plugin.analysis.icu.AnalysisICUPlugin",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: the folder it was built in, one for its data, and its port."""

    built: Path
    data: Path
    port: int


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server. `answers` asks in its own protocol."""

    recipe: Recipe
    command: Callable[[Place], tuple[str, ...]]
    answers: Callable[[int], bool]


@asynccontextmanager
async def running(server: Server, folder: Path, data: Path) -> AsyncIterator[str]:
    """The address of the server while it runs. `NAME.log` is in `folder`; `folder` and `data` have to be there.

    Call it on the main thread: the kernel ends the server when the thread that started it ends. Raises NotBuilt,
    ToolMissing, PartDied, PartNotReady.
    """
    name = server.recipe.name
    port = remembered_ports(folder / f"{name}-ports.json", (name,))[name]
    command = server.command(Place(server.recipe.built(), data, port))
    part = spawn(Program(name, command, folder=data), folder, folder)

    async def answers() -> bool:
        return await asyncio.to_thread(server.answers, port)

    try:
        await until_ready(part, answers, not_yet=(OSError, http.client.HTTPException), within_s=READY_S)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await part.stop()


def _opensearch(place: Place) -> tuple[str, ...]:
    # a name of its own, or nodes of two test sessions would find each other
    arguments = (str(place.data), str(place.port), f"torii-{place.port}", ",".join(OPENSEARCH_PLUGINS))
    return (*_java(OPENSEARCH_JAVA, place, "-Xms512m", "-Xmx512m"), *arguments)


def _dynamodb(place: Place) -> tuple[str, ...]:
    options = ("-sharedDb", "-inMemory", "-disableTelemetry", "-port", str(place.port))
    return (*_java(DYNAMODB_JAVA, place, f"-Djava.library.path={place.built / 'lib'}"), *options)


def _java(at_least: int, place: Place, *options: str) -> tuple[str, ...]:
    path = f"{place.built / 'classes'}:{place.built / 'lib'}/*"
    return (str(java_home(at_least) / "bin" / "java"), *options, "-cp", path, "Run")


def _stripe_mock(place: Place) -> tuple[str, ...]:
    # it always serves HTTPS too, on every interface unless told otherwise
    return (
        str(place.built / "stripe-mock"),
        *("-http-addr", f"{LOOPBACK}:{place.port}", "-https-addr", f"{LOOPBACK}:0"),
    )


def _toxiproxy(place: Place) -> tuple[str, ...]:
    return (str(place.built / "toxiproxy"), "-host", LOOPBACK, "-port", str(place.port))


def _cluster_is_up(port: int) -> bool:
    status, body = _got(port, "/_cluster/health")
    return status == 200 and json.loads(body)["status"] in ("yellow", "green")


def _balance_is_read(port: int) -> bool:
    return _got(port, "/v1/balance", {"Authorization": "Bearer sk_test_ready"})[0] == 200


def _version_is_read(port: int) -> bool:
    return _got(port, "/version")[0] == 200


def _got(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


OPENSEARCH_SERVER = Server(OPENSEARCH, _opensearch, _cluster_is_up)
DYNAMODB_LOCAL = Server(DYNAMODB, _dynamodb, lists_tables)
STRIPE_MOCK_SERVER = Server(STRIPE_MOCK, _stripe_mock, _balance_is_read)
TOXIPROXY_SERVER = Server(TOXIPROXY, _toxiproxy, _version_is_read)
SERVERS = (OPENSEARCH_SERVER, DYNAMODB_LOCAL, STRIPE_MOCK_SERVER, TOXIPROXY_SERVER)
