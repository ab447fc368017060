"""Child processes that die with us, keep to their own log, and can say why they ended."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Never

from infra.embedded.refusals import PartDied

LAUNCH = Path(__file__).with_name("launch.py")
POLL_S = 0.02
WATCH_EVERY_S = 0.1
LAST_LINES = 8
LONGEST_LINE = 400


class RunAs(StrEnum):
    """Who a child is. launch.py says how each comes about."""

    ITSELF = "itself"
    USER_NAMESPACE = "namespace"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Program:
    """What to start and how to end it.

    `stop_signal` is also sent by the kernel when we die. `environment` is put over ours; None takes a variable away.
    """

    name: str
    command: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    environment: Mapping[str, str | None] = field(default_factory=dict)
    run_as: RunAs = RunAs.ITSELF
    folder: Path | None = None
    to_terminal: bool = False
    wants_input: bool = False


class Part:
    """A running child."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes], log: Path | None, pid_file: Path) -> None:
        self.program = program
        self.log = log
        self._process = process
        self._pid_file = pid_file

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def raise_if_dead(self) -> None:
        """Raises PartDied, with what it said last."""
        status = self._process.poll()
        if status is not None:
            raise PartDied(self.name, status, self.log, self.last_lines())

    def last_lines(self) -> list[str]:
        if self.log is None or not self.log.exists():
            return []
        return [line[:LONGEST_LINE] for line in _tail(self.log).splitlines() if line.strip()][-LAST_LINES:]

    def tell(self, text: str) -> None:
        """Write to the child's standard input and close it. A child that has gone is noticed by whoever watches it."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as stdin:
                stdin.write(text.encode())

    async def finished(self) -> int:
        """Wait for the child to end by itself and give its status."""
        while (status := self._process.poll()) is None:  # noqa: ASYNC110 -- an event would need a thread a child
            await asyncio.sleep(POLL_S)
        self._forget()
        return status

    async def stop(self, timeout_s: float | None = None) -> None:
        """Ask it to end, and kill it and what it started after `timeout_s` (default: the program's)."""
        if self.runs:
            self._process.send_signal(self.program.stop_signal)
            allowed = self.program.stop_timeout_s if timeout_s is None else timeout_s
            try:
                await asyncio.wait_for(self.finished(), allowed)
            except TimeoutError:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """End it, and its process group, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._pid_file.unlink(missing_ok=True)


def spawn(program: Program, log_dir: Path, pid_dir: Path) -> Part:
    """Start `program` in a session of its own, so that the terminal's Ctrl-C reaches only us.

    Call it from a thread that outlives the child: Linux sends the death signal when that thread ends.
    """
    log = None if program.to_terminal else fresh_log(log_dir / f"{program.name}.log")
    environment = {**os.environ, **program.environment}
    launch = launched(program.command, program.stop_signal, program.run_as)
    with (log or Path(os.devnull)).open("ab") as output:
        process = subprocess.Popen(
            launch,
            stdin=subprocess.PIPE if program.wants_input else subprocess.DEVNULL,
            stdout=None if program.to_terminal else output,
            stderr=None if program.to_terminal else output,
            cwd=program.folder,
            env={name: value for name, value in environment.items() if value is not None},
            start_new_session=True,
        )
    pid_file = pid_dir / f"{program.name}.pid"
    pid_file.write_text(str(process.pid))
    return Part(program, process, log, pid_file)


async def run(program: Program, log_dir: Path, pid_dir: Path) -> None:
    """Run `program` to its end. Raises PartDied unless its status is 0."""
    part = spawn(program, log_dir, pid_dir)
    try:
        status = await part.finished()
    finally:
        await part.stop()
    if status != 0:
        raise PartDied(part.name, status, part.log, part.last_lines())


def fresh_log(log: Path) -> Path:
    """Begin a new log and keep the one before, so that two starts are the most that a folder holds."""
    if log.exists() and log.stat().st_size:
        log.replace(log.with_suffix(".1.log"))
    log.touch(mode=0o600)
    return log


def _tail(log: Path, size: int = 16_384) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode(errors="replace")


def launched(command: Sequence[str], death_signal: signal.Signals, run_as: RunAs) -> tuple[str, ...]:
    """`command` by way of launch.py."""
    return python("-I", "-S", str(LAUNCH), str(os.getpid()), str(int(death_signal)), run_as.value, *command)


def python(*arguments: str) -> tuple[str, ...]:
    """Command line of our own interpreter."""
    return (sys.executable, *arguments)


async def while_running(parts: Sequence[Part], work: Coroutine[None, None, None]) -> None:
    """Do `work`, but give it up as soon as one of `parts` ends by itself. Raises PartDied."""
    watching, working = asyncio.create_task(watch(parts)), asyncio.create_task(work)
    try:
        await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (watching, working):
            task.cancel()
        await asyncio.wait({watching, working})
    if not watching.cancelled():
        watching.result()
    working.result()


async def watch(parts: Sequence[Part]) -> Never:
    """Wait until one of them ends by itself. Raises PartDied."""
    while True:
        for part in parts:
            part.raise_if_dead()
        await asyncio.sleep(WATCH_EVERY_S)
