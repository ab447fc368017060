"""`run.env`: how other commands find the back ends that a running `torii up` started."""

from collections.abc import Mapping
from pathlib import Path

from infra.embedded.data_dir import DataDir, is_held


def write(data_dir: DataDir, environment: Mapping[str, str]) -> None:
    """Write it whole or not at all; it has passwords, so it is for us alone."""
    half = data_dir.run_env.with_suffix(".new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text("".join(f"{name}='{_escaped(value)}'\n" for name, value in environment.items()))
    half.replace(data_dir.run_env)


def remove_if_stale(data_dir: Path) -> None:
    """Remove what a torii that was killed with -9 left: its lock is free, so its addresses lead nowhere."""
    file = DataDir(data_dir).run_env
    if file.exists() and not is_held(data_dir):
        file.unlink(missing_ok=True)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
