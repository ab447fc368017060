"""Throwaway embedded back ends for one test session: started once, each worker with its own corner of them."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.embedded.data_dir import FOLDER_MODE
from infra.embedded.postgres import DATABASE
from infra.embedded.stack import Stack
from settings import Settings

Migrate = Callable[[str], None]
"""Takes the owner's URL of an empty database and makes its tables."""


class SessionBackends:
    """The servers of a test session. Lives in the xdist controller, or in the one process there is."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="torii-tests-"))
        self._folder.chmod(FOLDER_MODE)
        self._stack = Stack(self._folder, throwaway=True)
        self._workers = 0

    def start(self, migrate: Migrate) -> None:
        self._stack.start()
        # migrated once: a copy of a database takes a twentieth of the time
        migrate(self._stack.environment["TORII_DATABASE_OWNER_URL"])

    def corner(self, worker: str) -> dict[str, str]:
        """Settings of one worker: its own database, Valkey database, DynamoDB tables and search index."""
        number, self._workers = self._workers, self._workers + 1
        database = f"{DATABASE}_{worker}"
        self._stack.copy_database(database)
        roles = {
            "DATABASE_URL": "torii_app",
            "DATABASE_WORKER_URL": "torii_worker",
            "DATABASE_OWNER_URL": "torii_owner",
        }
        return {
            **self._stack.environment,
            **{f"TORII_{name}": self._stack.postgres.url(role, database) for name, role in roles.items()},
            "TORII_REDIS_URL": self._stack.valkey.url(number),
            "TORII_DYNAMODB_TABLE_PREFIX": f"{worker}-",
            "TORII_EVENT_PREFIX": f"{worker.replace('_', '-')}-",
            "TORII_SEARCH_INDEX_DIR": str(self._folder / f"search-{worker}"),
        }

    def stop(self) -> None:
        self._stack.stop()
        shutil.rmtree(self._folder)


def settings_of(corner: Mapping[str, str], **changes: Any) -> Settings:
    """`Settings` of a worker's corner, whatever `.env` says. `changes` are fields by name."""
    fields = {name.removeprefix("TORII_").lower(): value for name, value in corner.items() if name.startswith("TORII_")}
    return Settings(_env_file=None, **fields | changes)
