"""All embedded back ends together: started at once, and the settings by which the program reaches them."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.aws_server import Aws
from infra.embedded.credentials import Credentials
from infra.embedded.data_dir import DataDir
from infra.embedded.leftovers import end_leftovers
from infra.embedded.ports import remembered_ports
from infra.embedded.postgres import DATABASE, Postgres
from infra.embedded.process import Part
from infra.embedded.stripe_server import Stripe
from infra.embedded.valkey import Valkey

PARTS = ("postgres", "valkey", "aws", "stripe")
MAIL_FROM = "Torii <no-reply@torii.example>"
"""Nothing leaves the machine: the emulator takes mails of every sender."""
Progress = Callable[[str], None]


def silent(message: str) -> None:
    """A progress that says nothing."""


class Stack:
    """PostgreSQL, Valkey, the AWS emulator and the Stripe sandbox on one data folder.

    `throwaway` trades safety in a crash for speed. Raises what infra.embedded.refusals names. Start it from the main
    thread: the kernel ends the servers when the thread that started them ends.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False, progress: Progress = silent) -> None:
        self.data_dir = DataDir(data_dir)
        self.parts: list[Part] = []
        self.postgres: Postgres
        self.valkey: Valkey
        self.aws: Aws
        self.stripe: Stripe
        self._credentials: Credentials
        self._throwaway = throwaway
        self._progress = progress

    @property
    def environment(self) -> dict[str, str]:
        """Settings for the program, known as soon as the start has begun."""
        return {
            "TORII_DATA_DIR": str(self.data_dir.path),
            "TORII_DATABASE_URL": self.postgres.url("torii_app"),
            "TORII_DATABASE_WORKER_URL": self.postgres.url("torii_worker"),
            "TORII_DATABASE_OWNER_URL": self.postgres.url("torii_owner"),
            "TORII_REDIS_URL": self.valkey.url(),
            "TORII_AWS_ENDPOINT_URL": self.aws.url,
            "TORII_MAIL_FROM": MAIL_FROM,
            "TORII_STRIPE_API_BASE": self.stripe.url,
            "TORII_STRIPE_SECRET_KEY": self._credentials.stripe_secret_key,
            "TORII_STRIPE_WEBHOOK_SECRET": self._credentials.stripe_webhook_secret,
            "TORII_SECRET_KEY": self._credentials.secret_key,
            "TORII_SEARCH_INDEX_DIR": str(self.data_dir.path / "search"),
            "AWS_ACCESS_KEY_ID": self._credentials.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._credentials.aws_secret_access_key,
        }

    def claim(self) -> None:
        """Take the data folder and settle ports and passwords: `environment` is known then. Starts nothing yet."""
        self.data_dir.acquire()
        with ExitStack() as undo:
            undo.callback(self.data_dir.release)
            self.data_dir.run_env.unlink(missing_ok=True)
            for name in end_leftovers(self.data_dir):
                self._progress(f"ended {name}, left over from an earlier run")
            credentials = self._credentials = Credentials.load_or_make(self.data_dir.credentials)
            ports = remembered_ports(self.data_dir.ports, PARTS)
            self.postgres = Postgres(self.data_dir, ports["postgres"], credentials, throwaway=self._throwaway)
            self.valkey = Valkey(self.data_dir, ports["valkey"], credentials.valkey, throwaway=self._throwaway)
            self.aws = Aws(self.data_dir, ports["aws"])
            stripe_keys = credentials.stripe_secret_key, credentials.stripe_webhook_secret
            self.stripe = Stripe(self.data_dir, ports["stripe"], *stripe_keys)
            undo.pop_all()

    async def start_servers(self) -> None:
        """Start them all and wait until each answers. Needs `claim` first; on an error nothing is left running."""
        try:
            async with asyncio.TaskGroup() as starting:
                # the slowest first: its imports take a second while the others start
                starting.create_task(self._start_simple(self.aws))
                starting.create_task(self._start_simple(self.valkey))
                starting.create_task(self._start_postgres())
                starting.create_task(self._start_simple(self.stripe))
        except BaseExceptionGroup as group:
            await self.stop_servers()
            raise _first_cause(group) from group
        except asyncio.CancelledError:
            await self.stop_servers()
            raise
        if self.postgres.is_new or self.aws.is_empty:
            self.data_dir.forget_steps()

    async def stop_servers(self, timeout_s: float | None = None) -> None:
        """Stop what was started, each by its own orderly way, and give the folder back."""
        try:
            await asyncio.gather(*(part.stop(timeout_s) for part in self.parts))
        finally:
            self.parts.clear()
            self.data_dir.release()

    async def send_events_to(self, url: str) -> None:
        """Have Stripe's events sent to the gateway, there. Raises PartDied or PartNotReady."""
        part = next(part for part in self.parts if part.name == self.stripe.name)
        await self.stripe.send_events_to(part, url)

    def start(self) -> None:
        self.claim()
        asyncio.run(self.start_servers())

    def stop(self) -> None:
        asyncio.run(self.stop_servers())

    def copy_database(self, name: str) -> None:
        """A database of that name like Torii's own, which nobody may be connected to."""
        asyncio.run(self.postgres.copy_database(name, template=DATABASE))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _start_simple(self, server: Aws | Valkey | Stripe) -> None:
        part = server.spawn()
        self.parts.append(part)
        await server.ready(part)
        self._progress(f"{server.name} answers")

    async def _start_postgres(self) -> None:
        await self.postgres.prepare()
        part = self.postgres.spawn()
        self.parts.append(part)
        await self.postgres.ready(part)
        await self.postgres.bootstrap()
        self._progress("postgres answers")


def _first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """One refusal is one line: the first says enough, the others mostly follow from it."""
    first = group.exceptions[0]
    return _first_cause(first) if isinstance(first, BaseExceptionGroup) else first
