"""`python -m bench`: measure, then say what was found."""

import subprocess
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from bench import parts, report
from bench.measure import CannotMeasure, Part, Schedule, measure, running, started
from bench.operations import WrongAnswer
from bench.torii import DidNotStart

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
progress = Console(stderr=True, highlight=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(min=0.1, max=120, help="How long each operation is measured.")] = 10,
    connections: Annotated[int, typer.Option(min=1, max=256, help="How many are open at once under load.")] = 16,
    requests: Annotated[int, typer.Option(min=1, max=1_000_000, help="The most that one measurement sends.")] = 200_000,
    products: Annotated[int, typer.Option(min=200, max=1_000_000, help="Size of the demo shop.")] = 3000,
    only: Annotated[list[Part] | None, typer.Option(help="Measure only this; may be given again.")] = None,
    url: Annotated[str, typer.Option(help="A gateway that runs, as http://127.0.0.1:PORT, instead of our own.")] = "",
    json: Annotated[Path | None, typer.Option(help="Write all that was found to this file too.")] = None,
) -> None:
    """Measure the gateway: its start, memory, look-ups, and three queries under load.

    Starts a whole marketplace on a folder of its own and removes it afterwards; takes about three minutes.
    docs/benchmarks.md says how to read the figures.
    """
    wanted = list(only or Part)
    pinned = not url and parts.split_cores() is not None
    options = {"seconds": seconds, "connections": connections, "requests": requests, "products": products, "url": url}
    found = report.empty(pinned, options)
    try:
        with running(url) if url else started(products, wanted, found, say) as target:
            measure(target, wanted, Schedule(seconds, connections, requests), found, say)
    except (DidNotStart, WrongAnswer, CannotMeasure, OSError, subprocess.TimeoutExpired) as error:
        progress.print(f"[bold red]bench:[/bold red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    report.show(found, Console(highlight=False, soft_wrap=True))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))


def say(what: str) -> None:
    progress.print(f"[dim]· {escape(what)}[/dim]")


if __name__ == "__main__":
    app()
