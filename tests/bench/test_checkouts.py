"""`python -m bench.checkouts`, with fewer buyers."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.bench
def test_eight_buyers_check_out() -> None:
    """How fast is what it measures, on a machine that does nothing else."""
    command = [sys.executable, "-m", "bench.checkouts", "--buyers", "8", "--each", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "16 checkouts by 8 buyers at once: " in done.stdout
