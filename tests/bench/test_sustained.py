"""`python -m bench.sustained`: twenty seconds of what takes an hour in `make torture`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.bench
def test_a_gateway_under_load_keeps_its_memory(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    options = ("--seconds", "20", "--connections", "16", "--products", "600", "--json", str(file))
    command = [sys.executable, "-m", "bench.sustained", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    found = json.loads(file.read_text())
    [load] = found["slices"]
    assert load["seconds"] >= 19
    assert load["requests"] > 0
    warm, after = found["memory"]
    assert warm > 0
    assert after - warm <= 20
    assert "public feeds a second: " in done.stdout
