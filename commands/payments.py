"""`torii payments`: for those who look after payments."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from commands.saying import console
from infra.backends import load_settings, running_backends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.payments.troubles import OpenProblem

payments = typer.Typer(help="Show what of payments waits or failed.", invoke_without_command=True)


@payments.callback()
def list_troubles(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the oldest first.")] = 50,
) -> None:
    """Show payments over another amount than their order, Stripe's events that could not be acted on, and refunds that failed."""
    if context.invoked_subcommand is not None:
        return
    from composition import paying

    with running_backends(load_settings(), must_run=True) as settings:
        console.print(_troubles(asyncio.run(paying.troubles(settings, limit))))


@payments.command("retry")
def retry() -> None:
    """Let all of it have its turn now, refunds that were refused too."""
    from composition import paying

    with running_backends(load_settings(), must_run=True) as settings:
        again = asyncio.run(paying.try_again(settings))
    console.print(f"[dim]· {again} are tried once more by the next worker[/dim]")


def _troubles(troubles: "Sequence[OpenProblem]") -> Table:
    table = Table("what", "id", "since (UTC)", "why", "tried again (UTC)", box=None, header_style="bold")
    for each in troubles:
        again = "[red]not by itself[/red]" if each.try_at is None else f"{each.try_at:%Y-%m-%d %H:%M:%S}"
        since = f"{each.since:%Y-%m-%d %H:%M:%S}"
        table.add_row(escape(each.kind), str(each.id), since, escape(each.problem), again)
    return table
