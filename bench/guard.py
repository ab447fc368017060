"""What the guard costs a request: `python -m bench.guard`, in microseconds of this process's CPU, on back ends of its own.

Who asks, limits, price, rate limits, access rules and the log, each by itself; then a small query through the whole ASGI app, with
all of it and with some of it left out. The cases of a table take turns, so that a busy machine disturbs all alike; the figure is
the median over the turns. Round trips to Redis are counted where its client sends them.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast

import orjson
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from adapters.cognito.pool import DEMO_PASSWORD
from adapters.cognito.tokens import CognitoTokens
from adapters.redis.rates import RedisLimiter
from bench.lookups import counted
from bench.operations import REDIS
from bench.torii import PATIENT, in_throwaway
from composition.cloud import token
from composition.wiring import open_marketplace
from domain.shared.clock import SystemClock
from domain.shared.rates import Charge, Rate
from engine.declared.access import GUARD
from engine.reading.bounds import Limits
from engine.transport.asked import Asked
from engine.transport.http_request import read
from engine.transport.json_body import decode
from engine.watching.metrics import Metrics
from engine.watching.operation_log import observed
from engine.watching.trace import traced
from gateway import create_app
from infra.backends import running_backends
from resolvers.allowance import RateLimits, Rates
from resolvers.context import Context
from schema.build import build_schema
from settings import Settings
from settings import loading as configuration

TURNS, TIMES = 15, 40
PRODUCTS = 200
QUERY = "query ($id: ID!) { product(id: $id) { id name } }"
IDS = "{ products(first: 1) { nodes { id } } }"
ASKED = 20
"""Requests over which round trips are counted: fewer than half a second has, after which a session is looked up again."""

Case = Callable[[], Awaitable[object]]


async def measured(cases: Mapping[str, Case], times: int = TIMES) -> dict[str, float]:
    """Microseconds of CPU a call, of this thread: the median over the turns."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(TURNS + 1):
        for name, case in cases.items():
            began = time.thread_time()
            for _ in range(times):
                await case()
            if turn:  # the first is for warming up
                found[name].append((time.thread_time() - began) / times * 1e6)
    return {name: statistics.median(each) for name, each in found.items()}


