"""`torii up`: what comes between the back ends and the gateway, and what someone is told once everything runs."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.table import Table

from domain.shared.clock import Clock
from settings import Settings
from settings.loading import DEFAULT_DATA_DIR

if TYPE_CHECKING:
    from infra.up import Step


def steps(settings: Settings, clock: Clock) -> list["Step"]:
    """What `torii up` does between the back ends and the gateway.

    The demo shop once; the tables once a revision, and once a month for the coming months' partitions; the search index
    wherever there is none that this program can read.
    """
    from infra.embedded.process import python
    from infra.up import Step

    revisions = Path(__file__).parents[1] / "adapters" / "postgres" / "migrations" / "versions"
    tables = f"tables-{max(path.stem for path in revisions.glob('r*.py'))}-{clock.now():%Y-%m}"

    def has_no_index() -> bool:
        if settings.opensearch_url.get_secret_value():
            from composition.search_index import is_built as is_built_there

            return not asyncio.run(is_built_there(settings))
        from adapters.tantivy.index import is_built

        return not is_built(settings.search_dir)

    return [
        # first, and with the tables: a very first start then looks at them once
        Step("demo-marketplace", python("-m", "cli", "seed"), once=True, does=(tables,), shows_progress=True),
        Step(tables, python("-m", "cli", "migrate"), once=True),
        Step("search-index", python("-m", "cli", "reindex"), is_needed=has_no_index, shows_progress=True),
    ]


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
    folder = "" if settings.data_dir == DEFAULT_DATA_DIR else f"DATA_DIR={settings.data_dir} "
    rows.add_row("Token", f"{folder}{torii_command()} token buyer@example.com")
    rows.add_row("Data, logs", f"{settings.data_dir}   {settings.data_dir / 'log'}")
    rows.add_row("Stop", "Ctrl-C")
    return Panel(rows, title="Torii is up", title_align="left", expand=False)


def torii_command() -> str:
    """How this very command was called, short."""
    called = Path(sys.argv[0])
    here = Path.cwd()
    return str(called.relative_to(here)) if called.is_absolute() and called.is_relative_to(here) else str(called)
