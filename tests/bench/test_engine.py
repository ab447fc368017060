"""`python -m bench.engine`: engines beside each other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import fallbacks
from bench.engine import NAMES, WrongAnswer, check, runs
from bench.engines.ours import ByExecutor
from bench.peers import packages
from engine.compiled.reasons import Reason
from engine.watching import probe
from schema.build import build_schema

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


async def test_nothing_is_noted_of_a_run_that_nobody_asks_about(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ByExecutor()
    await executor.body()

    def made(*_: object) -> None:
        raise AssertionError("a span")

    monkeypatch.setattr(probe, "Span", made)
    await executor.body()
    with pytest.raises(AssertionError, match="a span"):
        probe.Probe()


def test_plans_are_made_of_the_projects_own_operations() -> None:
    operations = list(fallbacks.found(build_schema()._schema))
    assert len(operations) > 150
    assert {each.reason for each in operations} <= {None, Reason.DESCRIPTION}
