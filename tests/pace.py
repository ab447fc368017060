"""How fast this machine is at the moment: limits in milliseconds of processor are those of a usual one."""

import time

LOOPS = 200_000
USUAL_S = 0.012
"""What so many loops take on a machine of the kind that the limits are told of."""


SLOWEST = 3.0
"""Times as long: on a machine that is slower yet, limits are not met."""


def times_as_long() -> float:
    """How many times as long as usual Python takes here and now; 1 where it is as fast, or faster."""
    return min(SLOWEST, max(1.0, min(_loops_s() for _ in range(3)) / USUAL_S))


def _loops_s() -> float:
    began = time.perf_counter()
    total = 0
    for each in range(LOOPS):
        total += each
    return time.perf_counter() - began