def asking(app: Starlette, body: bytes, bearer: str | None) -> Case:
    """A POST to the whole app, without a socket; whatever is wrong with the answer is raised."""
    headers = [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")]
    if bearer:
        headers.append((b"authorization", f"Bearer {bearer}".encode()))

    async def ask() -> bytes:
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
        }
        scope |= {"path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": ""}
        scope |= {"headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
        await app(scope, receive, cast("Any", send))
        answer = b"".join(sent)
        if b'"errors"' in answer:
            raise AssertionError(answer.decode())
        return answer

    return ask


async def parts(settings: Settings, bearer: str, variables: Mapping[str, str]) -> dict[str, float]:
    """Each part of the guard by itself, on real back ends."""
    async with open_marketplace(settings, SystemClock()) as marketplace:
        services, body = marketplace.services, orjson.dumps({"query": QUERY, "variables": variables})
        accounts, limiter = services.accounts, cast("RedisLimiter", services.limiter)
        tokens = cast("CognitoTokens", accounts._tokens)
        viewer = await accounts.viewer(bearer, None)
        rates = Rates(Rate("requests", 1e6, 10**6), Rate("cost", 1e9, 10**9), {}, 10**6)
        local = [(f"key{n}", (1_000, 10**9, 1)) for n in range(2)]
        charges = [Charge(rates.cost, 2), Charge(rates.requests, 1)]
        schema = build_schema()._schema
        executor = _executor(schema)
        document = await executor.entry.documents.find(QUERY, None, _admit)
        price = document.price(document.operation(None))
        allowance = RateLimits(rates)
        context = Context(services, viewer, address="127.0.0.1")
        guard = cast("Any", schema.type_map["Viewer"]).fields["orders"].extensions.get(GUARD)

        own = SimpleNamespace(id=viewer.user_id)  # all that the rule looks at of a profile

        async def from_redis() -> None:
            services.sessions._states._kept.clear()
            await accounts.viewer(bearer, None)

        async def from_everywhere() -> None:
            services.sessions._states._kept.clear()
            accounts._standings._kept.clear()
            await accounts.viewer(bearer, None)

        async def request() -> None:
            scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            await read(Asked(scope), receive, Limits())

        metrics = Metrics()

        async def logged() -> None:
            with traced(None), observed(context, 1_000, metrics) as operation:
                operation.answered({})

        async def admitted() -> None:
            admission = executor.admission(context)
            await admission.run(2, {})
            admission.settle(2, 2)

        executor._allowance = allowance
        return await measured(
            {
                "token: signature checked": lambda: tokens._check_signature(bearer),
                "token: known": lambda: tokens.verify(bearer),
                "who asks: all in process": lambda: accounts.viewer(bearer, None),
                "who asks: session from Redis": from_redis,
                "who asks: session from Redis, standing from PostgreSQL": from_everywhere,
                "request read within its limits": request,
                "of that: JSON counted and decoded": _plain(lambda: decode(body, 20_000)),
                "document known by its hash": lambda: executor.entry.documents.find(QUERY, None, _admit),
                "cost": _plain(lambda: price.requested(variables)),
                "rates: the call to Redis": lambda: limiter.take("user:bench", charges),
                "rates: charges, Redis, bucket": admitted,
                "rates: counted in process (Redis away)": _plain(
                    lambda: limiter._local.take([key for key, _ in local], [each for _, each in local])
                ),
                "access: a field for everybody (the feed)": _plain(lambda: None),
                "access: a guarded field (viewer { orders })": _plain(lambda: guard.admits(own, viewer)),
                "trace and operation log": logged,
            }
        )


def _executor(schema: Any) -> Any:
    from engine.execution import Executor
    from engine.policy import Policy

    return Executor(schema, lambda *_: None, Policy(10.0))


async def _admit(_size: int) -> None:
    """Any document may be read."""


def _plain(function: Callable[[], object]) -> Case:
    async def call() -> None:
        function()

    return call


async def whole(settings: Settings, bearer: str) -> tuple[dict[str, float], dict[str, float], Mapping[str, str]]:
    """CPU of the small query through the app, and round trips to Redis a request, by who asks and what is on."""
    free = {
        "rate_requests_per_s": 1e6,
        "rate_requests_burst": 10**6,
        "rate_cost_per_minute": 10**9,
        "rate_cost_burst": 10**9,
    }
    async with AsyncExitStack() as stack:
        apps = {}
        for name, on in (("rate limits on", True), ("rate limits off", False)):
            apps[name] = create_app(settings.model_copy(update=free | {"rate_limits": on}))
            await stack.enter_async_context(apps[name].router.lifespan_context(apps[name]))
        first = orjson.loads(cast("bytes", await asking(apps["rate limits off"], orjson.dumps({"query": IDS}), None)()))
        variables = {"id": first["data"]["products"]["nodes"][0]["id"]}
        body = orjson.dumps({"query": QUERY, "variables": variables})
        cases = {
            f"{who}, {name}": asking(app, body, sent)
            for who, sent in (("signed in", bearer), ("anonymous", None))
            for name, app in apps.items()
        }
        times = await measured(cases)
        trips = {}
        for name, case in cases.items():
            await case()
            with counted() as calls:
                for _ in range(ASKED):
                    await case()
            trips[name] = calls[REDIS] / ASKED
        return times, trips, variables


async def measure(settings: Settings, console: Console) -> None:
    bearer = await token(settings, "buyer@example.com", DEMO_PASSWORD)
    times, trips, variables = await whole(settings, bearer)
    console.print(
        f"load of the machine: {', '.join(f'{each:.1f}' for each in os.getloadavg())} on {os.cpu_count()} cores"
    )
    _show(console, "part", await parts(settings, bearer, variables))
    _show(console, "{ product { id name } }, whole app", times, trips)


def _show(console: Console, title: str, times: Mapping[str, float], trips: Mapping[str, float] | None = None) -> None:
    table = Table(title, "CPU, µs", *(["Redis round trips a request"] if trips else []))
    for name, us in times.items():
        table.add_row(name, f"{us:.1f}", *([f"{trips[name]:.2f}"] if trips else []))
    console.print(table)


def main(arguments: Sequence[str]) -> None:
    """With `--here` on the back ends that the settings name, else on a marketplace of its own."""
    if "--here" in arguments:
        with running_backends(configuration.load()) as settings:
            patient = settings.model_copy(update=PATIENT)
            asyncio.run(measure(patient, Console(width=110)))
        return
    raise SystemExit(in_throwaway("bench.guard", PRODUCTS, ()))


if __name__ == "__main__":
    main(sys.argv[1:])
