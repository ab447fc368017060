"""A PostgreSQL for some tests alone: for databases made from nothing, or too full for others to count in."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.embedded.credentials import Credentials
from infra.embedded.data_dir import FOLDER_MODE, DataDir
from infra.embedded.ports import remembered_ports
from infra.embedded.postgres import Postgres


@asynccontextmanager
async def own_postgres() -> AsyncIterator[Postgres]:
    """It runs, and has no database of ours yet: see `Postgres.bootstrap`."""
    folder = Path(tempfile.mkdtemp(prefix="torii-postgres-"))
    folder.chmod(FOLDER_MODE)  # pytest's own temporary folders keep out the user that PostgreSQL runs as
    data_dir = DataDir(folder)
    data_dir.acquire()
    port = remembered_ports(data_dir.ports, ("postgres",))["postgres"]
    postgres = Postgres(data_dir, port, Credentials.load_or_make(data_dir.credentials), throwaway=True)
    await postgres.prepare()
    part = postgres.spawn()
    try:
        await postgres.ready(part)
        yield postgres
    finally:
        await part.stop()
        data_dir.release()
        shutil.rmtree(folder)
