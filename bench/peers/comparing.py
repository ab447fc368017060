"""Equal answers first, then rounds in which the servers take turns on one core."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import parts
from bench.generator import Load, Plan
from bench.measure import CannotMeasure, Say, Schedule, carried_out
from bench.operations import Variables, WrongAnswer, answer_to, data_of
from bench.peers.operations import OPERATIONS
from bench.peers.servers import Running, Server
from bench.torii import Torii
from infra.embedded.process import python

SERVER = "server"
BUYER = "buyer@example.com"
TOKEN_WITHIN_S = 60.0
WARM_REQUESTS, WARM_UP = 3_000, 8
"""Before the rounds each server answers so many requests of each operation, or for so many times a measurement: V8 compiles what has
run a thousand times, and before that takes twice as long."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server made of one operation, a load a round."""

    server: str
    operation: str
    rounds: list[Load] = field(default_factory=list)

    @property
    def best(self) -> Load:
        """The round that took the least CPU a request: whatever else runs on the machine only adds to it."""
        return min(self.rounds, key=lambda load: load.cpu_s[SERVER] / load.requests)

    @property
    def cpu_ms(self) -> float:
        return self.best.cpu_s[SERVER] * 1000 / self.best.requests


def check_equal(running: Running, servers: Sequence[Server], variables: Mapping[str, Sequence[Variables]]) -> int:
    """Ask all of them everything, and compare data with data; how many answers were compared. Raises WrongAnswer, OSError."""
    compared = 0
    for name, operation in OPERATIONS.items():
        asked = [server for server in servers if name in server.operations and not server.as_buyer]
        for each in variables[name]:
            first: tuple[Server, Any] | None = None
            for server in asked:
                body = answer_to(running.url(server, name), operation.query, each)
                operation.check(body)
                data = data_of(body)
                first = first or (server, data)
                if data != first[1]:
                    where = difference(first[1], data)
                    raise WrongAnswer(f"{operation.title}: {first[0].title} and {server.title} differ at {where}")
                compared += 1
    return compared


def difference(one: Any, other: Any, path: str = "data") -> str:
    """Where two answers differ first, and how."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(difference(one[key], other[key], f"{path}.{key}") for key in one if one[key] != other[key])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next(difference(a, b, f"{path}[{place}]") for place, (a, b) in pairs if a != b)
    return f"{path}: {json.dumps(one, ensure_ascii=False)[:200]} and {json.dumps(other, ensure_ascii=False)[:200]}"


def token(torii: Torii) -> str:
    """Of a buyer of the demo shop. Raises CannotMeasure."""
    done = subprocess.run(
        python("-m", "cli", "token", BUYER),
        env=torii.environment,
        cwd=torii.folder,
        capture_output=True,
        text=True,
        timeout=TOKEN_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        raise CannotMeasure(f"torii token: {done.stderr.strip()}")
    return done.stdout.strip()


def compare(
    running: Running,
    servers: Sequence[Server],
    operations: Sequence[str],
    variables: Mapping[str, Sequence[Variables]],
    rounds: int,
    schedule: Schedule,
    torii: Torii,
    say: Say,
) -> list[Measured]:
    """Every server with every operation, each round all of them in turn. Raises WrongAnswer, CannotMeasure, OSError."""
    say(f"{check_equal(running, servers, variables)} answers are equal")
    bearer = token(torii) if any(server.as_buyer for server in servers) else ""
    back_ends = {name: pid for name, pid in torii.pids().items() if name in ("postgres", "valkey")}
    cores = kept_apart(running, torii)
    found = [Measured(server.name, name) for name in operations for server in servers if name in server.operations]
    by_name = {server.name: server for server in servers}
    plans = {
        (measured.server, measured.operation): _plan(
            running, by_name[measured.server], measured.operation, variables, schedule, back_ends, cores, bearer
        )
        for measured in found
    }
    for turn in range(rounds + 1):
        for measured in found:
            server = by_name[measured.server]
            title = f"{OPERATIONS[measured.operation].title}, {server.title}"
            say(f"round {turn} of {rounds}: {title}" if turn else f"warming up: {title}")
            plan = plans[measured.server, measured.operation]
            if not turn:
                plan = replace(plan, warm_up_s=0, seconds=plan.seconds * WARM_UP, max_requests=WARM_REQUESTS)
            try:
                load = carried_out(plan)
            except CannotMeasure as error:
                raise CannotMeasure("\n".join([f"{server.title}: {error}", *running.log_of(server)])) from error
            if turn:
                measured.rounds.append(load)
    return found


def _plan(
    running: Running,
    server: Server,
    operation: str,
    variables: Mapping[str, Sequence[Variables]],
    schedule: Schedule,
    back_ends: parts.Pids,
    cores: Sequence[int],
    bearer: str,
) -> Plan:
    return Plan(
        operation=operation,
        port=running.ports[server.runs_as],
        variables=variables[operation],
        connections=schedule.connections,
        seconds=schedule.seconds,
        warm_up_s=schedule.warm_up_s,
        max_requests=schedule.requests,
        pids={SERVER: running.pids[server.runs_as], **back_ends},
        cores=cores,
        path=server.path(operation),
        bearer=bearer if server.as_buyer else "",
    )


def kept_apart(running: Running, torii: Torii) -> Sequence[int]:
    """All servers on one core, of which one at a time is asked; all else on the others, which are returned."""
    split = parts.split_cores()
    if split is None:
        return ()
    own, others = split
    for pids, cores in ((running.pids, own), (torii.pids(), others)):
        for members in parts.processes(pids).values():
            parts.pin([each.pid for each in members], cores)
    return sorted(others)
