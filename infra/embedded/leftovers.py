"""Ending what an earlier torii, killed with -9, left running: still winding down, or told nothing by its kernel."""

import signal
from contextlib import suppress
from pathlib import Path

import psutil

from infra.embedded.data_dir import DataDir

PATIENCE_S = 10.0


def end_leftovers(data_dir: DataDir) -> list[str]:
    """End the processes named by pid files and give their names. The caller holds the folder's lock."""
    ours: dict[str, psutil.Process] = {}
    for pid_file in sorted(data_dir.run.glob("*.pid")):
        process = _process(pid_file)
        if process is not None and _is_ours(process, data_dir.path):
            ours[pid_file.stem] = process
    for name, process in ours.items():
        with suppress(psutil.NoSuchProcess):
            # SIGINT is PostgreSQL's fast shutdown; everything else of ours takes SIGTERM
            process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(list(ours.values()), timeout=PATIENCE_S)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=PATIENCE_S)
    for pid_file in data_dir.run.glob("*.pid"):
        pid_file.unlink(missing_ok=True)
    return list(ours)


def _process(pid_file: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int(pid_file.read_text()))
    except (ValueError, psutil.NoSuchProcess):
        return None


def _is_ours(process: psutil.Process, data_dir: Path) -> bool:
    """A pid may have been given to someone else since: ours has the data folder in its command line or environment."""
    try:
        return any(str(data_dir) in argument for argument in process.cmdline()) or process.environ().get(
            "TORII_DATA_DIR"
        ) == str(data_dir)
    except psutil.Error:
        return False
