"""`python -m bench.live`, with fewer subscribers."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.bench
def test_events_come_to_two_hundred() -> None:
    """How fast is what it measures, on a machine that does nothing else."""
    options = ("--subscribers", "200", "--orders", "200", "--events", "200", "--goal-ms", "60000")
    command = [sys.executable, "-m", "bench.live", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "200 messages to 200 subscribers: p50 " in done.stdout
