"""What a request costs the gateway's process: `python -m bench.door`, in microseconds of this thread's CPU, on back ends of its own.

The whole ASGI app without a socket, on the event loop that serves: a bare ASGI callable for the floor, then each of the bench's
operations with the guard on (token, limits, rate limit) and off. The cases take turns; the figure is the least of the turns, which
is what the code takes when nothing else is in its way, and the median beside it.

    python -m bench.door --here            # on the back ends that the settings name
    python -m bench.door --profile feed    # where an operation's time goes, by cProfile
    python -m bench.door --parts feed      # the same by part of the program, sampled
"""

import cProfile
import pstats
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

import orjson
import uvloop
from rich.console import Console
from rich.table import Table
from starlette.types import Receive, Scope, Send

from adapters.cognito.pool import DEMO_PASSWORD
from bench.guard import IDS, QUERY, Case, asking
from bench.lookups import counted
from bench.operations import FEED, LIST, PRODUCT, REDIS, SQL, Variables
from bench.peers.operations import FEED_QUERY
from bench.sampling import sampled
from bench.torii import PATIENT, in_throwaway
from composition.cloud import token
from gateway import create_app
from infra.backends import running_backends
from settings import Settings
from settings import loading as configuration

TURNS, TIMES, ASKED = 12, 30, 20
PRODUCTS = 3_000
PROFILED = 300
SAMPLED_S = 6.0
"""Of CPU."""
FREE = {
    "rate_requests_per_s": 1e6,
    "rate_requests_burst": 10**6,
    "rate_cost_per_minute": 10**9,
    "rate_cost_burst": 10**9,
    "rate_at_once": 10**6,
}
GUARD_OFF, ANONYMOUS, SIGNED_IN = "guard off", "guard on", "guard on, signed in"


async def floor(_scope: Scope, receive: Receive, send: Send) -> None:
    """As little as an ASGI app may do: read a body, answer."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"data":null}'})


async def measured(cases: Mapping[str, Case]) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU a call, of this thread: the least of the turns, and their median."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(TURNS + 1):
        for name, case in cases.items():
            began = time.thread_time()
            for _ in range(TIMES):
                await case()
            if turn:  # the first is for warming up
                found[name].append((time.thread_time() - began) / TIMES * 1e6)
    return {name: (min(each), statistics.median(each)) for name, each in found.items()}


async def cases_of(settings: Settings, stack: AsyncExitStack) -> dict[str, Case]:
    """Each operation, by its name and what of the guard is on."""
    apps = {}
    for name, on in ((GUARD_OFF, False), (ANONYMOUS, True)):
        apps[name] = create_app(settings.model_copy(update=FREE | {"rate_limits": on}))
        await stack.enter_async_context(apps[name].router.lifespan_context(apps[name]))
    bearer = await token(settings, "buyer@example.com", DEMO_PASSWORD)
    first = orjson.loads(cast("bytes", await asking(apps[GUARD_OFF], orjson.dumps({"query": IDS}), None)()))
    id = {"id": first["data"]["products"]["nodes"][0]["id"]}
    asked: dict[str, tuple[str, Variables]] = {
        "small": (QUERY, id),
        "list": (LIST, {}),
        "feed": (FEED, {}),
        "peers' feed": (FEED_QUERY, {"after": None}),
        "product": (PRODUCT, id),
    }
    cases: dict[str, Case] = {"floor": asking(cast("Any", floor), b"{}", None)}
    for name, (query, variables) in asked.items():
        body = orjson.dumps({"query": query, "variables": variables})
        cases[f"{name}, {GUARD_OFF}"] = asking(apps[GUARD_OFF], body, None)
        cases[f"{name}, {ANONYMOUS}"] = asking(apps[ANONYMOUS], body, None)
        cases[f"{name}, {SIGNED_IN}"] = asking(apps[ANONYMOUS], body, bearer)
    return cases


async def measure(settings: Settings, console: Console) -> None:
    async with AsyncExitStack() as stack:
        cases = await cases_of(settings, stack)
        times = await measured(cases)
        table = Table("", "CPU, µs: least", "median", "above the floor", "SQL", "Redis")
        for name, case in cases.items():
            with counted() as calls:
                for _ in range(ASKED):
                    await case()
            least, median = times[name]
            table.add_row(
                name,
                f"{least:.0f}",
                f"{median:.0f}",
                f"{least - times['floor'][0]:.0f}",
                f"{calls[SQL] / ASKED:.2f}",
                f"{calls[REDIS] / ASKED:.2f}",
            )
        console.print(table)


async def profile(settings: Settings, name: str) -> None:
    async with AsyncExitStack() as stack:
        cases = await cases_of(settings, stack)
        case = cases.get(f"{name}, {GUARD_OFF}") or cases[name]
        for _ in range(5):
            await case()
        profiler = cProfile.Profile(time.thread_time)  # what waits is no cost
        profiler.enable()
        for _ in range(PROFILED):
            await case()
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


async def parts(settings: Settings, name: str) -> None:
    """What shares of an operation's CPU the parts of the program have."""
    async with AsyncExitStack() as stack:
        cases = await cases_of(settings, stack)
        case = cases.get(f"{name}, {GUARD_OFF}") or cases[name]
        for _ in range(PROFILED):
            await case()
        until, times = time.process_time() + SAMPLED_S, 0
        with sampled() as found:
            while time.process_time() < until:
                await case()
                times += 1
    print(f"{name}: {SAMPLED_S / times * 1e6:,.0f} µs of the process's CPU each")
    for part, count in found.most_common(12):
        print(f"{count / found.total():6.1%}  {part}")


def main(arguments: Sequence[str]) -> None:
    if not {"--here", "--profile", "--parts"}.isdisjoint(arguments):
        with running_backends(configuration.load()) as settings:
            patient = settings.model_copy(update=PATIENT)
            if "--profile" in arguments:
                uvloop.run(profile(patient, arguments[arguments.index("--profile") + 1]))
            elif "--parts" in arguments:
                uvloop.run(parts(patient, arguments[arguments.index("--parts") + 1]))
            else:
                uvloop.run(measure(patient, Console(width=110)))
        return
    raise SystemExit(in_throwaway("bench.door", PRODUCTS, ()))


if __name__ == "__main__":
    main(sys.argv[1:])
