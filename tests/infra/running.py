"""`torii up` as a person runs it: a real process, on a folder and port of its own, with a tiny gateway."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.embedded.ports import LOWEST, is_free

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0

# Starts in no time, so that these tests are about the supervisor.
HEALTHY_GATEWAY = """
async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})

def create_app(settings, draining):
    return answer
"""
BROKEN_GATEWAY = "raise RuntimeError('no such table: products')"
NO_STEPS = "steps = []"
UP = """
{steps}
import signal, sys, cli
from commands import starting
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may be in the background of a shell
starting.steps = lambda settings, clock: steps
sys.argv = ['torii', 'up']
cli.main()
"""
LEAD = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may be under nohup
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Becomes what it is given, as the leader of a session on the terminal that is its standard input."""


@dataclass
class Torii:
    """A `torii up` that was started."""

    process: subprocess.Popen[str]
    data_dir: Path
    port: int
    said: Path

    def output(self) -> str:
        return self.said.read_text()

    def wait_until_up(self) -> None:
        until(lambda: "Torii is up" in self.output() or self.process.poll() is not None, "torii is up")
        assert self.process.poll() is None, self.output()

    def wait_until_ended(self) -> int:
        return self.process.wait(PATIENCE_S)

    def children(self) -> dict[str, psutil.Process]:
        return {child.stem: psutil.Process(int(child.read_text())) for child in (self.data_dir / "run").glob("*.pid")}


def start(
    folder: Path,
    data_dir: Path,
    port: int,
    gateway: str = HEALTHY_GATEWAY,
    *,
    steps: str = NO_STEPS,
    terminal: int | None = None,
) -> Torii:
    """`steps`: a program that says what comes between the back ends and the gateway, as `steps`.

    `terminal`: run it by make there, as in a terminal window that was opened for it.
    """
    stand_in = folder / "gateway"
    stand_in.mkdir(exist_ok=True)
    (stand_in / "gateway.py").write_text(gateway)
    said = folder / f"said-{time.monotonic_ns()}.txt"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TORII_", "AWS_"))},
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "PYTHONPATH": f"{stand_in}{os.pathsep}{ROOT}",
        "COLUMNS": "200",
    }
    (folder / "up.py").write_text(UP.format(steps=steps))
    (folder / "Makefile").write_text(f"run:\n\t@exec {sys.executable} up.py\n")
    up = [sys.executable, "up.py"] if terminal is None else [sys.executable, "-c", LEAD, "make"]
    with said.open("w") as output:
        process = subprocess.Popen(
            up,
            cwd=folder,
            env=environment,
            stdin=terminal,
            stdout=output if terminal is None else terminal,
            stderr=output if terminal is None else terminal,
            start_new_session=terminal is not None,
            text=True,
        )
    return Torii(process, data_dir, port, said)


def processes_on(data_dir: Path) -> list[str]:
    """Whoever has the folder in its command line: a back end that was left behind."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any(str(data_dir) in argument for argument in command):
            found.append(" ".join(command))
    return found


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition that other processes bring about."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


def free_port() -> int:
    return next(port for port in range(LOWEST + os.getpid() % 10_000, 32_000) if is_free(port))
