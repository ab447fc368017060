"""What is measured, in which order, on a marketplace of our own or on a gateway that runs."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench import parts
from bench.generator import Load, Plan
from bench.operations import OPERATIONS, Lookups, Variables, variables_of
from bench.report import Report
from bench.torii import ROOT, Torii, throwaway
from infra.up import GATEWAY

WARM_STARTS = 3
LONGEST_WARM_UP_S = 2.0
COMMAND_WITHIN_S = 300.0

Say = Callable[[str], None]


class Part(StrEnum):
    """What can be measured by itself."""

    START = "start"
    MEMORY = "memory"
    LOOKUPS = "lookups"
    HEALTH = "health"
    PRODUCT = "product"
    LIST = "list"
    FEED = "feed"


class CannotMeasure(Exception):
    """There is nothing to measure, or what measures it gave up. Carries the reason."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How hard and how long."""

    seconds: float
    connections: int
    requests: int

    @property
    def warm_up_s(self) -> float:
        return min(LONGEST_WARM_UP_S, self.seconds / 2)


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway to measure. `cores`: those for the load. `torii`: the marketplace, where it is ours."""

    port: int
    pids: parts.Pids
    cores: Sequence[int] = ()
    torii: Torii | None = field(default=None, repr=False)


@contextmanager
def started(products: int, wanted: Sequence[Part], found: Report, say: Say) -> Iterator[Target]:
    """A marketplace of our own. Its starts are measured on the way. Raises DidNotStart."""
    with throwaway(products) as torii:
        say(f"first start, with {products} products, in {torii.folder}")
        found.starts.append(torii.start("cold"))
        for _ in range(WARM_STARTS if Part.START in wanted else 0):
            torii.stop()
            say("starting again")
            found.starts.append(torii.start("warm"))
        pids = torii.pids()
        yield Target(torii.port, pids, kept_apart(pids), torii)


@contextmanager
def running(url: str) -> Iterator[Target]:
    """A gateway that somebody else started; it stays on the cores on which it is. Raises CannotMeasure."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname != "127.0.0.1":
        raise CannotMeasure(f"{url} is not on this machine: give http://127.0.0.1:PORT")
    port = address.port or 80
    gateway = parts.listener(port)
    yield Target(port, {GATEWAY: gateway} if gateway else {})


def kept_apart(pids: parts.Pids) -> Sequence[int]:
    """Give the gateway one core and all else the others, which are returned; nothing where there is but one."""
    split = parts.split_cores()
    if split is None:
        return ()
    own, others = split
    for name, members in parts.processes(pids).items():
        parts.pin([each.pid for each in members], own if name == GATEWAY else others)
    return sorted(others)


def measure(target: Target, wanted: Sequence[Part], schedule: Schedule, found: Report, say: Say) -> None:
    """Everything that needs a running gateway. Raises WrongAnswer, CannotMeasure, OSError."""
    url = f"http://127.0.0.1:{target.port}"
    variables = {name: variables_of(name, url) for name in OPERATIONS if {Part(name), Part.LOOKUPS} & set(wanted)}
    loads = [name for name in OPERATIONS if Part(name) in wanted]
    if Part.MEMORY in wanted:
        found.memory_idle = parts.memory_mib(target.pids)
    if Part.LOOKUPS in wanted and target.torii is not None:
        say("counting look-ups")
        queries = {name: variables[name][0] for name, operation in OPERATIONS.items() if operation.query}
        found.lookups = counted_lookups(target.torii, queries)
    for name in loads:
        title = OPERATIONS[name].title
        alone = Plan(
            operation=name,
            port=target.port,
            variables=variables[name],
            connections=1,
            seconds=schedule.seconds / 2,
            warm_up_s=schedule.warm_up_s,
            max_requests=schedule.requests,
            pids=target.pids,
            cores=target.cores,
        )
        say(f"{title}: 1 connection")
        found.alone.append(carried_out(alone))
        say(f"{title}: {schedule.connections} connections")
        found.loaded.append(carried_out(replace(alone, connections=schedule.connections, seconds=schedule.seconds)))
    if Part.MEMORY in wanted and loads:
        found.memory_after = parts.memory_mib(target.pids)


def carried_out(plan: Plan) -> Load:
    """What came of a plan in a generator of its own. Raises CannotMeasure."""
    said = msgspec.json.encode(plan)
    return msgspec.json.decode(_output("bench.generator", said, within_s=COMMAND_WITHIN_S + plan.seconds), type=Load)


def counted_lookups(torii: Torii, queries: Mapping[str, Variables]) -> Lookups:
    """Raises CannotMeasure."""
    answer = _output("bench.lookups", msgspec.json.encode(queries), torii.environment, torii.folder)
    return msgspec.json.decode(answer, type=dict[str, dict[str, dict[str, int]]])


def _output(
    module: str,
    said: bytes,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    within_s: float = COMMAND_WITHIN_S,
) -> bytes:
    command = [sys.executable, "-m", module]
    done = subprocess.run(
        command, input=said, capture_output=True, timeout=within_s, env=environment, cwd=folder, check=False
    )
    if done.returncode != 0:
        raise CannotMeasure(done.stderr.decode(errors="replace").strip() or f"{module} ended with {done.returncode}")
    return done.stdout
