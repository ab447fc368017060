"""`torii search`: for those who look after the search index."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from commands.reports import progress_bars
from commands.saying import console, say
from infra.backends import load_settings, running_backends

if TYPE_CHECKING:
    from domain.search.comparing import Report

search = typer.Typer(help="Look after the search index.", no_args_is_help=True)

DIFFERS = 1


@search.command("reindex")
def reindex() -> None:
    """Build the search index anew. The old one answers meanwhile, changes are not lost, and `rollback` leads back to it."""
    from composition import search_upkeep

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        products = asyncio.run(search_upkeep.reindex(settings, progress))
    say(f"the search index is new, with {products:,} products")


@search.command("rollback")
def rollback() -> None:
    """Go back to the index before the present one, once it is in step with what changed since."""
    from composition import search_upkeep

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        report = asyncio.run(search_upkeep.rollback(settings, progress))
    say(f"the earlier index counts again; {report.repaired:,} of {report.products:,} products had changed since")


@search.command("verify")
def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what differs.")] = False,
) -> None:
    """Compare the search index with the database, and the texts that the database itself searches by while the index is away.

    Ends with 1 when they differ. Workers do so every hour, and repair.
    """
    from composition import search_upkeep

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        texts, report = asyncio.run(search_upkeep.verify(settings, repair, progress))
    console.print(_told(report))
    if texts.differing:
        put_right = ", put right" if repair else ""
        console.print(
            f"texts that the database searches by while the index is away: {texts.differing:,} differ{put_right}"
        )
    if not (report.is_in_step and texts.is_in_step):
        raise typer.Exit(DIFFERS)


def _told(report: "Report") -> Table:
    table = Table("", "products", box=None, header_style="bold")
    rows = (
        ("compared", report.products),
        ("missing: cannot be found", report.missing),
        ("stale: found by what they were", report.stale),
        ("left over: found and should not be", report.leftover),
        ("newer than the database: run `torii search reindex`", report.ahead),
        ("refused: cannot be indexed as they are, see the log", report.refused),
        ("put right", report.repaired),
    )
    for what, count in rows:
        table.add_row(what, f"{count:,}")
    return table
