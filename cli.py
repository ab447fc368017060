"""The commands a person runs. `torii --help` lists them."""

import asyncio
import json
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from commands import starting
from commands.capture import capture
from commands.events import dlq, mail
from commands.payments import payments
from commands.reports import (
    access_lines,
    access_page,
    access_records,
    access_report,
    health_report,
    import_report,
    jobs_report,
    progress_bars,
    seed_report,
    write_unmatched,
)
from commands.saying import console, say
from commands.search import search
from commands.users import users
from domain.shared.clock import SystemClock
from domain.shared.periodic import Outcome
from domain.shared.refusals import Refusal
from infra.backends import load_settings, running_backends
from infra.embedded.refusals import StartRefused
from settings import MissingSettings
from settings import loading as configuration

REFUSED, WRONG_SETTING = 1, 2


class AccessForm(StrEnum):
    """How `torii access` prints the matrix."""

    TABLE = "table"
    LINES = "lines"
    """One a field, for `diff`."""
    JSON = "json"
    PAGE = "page"
    """docs/access.md."""


app = typer.Typer(
    help="Torii, a GraphQL gateway for multi-seller marketplaces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
imports = typer.Typer(help="Take in data of another shop.", no_args_is_help=True)
app.add_typer(imports, name="import")
app.add_typer(users, name="users")
app.add_typer(dlq, name="dlq")
app.add_typer(mail, name="mail")
app.add_typer(capture, name="capture")
app.add_typer(payments, name="payments")
app.add_typer(search, name="search")
errors = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command()
def up(
    reload: Annotated[bool, typer.Option("--reload", help="Restart the gateway when its code changes.")] = False,
) -> None:
    """Start the whole marketplace on this machine: back ends, demo shop, gateway. Ctrl-C stops it."""
    from infra.up import Supervisor

    settings = load_settings()
    supervisor = Supervisor(
        settings,
        starting.steps(settings, SystemClock()),
        reload=reload,
        progress=say,
        ready=lambda: console.print(starting.addresses(settings)),
    )
    asyncio.run(supervisor.run())


@app.command()
def serve(
    reload: Annotated[bool, typer.Option("--reload", help="Restart when the code changes.")] = False,
) -> None:
    """Serve the gateway alone, on the back ends that the settings name."""
    from infra.serve import serve as serve_gateway

    serve_gateway(load_settings(), reload=reload)


@app.command()
def worker(
    once: Annotated[str | None, typer.Option(metavar="NAME", help="Run this job now, then end.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the jobs and how they ran last.")] = False,
) -> None:
    """Run jobs when they are due, beside the gateway, until SIGTERM or Ctrl-C. Several workers share the work."""
    from composition import periodic
    from infra import logs

    settings = load_settings()
    if once is None:
        with running_backends(settings, must_run=True) as settings:
            if show:
                console.print(jobs_report(asyncio.run(periodic.last_runs(settings))))
                return
            logs.configure(settings.log_level)
            with suppress(asyncio.CancelledError):  # it was told twice to stop
                asyncio.run(periodic.work(settings))
        return
    with running_backends(settings, say) as settings:
        logs.configure(settings.log_level)
        result = asyncio.run(periodic.run_once(settings, once))
    say(f"{once}: {result.outcome.lower()}, {result.count:,}")
    if result.outcome is not Outcome.DONE:
        raise typer.Exit(REFUSED)


@app.command()
def migrate() -> None:
    """Bring the tables to the newest revision. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        asyncio.run(jobs.migrate(settings))
    say("the tables are at the newest revision")


@app.command()
def seed(
    products: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many products the demo shop offers.")] = 3000,
) -> None:
    """Fill in the demo marketplace: accounts, shops, products, orders, reviews. What is there stays as it is."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        summary = asyncio.run(jobs.seed(settings, products, progress))
    say(seed_report(summary))


@imports.command("online-retail")
def import_online_retail(
    path: Annotated[Path, typer.Argument(help="A sheet of UCI Online Retail II as a Parquet file.")],
    unmatched: Annotated[
        typer.FileTextWrite | None,
        typer.Option(lazy=False, help="Where to write, as CSV, the cancellations that find nothing to give back."),
    ] = None,
) -> None:
    """Take in a real shop: its products, customers, invoices and cancellations. A second time changes nothing."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        summary = asyncio.run(jobs.import_online_retail(settings, path, progress, progress))
    console.print(import_report(summary))
    if unmatched is not None:
        write_unmatched(summary.added.back.shortfalls, unmatched)


@app.command()
def reindex() -> None:
    """Make the search index and the recommendations anew. The old ones answer meanwhile."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        asyncio.run(jobs.rebuild(settings, progress))
    say("the search index and the recommendations are new")


@app.command()
def schema() -> None:
    """Print the schema as GraphQL SDL."""
    from schema.build import sdl

    sys.stdout.write(sdl())


@app.command()
def access(
    form: Annotated[AccessForm, typer.Option("--format", help="How to print it.")] = AccessForm.TABLE,
) -> None:
    """Print who may see which field and call which mutation."""
    from schema.build import build_schema
    from schema.matrix import access_matrix

    rows = access_matrix(build_schema()._schema)
    match form:
        case AccessForm.TABLE:
            console.print(access_report(rows))
        case AccessForm.LINES:
            sys.stdout.write(access_lines(rows))
        case AccessForm.JSON:
            sys.stdout.write(json.dumps(access_records(rows), indent=2) + "\n")
        case AccessForm.PAGE:
            sys.stdout.write(access_page(rows))


@app.command()
def explain(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A GraphQL document; - for standard input.")],
    variables: Annotated[str | None, typer.Option(help="Variables, as a JSON object.")] = None,
    operation: Annotated[str | None, typer.Option(help="Which operation of the document.")] = None,
    token: Annotated[str | None, typer.Option(help="Access token of who asks.", envvar="TORII_TOKEN")] = None,
    url: Annotated[str | None, typer.Option(help="The GraphQL address; default that of the settings.")] = None,
    times: Annotated[int, typer.Option(min=1, max=100, help="How often to run it; the last is shown.")] = 3,
) -> None:
    """Run an operation and show how: which field loaded what, how many keys, how long. The gateway has to run."""
    from commands import explain as explaining

    address = url or f"{load_settings().url}/graphql"
    try:
        runs = explaining.answers(address, explaining.document(source), variables, operation, token, times)
    except explaining.NotExplained as reason:
        _refuse(str(reason), REFUSED)
    console.print(explaining.report(runs))


@app.command()
def token(
    email: Annotated[str, typer.Argument(help="Address of an account, such as buyer@example.com.")],
    password: Annotated[
        str | None, typer.Option(help="Password; a demo account's is known.", envvar="TORII_PASSWORD")
    ] = None,
) -> None:
    """Print an access token, for the header `Authorization: Bearer …`. It is good for an hour."""
    from adapters.cognito.pool import DEMO_ACCOUNTS, DEMO_PASSWORD
    from composition import cloud

    if password is None:
        password = DEMO_PASSWORD if email in DEMO_ACCOUNTS else _asked_password(email)
    with running_backends(load_settings(), must_run=True) as settings:
        sys.stdout.write(asyncio.run(cloud.token(settings, email, password)) + "\n")


@app.command()
def doctor() -> None:
    """Ask each back end how it is. Ends with 1 when one is down."""
    from commands import jobs

    with running_backends(load_settings(), say, must_run=True) as settings:
        states = asyncio.run(jobs.doctor(settings))
    console.print(health_report(states))
    if not all(state.is_up for state in states):
        raise typer.Exit(REFUSED)


def _asked_password(email: str) -> str:
    if not sys.stdin.isatty():
        _refuse(f"{email} needs a password: give --password or set TORII_PASSWORD", WRONG_SETTING)
    return str(typer.prompt("Password", hide_input=True, err=True))


def main() -> None:
    """Entry point: whatever a person can put right is one line on stderr, never a traceback."""
    try:
        app()
    except ValidationError as error:
        _refuse(configuration.explain(error), WRONG_SETTING)
    except MissingSettings as missing:
        _refuse(str(missing), WRONG_SETTING)
    except (StartRefused, Refusal) as refusal:
        _refuse(str(refusal), REFUSED)


def _refuse(text: str, status: int) -> NoReturn:
    errors.print(f"[bold red]torii:[/bold red] {escape(text)}")
    sys.exit(status)


if __name__ == "__main__":
    main()
