"""Where a process's CPU goes, by part of the program: its stack is looked at after each millisecond of CPU.

What is written in C is its caller's; what the event loop does by itself, sockets and their protocols, has no caller.
"""

import signal
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
EVERY_S = 0.001
LOOP = "event loop, sockets"
OWN = ("engine", "adapters", "resolvers", "domain", "composition", "schema")


def part_of(frame: FrameType | None) -> str:
    """The folder of the project that is at work, or the package that it has called; the bench itself is the loop."""
    installed, standard = sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(installed):
            package = Path(name).relative_to(installed).parts[0]
            return LOOP if package == "uvloop" else package
        if name == "<plan>":
            return "engine/compiled"
        if name.startswith(str(ROOT)) and not name.startswith(standard):
            folders = Path(name).relative_to(ROOT).parts
            if folders[0] in OWN:
                return "/".join(folders[:2])
            return LOOP if folders[0] == "bench" else folders[0]
        frame = frame.f_back
    return LOOP


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Samples by part, while it is open. In the main thread alone."""
    found: Counter[str] = Counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        found[part_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
