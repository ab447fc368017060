"""Engines alone, in memory: `python -m bench.engine`. A feed of 50 items with 39 fields, two of them loaded by key, encoded to bytes.

Answers are compared first, byte for byte. Then the engines take turns, so that a busy machine disturbs all alike; the figure is CPU
of the engine's process a run, the least of the turns. graphql-js and graphql-jit need Node.js and the packages of bench/peers/.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.engines import feed, stock
from bench.engines.node import NAMES, Engines, engines
from bench.engines.ours import ByEngine, ByExecutor
from bench.peers.packages import NoNode, installed
from engine.fragments.rendered import written
from infra.garbage import seldom_collected

TURNS = 15
TURN_S = 0.15
"""How long an engine runs in a turn, about."""
PLAN = "plan"
Run = Callable[[], Awaitable[bytes]]


def runs() -> dict[str, Run]:
    """The engines of Python, each with its encoding."""
    by_plan, by_core, by_executor = ByEngine(1), ByEngine(None), ByExecutor()

    async def plan() -> bytes:
        return orjson.dumps({"data": await by_plan.data()}, default=written)

    async def executor() -> bytes:
        return orjson.dumps(await by_executor.body(), default=written)

    async def core() -> bytes:
        return orjson.dumps({"data": await by_core.data()})

    async def strawberry() -> bytes:
        return json.dumps({"data": await stock.data()}, separators=(",", ":")).encode()

    return {PLAN: plan, "executor": executor, "core": core, "strawberry": strawberry}


async def check(own: Mapping[str, Run], others: Engines | None) -> None:
    """Raises WrongAnswer where one says something else."""
    answers = {name: await run() for name, run in own.items()}
    answers["executor"] = orjson.dumps({"data": orjson.loads(answers["executor"])["data"]})  # beside it, what it cost
    if others:
        answers |= {name: others.answer(name).encode() for name in NAMES}
    different = [name for name, answer in answers.items() if answer != answers["strawberry"]]
    if different:
        raise WrongAnswer(f"different from Strawberry's: {', '.join(different)}")


class WrongAnswer(Exception):
    """Engines do not agree."""


async def measured(own: Mapping[str, Run], others: Engines | None, turns: int) -> dict[str, list[float]]:
    """Microseconds of CPU a run, turn by turn."""
    found: dict[str, list[float]] = {}
    times = dict.fromkeys((*own, *(NAMES if others else ())), 3)
    for turn in range(turns + 2):
        for name, count in times.items():
            us = await _took_us(own[name], count) if name in own else others.took_us(name, count) if others else 0
            if turn > 1:
                found.setdefault(name, []).append(us)
            times[name] = max(3, round(TURN_S * 1e6 / us))
    return found


async def _took_us(run: Run, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        await run()
    return (time.process_time() - began) / times * 1e6


TITLES = {
    PLAN: "Torii, a plan, msgspec within orjson",
    "executor": "Torii, the whole executor, the same",
    "core": "graphql-core on the same schema, orjson",
    "strawberry": "stock Strawberry with its loaders, json",
    "js": "graphql-js with DataLoader, JSON.stringify",
    "js without loaders": "graphql-js, relations in memory",
    "jit": "graphql-jit with DataLoader, JSON.stringify",
    "jit without loaders": "graphql-jit, relations in memory",
}


def show(found: Mapping[str, list[float]], console: Console) -> None:
    console.print(
        f"load of the machine: {', '.join(f'{each:.1f}' for each in os.getloadavg())} on {os.cpu_count()} cores"
    )
    table = Table(f"{feed.ITEMS} items, {feed.FIELDS:,} fields", "CPU, µs: least", "median", "of the plan's")
    for name, us in found.items():
        table.add_row(
            TITLES[name], f"{min(us):,.0f}", f"{statistics.median(us):,.0f}", f"{min(us) / min(found[PLAN]):.2f}"
        )
    console.print(table)


def main(arguments: list[str]) -> None:
    """`--turns N` for more or fewer; `--json` for the figures as JSON."""
    turns = int(arguments[arguments.index("--turns") + 1]) if "--turns" in arguments else TURNS
    with ExitStack() as stack:
        others = None
        try:
            others = stack.enter_context(engines(installed(lambda said: print(said, file=sys.stderr))))
        except NoNode as reason:
            print(f"without graphql-js and graphql-jit: {reason}", file=sys.stderr)
        own = runs()

        async def all_of_it() -> dict[str, list[float]]:
            await check(own, others)
            with seldom_collected():  # as the gateway has it
                return await measured(own, others, turns)

        found = uvloop.run(all_of_it())
    if "--json" in arguments:
        print(json.dumps({name: min(us) for name, us in found.items()}))
    else:
        show(found, Console(width=110))


if __name__ == "__main__":
    main(sys.argv[1:])
