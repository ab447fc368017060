"""A whole `torii up` on a folder of its own, started and stopped by us."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from bench import parts
from infra.embedded.data_dir import FOLDER_MODE
from infra.embedded.ports import remembered_ports
from infra.embedded.process import RunAs, launched, python
from infra.up import GATEWAY, PARTS
from settings import DEFAULT_OPERATION_RATES

ROOT = Path(__file__).parents[1]
SUPERVISOR = "supervisor"
UP = "Torii is up"
MARK = "· "
SLOWEST_START_S = 600.0
SLOWEST_STOP_S = 60.0
ALL_THERE_WITHIN_S = 30.0
LAST_LINES = 10

Progress = Callable[[str], None]


class DidNotStart(Exception):
    """`torii up` ended before it was up, or before it was told to. Carries what it said last."""


@dataclass(frozen=True, slots=True)
class Start:
    """How long a start took, and when it said what, in seconds from its beginning."""

    kind: str
    seconds: float
    said: list[tuple[float, str]]


NEVER_TOO_MUCH = {
    "TORII_RATE_REQUESTS_PER_S": "1000000",
    "TORII_RATE_REQUESTS_BURST": "1000000",
    "TORII_RATE_COST_PER_MINUTE": "1000000000",
    "TORII_RATE_COST_BURST": "1000000000",
    "TORII_CONNECTIONS_PER_ADDRESS": "1000000",
    "TORII_RATE_AT_ONCE": "1000000",
    "TORII_WEBSOCKETS_PER_ADDRESS": "1000000",
    "TORII_MAX_SUBSCRIPTIONS_EACH": "1000000",
    "TORII_RATE_OPERATIONS": re.sub(r"=\d+", "=1000000", DEFAULT_OPERATION_RATES),
    "TORII_UNPAID_ORDERS_PER_ADDRESS": "1000000",
    "TORII_UNPAID_UNITS_PER_ADDRESS": "1000000",
    "TORII_DYNAMODB_TIMEOUT_MS": "10000",
}
"""All load comes from one address: it is counted as anybody's, and never refused. DynamoDB's emulator answers one after another."""

PATIENT = {"redis_timeout_ms": 5_000, "query_timeout_ms": 20_000}
"""Settings of a gateway in the measuring process, which is not to skip Redis on a busy machine."""


class Torii:
    """`torii up` on `folder`, whatever the settings of the caller are."""

    def __init__(self, folder: Path, products: int) -> None:
        self.data_dir = folder / "data"
        self.port = remembered_ports(folder / "ports.json", (GATEWAY,))[GATEWAY]
        self._folder = folder
        self._products = products
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """For commands that are to find this marketplace. Run them in our folder, where no `.env` is."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("TORII_", "AWS_"))}
        where = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        return {**own, **where, **NEVER_TOO_MUCH, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}

    @property
    def folder(self) -> Path:
        return self._folder

    def start(self, kind: str) -> Start:
        """Start it and wait until it is up, and every part of it there. Raises DidNotStart."""
        began = time.monotonic()
        process = self._process = subprocess.Popen(
            # whatever ends us ends it, and the terminal's Ctrl-C reaches us alone
            launched(python("-m", "bench.up", str(self._products)), signal.SIGTERM, RunAs.ITSELF),
            cwd=self._folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        said: list[tuple[float, str]] = []
        patience = Timer(SLOWEST_START_S, process.terminate)
        patience.start()
        try:
            for line in process.stdout:
                said.append((time.monotonic() - began, line.strip()))
                if UP in line:
                    break
        finally:
            patience.cancel()
        if not said or UP not in said[-1][1]:
            self.stop()
            raise DidNotStart("\n".join(["torii up did not start:", *(line for _, line in said[-LAST_LINES:])]))
        self._until_all_are_there()
        marks = [(after, line.removeprefix(MARK)) for after, line in said if line.startswith(MARK)]
        return Start(kind, said[-1][0], marks)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=SLOWEST_STOP_S)  # reads on, so that its last words do not hold it up
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def last_words(self) -> str:
        """What it said when it ended by itself; empty while it runs."""
        if self._process is None or self._process.poll() is None:
            return ""
        said, _ = self._process.communicate()
        return "\n".join(["torii up ended by itself:", *said.splitlines()[-LAST_LINES:]])

    def pids(self) -> parts.Pids:
        """The first process of each part."""
        assert self._process is not None
        return {name: int(self._pid_of(name)) for name in sorted(PARTS)} | {SUPERVISOR: self._process.pid}

    def _pid_of(self, part: str) -> str:
        """Empty until the part has been started."""
        file = self.data_dir / "run" / f"{part}.pid"
        return file.read_text() if file.exists() else ""

    def _until_all_are_there(self) -> None:
        """It is up before it starts its worker, which nobody waits for. Raises DidNotStart."""
        deadline = time.monotonic() + ALL_THERE_WITHIN_S
        while missing := [name for name in PARTS if not self._pid_of(name)]:
            if time.monotonic() > deadline:
                self.stop()
                raise DidNotStart(f"torii up is up, but did not start its {', '.join(missing)}")
            time.sleep(0.02)


@contextmanager
def throwaway(products: int) -> Iterator[Torii]:
    """A marketplace on an empty folder that is gone afterwards. It has not been started yet."""
    with tempfile.TemporaryDirectory(prefix="torii-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(FOLDER_MODE)
        torii = Torii(folder, products)
        try:
            yield torii
        except Exception as error:
            if words := torii.last_words():  # then whatever failed did so for this
                raise DidNotStart(words) from error
            raise
        finally:
            torii.stop()


def in_throwaway(module: str, products: int, arguments: Sequence[str]) -> int:
    """Run `python -m module --here …` beside a throwaway marketplace, whose settings it finds; how it ended."""
    with throwaway(products) as torii:
        torii.start("cold")
        command = [sys.executable, "-m", module, "--here", *arguments]
        return subprocess.run(command, cwd=torii.folder, env=torii.environment, check=False).returncode
