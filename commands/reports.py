"""What the commands show of long work and its results."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.imports.refunds import IN_PART, refunds_of
from domain.imports.rows import CURRENCY
from domain.shared.money import Money

if TYPE_CHECKING:
    from adapters.health import State
    from domain.accounts.repair import Repaired
    from domain.imports.refunds import Shortfall
    from domain.imports.service import ImportSummary
    from domain.shared.periodic import Run
    from infra.demo.load import Summary
    from infra.worker import Job
    from schema.matrix import Row


SEEN, UNSEEN = "✓", "·"


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


def repair_report(repaired: "Repaired") -> str:
    """What a repair of users did, in a line."""
    line = f"{repaired.seen:,} users in the pool: {repaired.made:,} rows made, {repaired.moved:,} addresses updated"
    if repaired.taken:
        line += f"; the addresses of {repaired.taken:,} belong to other rows, which a person has to look at"
    return line


def jobs_report(jobs: "Sequence[tuple[Job[Any], Run | None]]") -> Table:
    """Each job, how often it runs, when it did so last, and how that ended."""
    table = Table(
        "job", "every", "last run (UTC)", "took", "outcome", "count", "what it does", box=None, header_style="bold"
    )
    for job, run in jobs:
        every = str(job.every).removesuffix(", 0:00:00")
        if run is None:
            table.add_row(job.name, every, "never", "", "", "", job.about)
            continue
        took = "" if run.ended_at is None else f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
        table.add_row(
            job.name, every, f"{run.started_at:%Y-%m-%d %H:%M:%S}", took, _how(run), f"{run.count:,}", job.about
        )
    return table


def _how(run: "Run") -> str:
    """How a run ended, or that it has not."""
    if run.outcome is None:
        return "running" if run.is_held else "[red]killed[/red]"
    told = f"{run.outcome.lower()} ({run.error})" if run.error else run.outcome.lower()
    return f"[green]{told}[/green]" if run.outcome == "DONE" else f"[red]{told}[/red]"


def import_report(summary: "ImportSummary") -> Table:
    """Every row of the file, by what became of it; of cancellations how much they were about."""
    table = Table(
        "of the file's rows", "count", CURRENCY, title="Import", title_justify="left", box=None, header_style="bold"
    )
    back = summary.added.back
    table.add_row("added as order lines", f"{summary.added.lines:,}")
    table.add_row("there already", f"{summary.added.lines_there:,}")
    table.add_row("cancelled and refunded", f"{back.lines:,}", _amount(back.refunded))
    table.add_row("refunded already", f"{back.lines_there:,}", _amount(back.refunded_before))
    unmatched = back.by_reason()
    for why, (count, amount) in unmatched.items():
        if why not in IN_PART:
            table.add_row(f"cancelled, not refunded: {why}", f"{count:,}", _amount(amount))
    for reason, count in sorted(summary.dropped.items(), key=lambda each: -each[1]):
        if count:
            table.add_row(f"dropped: {reason}", f"{count:,}")
    table.add_row("[bold]all", f"[bold]{summary.rows:,}")
    for why, (count, amount) in unmatched.items():
        if why in IN_PART:
            table.add_row(f"of these refunded {why}", f"{count:,}", _amount(amount))
    added = summary.added
    table.caption = (
        "nothing was new"
        if summary.changed_nothing
        else f"new: {added.orders:,} orders, {added.products:,} products, {added.users:,} customers, "
        f"{added.categories:,} categories, {len(refunds_of(back.pieces)):,} refunds; {summary.seconds:.1f} s"
    )
    table.caption_justify = "left"
    return table


def write_unmatched(shortfalls: "Iterable[Shortfall]", file: TextIO) -> None:
    """What cancellations did not give back, each with its customer and why, as CSV; amounts in pence."""
    rows = csv.writer(file)
    rows.writerow(
        ("invoice", "stock_code", "customer", "cancelled_at", "quantity", "unit_price", "unmatched", "reason")
    )
    for shortfall in shortfalls:
        each = shortfall.cancellation
        about = (each.invoice, each.stock_code, each.customer, each.at.isoformat(), each.quantity, each.unit_price)
        rows.writerow((*about, shortfall.amount, shortfall.reason.value))


def _amount(pence: int) -> str:
    return f"{Money(pence, CURRENCY).amount:,}"


def access_report(rows: "Sequence[Row]") -> Table:
    """The access matrix, a type at a time."""
    from schema.matrix import Persona

    table = Table(box=None, header_style="bold")
    table.add_column("field", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    for persona in Persona:
        table.add_column(persona, justify="center")
    for type_name, fields in groupby(rows, key=lambda row: row.type_name):
        table.add_row(f"[bold]{type_name}")
        for row in fields:
            table.add_row(f"  {row.field_name}", row.rules, *marks(row))
    return table


def access_lines(rows: "Sequence[Row]") -> str:
    """The access matrix, a line a field: for `grep` and `diff`."""
    return "".join(f"{row.type_name}.{row.field_name}\t{row.rules}\t{', '.join(seers(row))}\n" for row in rows)


def access_records(rows: "Sequence[Row]") -> list[dict[str, object]]:
    """The access matrix, for programs."""
    return [
        {"type": row.type_name, "field": row.field_name, "rules": row.rules.split(" or "), "seenBy": seers(row)}
        for row in rows
    ]


def access_page(rows: "Sequence[Row]") -> str:
    """The access matrix as a page, where the fields of a type that are for the same people share a line."""
    from schema.matrix import Persona

    lines = []
    for type_name, of_type in groupby(rows, key=lambda row: row.type_name):
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for row in of_type:
            alike.setdefault((row.rules, marks(row)), []).append(f"`{row.field_name}`")
        for (rules, seen), fields in alike.items():
            lines.append(f"| {' | '.join((type_name, ' '.join(fields), rules, *seen))} |")
    heads = ("type", "fields", "rule", *Persona)
    return "\n".join([ACCESS_PAGE, f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines]) + "\n"


ACCESS_PAGE = """\
# Who may see what

Made by `make schema`, from the rules that the fields declare; `torii access` prints the same. A tick says that a
field is shown to somebody, or that a mutation may be called. The people stand to one value, say an order: its *owner* bought it, the
*seller* works for the shop that sold it, the others have nothing to do with it. Where a field has a wider rule than its ticks
say, nobody else is led to a value of the type. [Architecture](architecture.md#access-who-may-see-and-do-what) says how the rules
are enforced.
"""


def marks(row: "Row") -> tuple[str, ...]:
    from schema.matrix import Persona

    return tuple(SEEN if persona in row.seen_by else UNSEEN for persona in Persona)


def seers(row: "Row") -> list[str]:
    """Who sees it, in the order of the columns."""
    from schema.matrix import Persona

    return [str(persona) for persona in Persona if persona in row.seen_by]
