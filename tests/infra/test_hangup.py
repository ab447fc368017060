"""Closing the terminal: what was started on it stops, unless it was told to outlive it."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.infra.running import LEAD, PATIENCE_S, ROOT, free_port, processes_on, start, until

WATCH = """
import asyncio, os, signal, subprocess, sys
from infra.hangup import told_of_hangup

async def main(how, go):
    # without the signal, as whoever is not the leader of the session
    signal.signal(signal.SIGHUP, signal.SIG_IGN if how == "nohup" else lambda *_: None)
    if how == "background":  # somebody else is in the foreground
        somebody = subprocess.Popen([sys.executable, "-c", "input()"], process_group=0)
        os.tcsetpgrp(0, somebody.pid)
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(go, lambda: (loop.remove_reader(go), print("goes on", flush=True), over.set()))
    with told_of_hangup(lambda: (print("hung up", flush=True), over.set())):
        print("watches", flush=True)
        await over.wait()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.fixture
def terminal() -> tuple[int, int]:
    """Our end, whose closing hangs it up, and the other; a test closes both."""
    ours, theirs = os.openpty()
    return ours, theirs


@pytest.mark.parametrize(("how", "said"), [("foreground", "hung up"), ("nohup", "goes on"), ("background", "goes on")])
def test_a_hangup_is_told_in_the_foreground_only_and_not_under_nohup(
    terminal: tuple[int, int], how: str, said: str
) -> None:
    ours, theirs = terminal
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", LEAD, sys.executable, "-c", WATCH, how, str(read)],
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=[read],
    )
    os.close(theirs)
    os.close(read)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watches\n"
        os.close(ours)
        if how == "foreground":
            assert process.stdout.readline() == f"{said}\n"  # by that alone
        os.close(write)  # had it been told of the hang-up, then before this
        assert how == "foreground" or process.stdout.read() == f"{said}\n"
        assert process.wait(PATIENCE_S) == 0


def test_closing_the_terminal_of_make_stops_all_of_it(terminal: tuple[int, int], tmp_path: Path) -> None:
    ours, theirs = terminal
    torii = start(tmp_path, tmp_path / "data", free_port(), terminal=theirs)
    os.close(theirs)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{torii.port}/health", timeout=30) as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False

    until(answers, "the gateway answers")
    os.close(ours)
    torii.wait_until_ended()
    until(lambda: not processes_on(torii.data_dir), "every back end has ended")
    assert not (torii.data_dir / "run.env").exists()  # it stopped in good order
