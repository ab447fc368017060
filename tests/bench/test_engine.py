"""`python -m bench.engine`: engines beside each other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.engine import NAMES, WrongAnswer, check, runs
from bench.peers import packages

ROOT = Path(__file__).parents[2]


async def test_the_engines_of_python_give_equal_answers_and_different_ones_are_refused() -> None:
    own = runs()
    await check(own, None)

    async def other() -> bytes:
        return b'{"data":{}}'

    with pytest.raises(WrongAnswer, match="plan"):
        await check(own | {"plan": other}, None)


@pytest.mark.bench
def test_engines_are_compared_and_measured() -> None:
    try:
        packages.installed(print)
    except packages.NoNode as reason:
        pytest.skip(str(reason))
    command = [sys.executable, "-m", "bench.engine", "--turns", "2", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"plan", "executor", "core", "strawberry", *NAMES}
    assert 0 < found["plan"] < found["core"]
