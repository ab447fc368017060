"""`python -m bench`, whole and tiny."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.torii import DidNotStart, throwaway

ROOT = Path(__file__).parents[2]
TINY = ("--products", "200", "--seconds", "0.5", "--connections", "2")


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.bench
def test_starts_a_marketplace_measures_it_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    parts = ("memory", "lookups", "health", "feed")
    done = bench(*TINY, *(option for part in parts for option in ("--only", part)), "--json", str(file))
    assert done.returncode == 0, done.stderr

    found = json.loads(file.read_text())
    assert [load["operation"] for load in found["loaded"]] == ["health", "feed"]
    assert all(load["requests"] > 0 and load["cpu_s"]["gateway"] > 0 for load in found["loaded"])
    assert {"gateway", "worker", "supervisor", "postgres", "valkey", "aws", "stripe"} == set(found["memory_idle"])
    assert found["lookups"]["feed"]["cold"]["SQL"] > found["lookups"]["feed"]["warm"]["SQL"]
    assert found["starts"][0]["seconds"] > 0
    assert "feed of 20" in done.stdout
    folder = done.stderr.split(", in ", 1)[1].split("\n", 1)[0]
    assert not Path(folder).exists()


@pytest.mark.bench
def test_says_that_the_marketplace_ended_where_that_is_why_nothing_answers() -> None:
    with pytest.raises(DidNotStart, match=r"(?s)torii up ended by itself:.*worker"), throwaway(200) as torii:  # noqa: PT012
        torii.start("cold")
        pids = torii.pids()
        os.kill(pids["worker"], signal.SIGKILL)
        psutil.Process(pids["supervisor"]).wait(60)
        raise ConnectionError("nobody answers")


def test_measures_nothing_but_this_machine() -> None:
    done = bench("--url", "http://example.com:8000")
    assert done.returncode == 1
    assert "http://example.com:8000 is not on this machine" in done.stderr


@pytest.mark.bench
def test_says_what_the_guard_costs_and_how_often_it_asks_redis() -> None:
    command = [sys.executable, "-m", "bench.guard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = {
        cells[0].strip(): cells[1:]
        for line in done.stdout.splitlines()
        if len(cells := line.strip("│ ").split("│")) in (2, 3)
    }
    assert 0 < float(rows["who asks: all in process"][0]) < float(rows["who asks: session from Redis"][0])
    for who in ("signed in", "anonymous"):
        on, off = (float(rows[f"{who}, rate limits {state}"][1]) for state in ("on", "off"))
        assert round(on - off) == 1, "the rate limits' one; who asks is known"
        assert round(off) == 0, "the product is a fragment that the process has"
