"""What the commands show of long work and its results."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from adapters.health import State
    from domain.imports.service import ImportSummary
    from infra.demo.load import Summary


class Told(Protocol):
    """Takes the stage, how much of it is done, and how much there is (0 when that is not known)."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


@contextmanager
def progress_bars() -> Iterator["Told"]:
    """A bar for each stage that is told of; on something that is no terminal, the stages' last lines."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield told


def health_report(states: "Sequence[State]") -> Table:
    table = Table("back end", "state", "latency", "what it says", "what to do", box=None, header_style="bold")
    for state in states:
        mark = "[green]up[/green]" if state.is_up else "[red]down[/red]"
        advice = "" if state.is_up else state.advice
        table.add_row(state.name, mark, f"{state.latency_ms:.1f} ms", state.detail, advice)
    return table


def seed_report(summary: "Summary") -> str:
    """What the demo marketplace holds, in a line."""
    rows = summary.rows
    if not any(summary.new.values()):
        return "the demo marketplace was there already"
    return (
        f"{rows['products']:,} products of {rows['sellers']:,} sellers, {rows['orders']:,} orders, "
        f"{rows['reviews']:,} reviews, {rows['users']:,} users"
    )


def import_report(summary: "ImportSummary") -> Table:
    """Every row of the file, by what became of it."""
    table = Table("of the file's rows", "count", title="Import", title_justify="left", box=None, header_style="bold")
    table.add_row("added as order lines", f"{summary.added.lines:,}")
    table.add_row("there already", f"{summary.added.lines_there:,}")
    for reason, count in sorted(summary.dropped.items(), key=lambda each: -each[1]):
        if count:
            table.add_row(f"dropped: {reason}", f"{count:,}")
    table.add_row("[bold]all", f"[bold]{summary.rows:,}")
    added = summary.added
    table.caption = (
        "nothing was new"
        if summary.changed_nothing
        else f"new: {added.orders:,} orders, {added.products:,} products, {added.users:,} customers, "
        f"{added.categories:,} categories; {summary.seconds:.1f} s"
    )
    table.caption_justify = "left"
    return table
