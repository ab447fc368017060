"""The commands a person runs. `torii --help` lists them."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

import settings as configuration
from infra.embedded import run_env
from infra.embedded.refusals import StartRefused
from settings import Settings

REFUSED, WRONG_SETTING = 1, 2

app = typer.Typer(
    help="Torii, a GraphQL gateway for multi-seller marketplaces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
console = Console()
errors = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command()
def up(
    reload: Annotated[bool, typer.Option("--reload", help="Restart the gateway when its code changes.")] = False,
) -> None:
    """Start the whole marketplace on this machine: back ends, demo shop, gateway. Ctrl-C stops it."""
    from infra.up import Supervisor

    settings = load_settings()
    supervisor = Supervisor(
        settings, STEPS, reload=reload, progress=say, ready=lambda: console.print(addresses(settings))
    )
    asyncio.run(supervisor.run())


@app.command()
def serve(
    reload: Annotated[bool, typer.Option("--reload", help="Restart when the code changes.")] = False,
    standby: Annotated[bool, typer.Option("--standby", hidden=True)] = False,
) -> None:
    """Serve the gateway alone, on the back ends that the settings name."""
    from infra.standby import wait_for_go

    settings = load_settings()
    if standby and not wait_for_go():
        return
    from infra.serve import serve as serve_gateway

    serve_gateway(settings, reload=reload)


@app.command()
def worker() -> None:
    """Run background jobs. There are none yet: this says so and ends."""
    console.print("There are no background jobs yet; nothing to run.")


STEPS = ()
"""What `torii up` does between the back ends and the gateway."""


def load_settings() -> Settings:
    """The settings, without what a killed `torii up` left behind. Raises pydantic.ValidationError."""
    run_env.remove_if_stale(configuration.data_dir_from_environment())
    return configuration.load()


def say(message: str) -> None:
    """One line of progress."""
    console.print(f"[dim]· {escape(message)}[/dim]")


def addresses(settings: Settings) -> Panel:
    """What someone needs to know once everything runs."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    rows.add_row(
        "GraphQL", f"{settings.url}/graphql" + ("  (GraphiQL in a browser)" if settings.serves_graphiql else "")
    )
    rows.add_row("Health", f"{settings.url}/health   {settings.url}/api/health")
    rows.add_row("Accounts", "buyer@example.com   seller@example.com   admin@example.com")
    rows.add_row("Token", f"{torii_command()} token buyer@example.com")
    rows.add_row("Data, logs", f"{settings.data_dir}   {settings.data_dir / 'log'}")
    rows.add_row("Stop", "Ctrl-C")
    return Panel(rows, title="Torii is up", title_align="left", expand=False)


def torii_command() -> str:
    """How this very command was called, short."""
    called = Path(sys.argv[0])
    here = Path.cwd()
    return str(called.relative_to(here)) if called.is_absolute() and called.is_relative_to(here) else str(called)


def main() -> None:
    """Entry point: whatever a person can put right is one line on stderr, never a traceback."""
    try:
        app()
    except ValidationError as error:
        _refuse(configuration.explain(error), WRONG_SETTING)
    except StartRefused as refusal:
        _refuse(str(refusal), REFUSED)


def _refuse(text: str, status: int) -> None:
    errors.print(f"[bold red]torii:[/bold red] {escape(text)}")
    sys.exit(status)


if __name__ == "__main__":
    main()
