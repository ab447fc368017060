"""`python -m bench.sustained`: public feeds for minutes on end, on the whole machine, and what memory the gateway takes by it.

One gateway process, everything warm, the guard on with rates that refuse nobody, nobody signed in; the pages of the feed that
bench/peers asks for, in turn. The load comes in slices; the gateway's memory is read after each.
"""

import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from bench import parts, report
from bench.generator import Load, Plan
from bench.measure import CannotMeasure, Say, carried_out
from bench.operations import WrongAnswer
from bench.peers.operations import FEED, variables_of
from bench.torii import DidNotStart, Torii, throwaway
from infra.up import GATEWAY

SLICE_S = 60.0
WARM_S = 10.0
MOST_REQUESTS = 10_000_000
PER_SECOND, P95_MS = 1_000.0, 250.0
MEMORY_MIB, GROWTH_MIB = 350.0, 20.0
"""Of the gateway's process: in all, and by how much more while the load lasts."""

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
progress = Console(stderr=True, highlight=False)


@dataclass(slots=True)
class Sustained:
    """What one run found. `memory`: MiB (PSS) of the gateway when it was warm, then after each slice."""

    at: datetime
    commit: str
    machine: str
    connections: int
    due_per_second: float = 0
    """0: as many as were answered."""
    memory: list[float] = field(default_factory=list)
    slices: list[Load] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return sum(load.requests for load in self.slices) / sum(load.seconds for load in self.slices)

    @property
    def worst_p95_ms(self) -> float:
        """Of the slices."""
        return max(load.latency_ms["p95"] for load in self.slices)

    @property
    def cpu_ms(self) -> float:
        """Of the gateway, for one request."""
        return sum(load.cpu_s[GATEWAY] for load in self.slices) * 1000 / sum(load.requests for load in self.slices)

    @property
    def growth(self) -> float:
        return self.memory[-1] - self.memory[0]

    @property
    def keeps_its_memory(self) -> bool:
        return max(self.memory) <= MEMORY_MIB and self.growth <= GROWTH_MIB


@app.command()
def main(
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long the load lasts.")] = 600,
    connections: Annotated[int, typer.Option(min=1, max=1024, help="How many are open at once.")] = 64,
    per_second: Annotated[float, typer.Option(min=0, help="Feeds that are due; 0 for as many as it answers.")] = 0,
    products: Annotated[int, typer.Option(min=600, max=1_000_000, help="Size of the demo shop.")] = 3000,
    json: Annotated[Path | None, typer.Option(help="Write all that was found to this file too.")] = None,
) -> None:
    """Load one gateway with public feeds, without a pause or so many a second. Status 1 when its memory does not stay within its bounds.

    Starts a whole marketplace on a folder of its own and removes it afterwards.
    """
    if 0 < per_second < connections:
        raise typer.BadParameter("at least one a second for each connection, or the gateway closes what is idle")
    found = Sustained(datetime.now(UTC), report.commit(), report.machine(), connections, per_second)
    try:
        with throwaway(products) as torii:
            say(f"starting a marketplace with {products} products, in {torii.folder}")
            torii.start("cold")
            sustain(torii, seconds, connections, per_second, found, say)
    except (DidNotStart, WrongAnswer, CannotMeasure, OSError, subprocess.TimeoutExpired) as error:
        progress.print(f"[bold red]bench:[/bold red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    show(found, Console(highlight=False, soft_wrap=True))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    if not found.keeps_its_memory:
        raise typer.Exit(1)


def sustain(torii: Torii, seconds: float, connections: int, per_second: float, found: Sustained, say: Say) -> None:
    """Warm it up, then load it. Raises WrongAnswer, CannotMeasure, OSError."""
    pids = torii.pids()
    gateway = {GATEWAY: pids[GATEWAY]}
    slices = math.ceil(seconds / SLICE_S)
    plan = Plan(
        operation=FEED,
        port=torii.port,
        variables=variables_of(f"{torii.url}/graphql")[FEED],
        connections=connections,
        seconds=seconds / slices,
        warm_up_s=0,
        max_requests=MOST_REQUESTS,
        pids=pids,
        per_second=per_second,
    )
    say("warming up")
    carried_out(replace(plan, seconds=min(WARM_S, seconds)))
    found.memory.append(parts.memory_mib(gateway)[GATEWAY])
    for turn in range(slices):
        load = carried_out(plan)
        found.slices.append(load)
        found.memory.append(parts.memory_mib(gateway)[GATEWAY])
        say(
            f"{turn + 1} of {slices}: {load.per_second:,.0f}/s, p95 {load.latency_ms['p95']:.0f} ms, {found.memory[-1]:.0f} MiB"
        )


def show(found: Sustained, console: Console) -> None:
    lasted = sum(load.seconds for load in found.slices)
    console.print(
        f"[bold]Torii[/bold] {found.commit}, {found.machine}; {found.connections} connections for {lasted:.0f} s"
    )
    latencies = ", ".join(
        f"{name} {max(load.latency_ms[name] for load in found.slices):.0f}" for name in ("p50", "p95", "p99")
    )
    rows: Sequence[tuple[str, str, str, bool]] = (
        (
            "public feeds a second",
            f"{found.per_second:,.0f}; {latencies} ms in the slowest slice",
            f">= {PER_SECOND:,.0f} at p95 <= {P95_MS:.0f} ms",
            found.per_second >= PER_SECOND and found.worst_p95_ms <= P95_MS,
        ),
        (
            "memory of the gateway, MiB",
            f"{found.memory[0]:.0f} warm, {found.memory[-1]:.0f} after",
            f"<= {MEMORY_MIB:.0f}, and {GROWTH_MIB:.0f} more than warm",
            found.keeps_its_memory,
        ),
    )
    for what, measured, goal, is_met in rows:
        said = "[green]met[/green]" if is_met else "[red]missed[/red]"
        console.print(f"{what}: {measured} (goal {goal}: {said})")
    console.print(f"CPU of the gateway: {found.cpu_ms:.3f} ms a request")


def say(what: str) -> None:
    progress.print(f"[dim]· {escape(what)}[/dim]", soft_wrap=True)


if __name__ == "__main__":
    app()
