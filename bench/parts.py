"""The processes that are measured, by the part they belong to: what memory and CPU they take, and on which cores they run."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

Pids = Mapping[str, int]
"""The first process of each part; its descendants belong to it, unless they are a part of their own."""

OTHERS = "others"
"""Whatever else runs on this machine."""


def processes(pids: Pids) -> dict[str, list[psutil.Process]]:
    """Every process of each part that runs now. Looks at all processes of the machine once: whoever asks does nothing else meanwhile."""
    running: dict[int, psutil.Process] = {}
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        running[process.pid] = process
        children.setdefault(process.info["ppid"], []).append(process.pid)
    apart = set(pids.values())
    return {
        name: [running[each] for each in (pid, *_descendants(pid, children, apart))]
        for name, pid in pids.items()
        if pid in running
    }


def cpu_seconds(pids: Pids) -> dict[str, float]:
    """CPU time of each part so far, to 10 ms; `others` has the machine's remaining busy time."""
    spent = {name: sum(map(_cpu_of, members)) for name, members in processes(pids).items()}
    machine = psutil.cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0)
    return {**spent, OTHERS: busy - sum(spent.values())}


def memory_mib(pids: Pids) -> dict[str, float]:
    """Memory of each part: its proportional share, so that pages which processes share are counted once."""
    return {name: sum(map(_pss, members)) / 2**20 for name, members in processes(pids).items()}


def pin(pids: Sequence[int], cores: set[int]) -> None:
    """Keep these processes, with all their threads and what they start from now on, to `cores`."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def split_cores() -> tuple[set[int], set[int]] | None:
    """One core for the gateway and the others for the rest; None where there is but one, or no way to choose."""
    if not hasattr(os, "sched_setaffinity") or not Path("/proc/self/task").exists():
        return None
    first, *rest = sorted(os.sched_getaffinity(0))
    return ({first}, set(rest)) if rest else None


def listener(port: int) -> int | None:
    """Who listens on a port of this machine; None when we may not know."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    pids = [each.pid for each in connections if each.status == psutil.CONN_LISTEN and each.laddr.port == port]
    return next(filter(None, pids), None)


def _descendants(root: int, children: Mapping[int, Sequence[int]], apart_from: set[int]) -> list[int]:
    own = [child for child in children.get(root, ()) if child not in apart_from]
    return own + [each for child in own for each in _descendants(child, children, apart_from)]


def _cpu_of(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _pss(process: psutil.Process) -> int:
    """Bytes. Where the kernel does not tell the share, all that is resident."""
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{process.pid}/smaps_rollup").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
