"""Child processes: how they end, what they leave, whom a new start ends."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.embedded.data_dir import DataDir
from infra.embedded.leftovers import end_leftovers
from infra.embedded.process import LAST_LINES, Part, Program, fresh_log, python, run, spawn
from infra.embedded.refusals import PartDied
from tests.infra.running import until

DEAF = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
PARENT = """
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from infra.embedded.process import Program, python, spawn
here = Path(sys.argv[1])
part = spawn(Program("child", python("-c", "import signal; signal.pause()")), here, here)
print(part.pid, flush=True)
import signal; signal.pause()
"""


Waiting = Callable[..., subprocess.Popen[bytes]]
"""Starts a process that does nothing until it is ended; takes words for its command line."""


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()", *words]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def child(folder: Path, code: str, **options: float) -> Part:
    return spawn(Program("child", python("-u", "-c", code), **options), folder, folder)  # type: ignore[arg-type]


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert parent.stdout is not None
    orphan = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE, "the child has ended")


async def test_a_child_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    part = child(tmp_path, DEAF, stop_timeout_s=0.1)
    until(lambda: part.last_lines() == ["deaf"], "it ignores the signal")
    await part.stop()
    assert not part.runs
    assert not (tmp_path / "child.pid").exists()


async def test_a_failure_is_told_with_its_last_lines(tmp_path: Path) -> None:
    code = "for n in range(20): print('line', n)\nraise SystemExit(3)"
    with pytest.raises(PartDied, match="child ended with status 3; its log is") as refused:
        await run(Program("child", python("-c", code)), tmp_path, tmp_path)
    lines = str(refused.value).splitlines()
    assert len(lines) == 1 + LAST_LINES
    assert lines[-1].strip() == "line 19"


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PartDied, match=r"cannot start /nowhere/server \(itself\): .*No such file"):
        await run(Program("server", ("/nowhere/server",)), tmp_path, tmp_path)


def test_a_folder_holds_two_logs_of_a_part_at_most(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    for text in ("first", "second", "third"):
        fresh_log(log).write_text(text)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"part.log": "third", "part.1.log": "second"}


def test_leftovers_are_ended_and_a_stranger_with_their_pid_is_spared(tmp_path: Path, waiting: Waiting) -> None:
    data_dir = DataDir(tmp_path)
    data_dir.acquire()
    ours, stranger = waiting(str(tmp_path)), waiting()
    (data_dir.run / "valkey.pid").write_text(str(ours.pid))
    (data_dir.run / "aws.pid").write_text(str(stranger.pid))

    assert end_leftovers(data_dir) == ["valkey"]

    assert not psutil.pid_exists(ours.pid)
    assert stranger.poll() is None
    assert list(data_dir.run.iterdir()) == []
    data_dir.release()
