"""The load generator: a process of its own that sends the next request of a connection once the answer is there.

    python -m bench.generator   < a Plan as JSON   > a Load as JSON

A closed loop: with N connections there are always N requests under way, so what takes longer is also asked less often. Unless a
plan says how many a second: then each is due at a time of its own, and what is sent too late counts from then on.
"""

import asyncio
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

import httptools
import msgspec
import uvloop

from bench import parts
from bench.operations import OPERATIONS as OURS
from bench.operations import Operation, Variables, WrongAnswer
from bench.peers.operations import OPERATIONS as OF_PEERS

PATIENCE_S = 10.0
"""How long the slowest answer may take; and how much longer than planned all of it may."""

OPERATIONS = {**OURS, **OF_PEERS}

HEADLINES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send for how long. `pids` are the parts whose CPU time is read when the time starts and when it ends.

    `path`, where it is not the operation's own. `bearer`: the token of whoever asks. `per_second`: requests that are due; 0 for as many
    as are answered.
    """

    operation: str
    port: int
    variables: Sequence[Variables]
    connections: int
    seconds: float
    warm_up_s: float
    max_requests: int
    pids: parts.Pids = field(default_factory=dict)
    cores: Sequence[int] = ()
    path: str = ""
    bearer: str = ""
    per_second: float = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a plan. Latencies in milliseconds, CPU in seconds by part, an answer's mean size in bytes."""

    operation: str
    connections: int
    requests: int
    seconds: float
    latency_ms: Mapping[str, float]
    answer_bytes: int
    cpu_s: Mapping[str, float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def cpu_ms(self, part: str) -> float | None:
        """CPU time of a part for one request."""
        return self.cpu_s[part] * 1000 / self.requests if part in self.cpu_s else None

    def busy(self, part: str) -> float | None:
        """Cores that a part kept busy."""
        return self.cpu_s[part] / self.seconds if part in self.cpu_s else None


@dataclass(slots=True)
class Sent:
    """A request, and the answer to it that was checked."""

    request: bytes
    answer: bytes | None = None


class Traffic:
    """What all connections share: what is sent next, and what came of it."""

    def __init__(self, operation: Operation, requests: Sequence[bytes], per_second: float = 0) -> None:
        self.latencies: list[float] = []
        self._between_s = 1 / per_second if per_second else 0.0
        self._due = time.perf_counter()
        self.sizes = 0
        self.limit = len(requests)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._operation = operation
        self._turns = cycle([Sent(request) for request in requests])
        self._connections: list[asyncio.BaseTransport] = []

    def opened(self, transport: asyncio.BaseTransport) -> None:
        self._connections.append(transport)

    async def close(self) -> None:
        """Close all connections; what the gateway makes of it is no failure any more."""
        self.over.cancel()
        for transport in self._connections:
            transport.close()
        await asyncio.sleep(0)  # a closed transport lets go of its socket in the next turn of the loop

    def next(self) -> Sent:
        return next(self._turns)

    def due(self) -> float:
        """When the next one is, by time.perf_counter."""
        if not self._between_s:
            return time.perf_counter()
        self._due += self._between_s
        return self._due

    def answered(self, sent: Sent, status: int, body: bytes, took_s: float) -> None:
        """Every answer is checked: in full the first time and when it is another one, else by its bytes."""
        if status != 200:
            self.fail(WrongAnswer(f"status {status}: {body[:200]!r}"))
        elif body != sent.answer:
            try:
                self._operation.check(body)
            except WrongAnswer as error:
                self.fail(error)
            sent.answer = body
        self.latencies.append(took_s)
        self.sizes += len(body)
        if len(self.latencies) >= self.limit and not self.over.done():
            self.over.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def restart(self, limit: int) -> None:
        """Forget what was measured so far, and what should have been sent by now."""
        self.latencies, self.sizes, self.limit = [], 0, limit
        self._due = max(self._due, time.perf_counter())
        self.over = asyncio.get_running_loop().create_future()


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._began = 0.0
        self._sent: Sent
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own is none by its type
        self._traffic.opened(transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        took_s = time.perf_counter() - self._began
        self._traffic.answered(self._sent, self._parser.get_status_code(), self._body, took_s)
        if not self._transport.is_closing():
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._traffic.fail(WrongAnswer("the gateway closed a connection"))

    def _send(self) -> None:
        self._body = b""
        self._sent = self._traffic.next()
        self._began = self._traffic.due()
        wait_s = self._began - time.perf_counter()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._in_time)
        else:
            self._transport.write(self._sent.request)

    def _in_time(self) -> None:
        """What waited for its time counts from when it is sent: the loop's clock has whole milliseconds."""
        if not self._transport.is_closing():
            self._began = time.perf_counter()
            self._transport.write(self._sent.request)


async def run(plan: Plan) -> Load:
    """Each request once and alone, then the warm-up, then what is measured. Raises WrongAnswer, OSError, TimeoutError."""
    operation, host = OPERATIONS[plan.operation], f"127.0.0.1:{plan.port}"
    requests = [operation.request(host, each, plan.path, plan.bearer) for each in plan.variables]
    traffic = Traffic(operation, requests, plan.per_second)
    try:
        async with asyncio.timeout(plan.warm_up_s + plan.seconds + PATIENCE_S + len(plan.variables)):
            await _connect(traffic, plan.port)
            await traffic.over
            for _ in range(plan.connections - 1):
                await _connect(traffic, plan.port)
            traffic.restart(plan.max_requests)
            await _until_over(traffic, plan.warm_up_s)
            return await _measured(traffic, plan)
    finally:
        await traffic.close()


async def _measured(traffic: Traffic, plan: Plan) -> Load:
    pids = {**plan.pids, "generator": os.getpid()}
    before = parts.cpu_seconds(pids)
    traffic.restart(plan.max_requests)
    began = time.perf_counter()
    await _until_over(traffic, plan.seconds)
    if not traffic.latencies:  # slower than the time that was meant for it: the first answer ends it
        traffic.limit = 1
        await _until_over(traffic, PATIENCE_S)
    seconds = time.perf_counter() - began
    latencies, sizes = sorted(traffic.latencies), traffic.sizes
    if not latencies:
        raise WrongAnswer(f"no answer within {plan.seconds:g} s")
    after = parts.cpu_seconds(pids)
    return Load(
        operation=plan.operation,
        connections=plan.connections,
        requests=len(latencies),
        seconds=seconds,
        latency_ms={name: percentile(latencies, share) * 1000 for name, share in HEADLINES.items()},
        answer_bytes=sizes // len(latencies),
        cpu_s={name: max(0.0, total - before.get(name, 0.0)) for name, total in after.items()},
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


async def _connect(traffic: Traffic, port: int) -> None:
    await asyncio.get_running_loop().create_connection(lambda: Connection(traffic), "127.0.0.1", port)


async def _until_over(traffic: Traffic, seconds: float) -> None:
    """Wait for the time, or until enough was sent. Raises what a connection met with."""
    await asyncio.wait({traffic.over}, timeout=seconds)
    if traffic.over.done():
        traffic.over.result()


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    if plan.cores:
        parts.pin([os.getpid()], set(plan.cores))
    try:
        load = uvloop.run(run(plan))
    except (WrongAnswer, OSError) as error:
        sys.exit(f"{OPERATIONS[plan.operation].title}: {str(error) or 'no answer in time'}")
    sys.stdout.buffer.write(msgspec.json.encode(load))


if __name__ == "__main__":
    main()
