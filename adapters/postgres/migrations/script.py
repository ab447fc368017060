"""Runs a revision's SQL."""

from typing import Any

from alembic import op

from domain.shared.refusals import Refusal


class MigrationRefused(Refusal):
    """Rows stand in the way that only people can put right. The message says how many and how, and shows none of them."""

    code = "MIGRATION_REFUSED"


class MigrationBlocked(Refusal):
    """Somebody has a table that a migration needs, for longer than it is waited for."""

    code = "MIGRATION_BLOCKED"

    def __init__(self) -> None:
        super().__init__(
            "a migration was given up: other transactions have had a table that it needs, each time it asked. Nothing of it is left, and"
            " those before it are applied. Look for what runs long (SELECT pid, xact_start, application_name FROM pg_stat_activity"
            " ORDER BY xact_start), end it or wait for it, and migrate again"
        )


def run(sql: str) -> None:
    """Run several statements in the revision's transaction."""
    bind = op.get_bind()
    # The driver begins its transaction with its first statement, and does not see the call below as one.
    bind.exec_driver_sql("SELECT 1")
    connection: Any = bind.connection.dbapi_connection
    # asyncpg takes several statements at once only outside the prepared protocol that SQLAlchemy uses.
    connection.run_async(lambda asyncpg_connection: asyncpg_connection.execute(sql))
