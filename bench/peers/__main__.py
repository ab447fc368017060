"""`python -m bench.peers`: Torii beside other GraphQL servers, on the same tables, with equal answers."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from bench import parts
from bench.measure import CannotMeasure, Schedule, counted_lookups
from bench.operations import Lookups, WrongAnswer
from bench.peers import packages, report
from bench.peers.comparing import compare
from bench.peers.operations import NAMES, variables_of
from bench.peers.servers import SERVERS, Kind, Server, running
from bench.torii import DidNotStart, throwaway
from infra.embedded.refusals import StartRefused

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
progress = Console(stderr=True, highlight=False)
WIDTH = 130
"""Of the tables where no terminal says how wide it is."""

REFUSED = (DidNotStart, WrongAnswer, CannotMeasure, StartRefused, OSError, subprocess.TimeoutExpired)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long one measurement takes.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often each server has its turn.")] = 3,
    connections: Annotated[int, typer.Option(min=1, max=256, help="How many are open at once.")] = 16,
    requests: Annotated[int, typer.Option(min=1, max=1_000_000, help="The most that one measurement sends.")] = 200_000,
    products: Annotated[int, typer.Option(min=200, max=1_000_000, help="Size of the demo shop.")] = 3000,
    only: Annotated[list[str] | None, typer.Option(help="Of the servers only this; may be given again.")] = None,
    operation: Annotated[
        list[str] | None, typer.Option(help="Of the operations only this; may be given again.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all that was found to this file too.")] = None,
) -> None:
    """Measure Torii beside Apollo Server, Yoga, Mercurius and Strawberry, and beside floors without GraphQL.

    Starts a whole marketplace on a folder of its own and removes it afterwards; takes about fifteen minutes. Before anything is
    timed, all servers' answers are compared. docs/benchmarks.md says how to read the figures.
    """
    chosen = _chosen("server", only, [server.name for server in SERVERS])
    by_short_name = {short: name for name, short in NAMES.items()}
    operations = [by_short_name[short] for short in _chosen("operation", operation, list(by_short_name))]
    wanted, modules = _with_packages([server for server in SERVERS if server.name in chosen])
    if not wanted:
        raise typer.Exit(1)
    options = {"seconds": seconds, "rounds": rounds, "connections": connections, "products": products}
    try:
        with throwaway(products) as torii:
            say(f"starting a marketplace with {products} products, in {torii.folder}")
            torii.start("cold")
            say(f"starting {len(wanted)} servers")
            with running(wanted, torii, modules) as those:
                variables = variables_of(f"{torii.url}/graphql")
                schedule = Schedule(seconds, connections, requests)
                found = compare(those, wanted, operations, variables, rounds, schedule, torii, say)
            lookups: Lookups = {}
            if any(server.kind is Kind.TORII for server in wanted):
                say("counting look-ups")
                lookups = counted_lookups(torii, {name: variables[name][0] for name in operations})
    except REFUSED as error:
        progress.print(f"[bold red]bench:[/bold red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    told = report.report(found, lookups, parts.split_cores() is not None, options)
    report.show(told, Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))


def _chosen(what: str, named: list[str] | None, known: list[str]) -> list[str]:
    unknown = [name for name in named or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"no {what} is called {unknown[0]}: there are {', '.join(known)}")
    return named or known


def _with_packages(wanted: list[Server]) -> tuple[list[Server], Path | None]:
    """The servers that can run here, and where the npm packages are. What cannot is told."""
    if not any(server.kind is Kind.NODE for server in wanted):
        return wanted, None
    try:
        return wanted, packages.installed(say)
    except packages.NoNode as reason:
        without = ", ".join(server.title for server in wanted if server.kind is Kind.NODE)
        progress.print(f"[yellow]![/yellow] without {without}: {escape(str(reason))}", soft_wrap=True)
        return [server for server in wanted if server.kind is not Kind.NODE], None


def say(what: str) -> None:
    progress.print(f"[dim]· {escape(what)}[/dim]", soft_wrap=True)


if __name__ == "__main__":
    app()
