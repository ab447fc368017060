"""The statements of sql/, for the servers in Python."""

import os
from pathlib import Path
from typing import Any

import asyncpg

SQL_DIR = Path(__file__).with_name("sql")
STATEMENTS = {file.stem: file.read_text() for file in SQL_DIR.glob("*.sql")}


async def keep(_connection: asyncpg.Connection) -> None:
    """Instead of a reset, which is a round trip each time a connection goes back: nothing here changes its state."""


def make_pool() -> Any:
    """Connections that see what the public sees; asyncpg prepares each statement once a connection. To be entered."""
    size = int(os.environ["DATABASE_POOL"])
    return asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=size,
        max_inactive_connection_lifetime=0,  # connections stay while other servers have their turns
        server_settings={"torii.kind": "anonymous"},
        reset=keep,
    )
