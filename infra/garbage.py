"""How often a process that answers requests looks for garbage in cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

GARBAGE = 10_000
"""Objects more than before, at which those in cycles are looked for: requests under way have as many as Python would wait for."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is there now stays: a full collection that walks it again and again costs a feed a third of its time."""
    is_outermost = not gc.get_freeze_count()
    gc.collect()
    gc.freeze()
    usual = gc.get_threshold()
    gc.set_threshold(GARBAGE, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        if is_outermost:
            gc.unfreeze()
