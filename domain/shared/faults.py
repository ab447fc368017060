"""What is kept of something that failed, where its own words might hold what is nobody's business."""

import traceback
from pathlib import Path

LONGEST = 300


def named(problem: BaseException) -> str:
    """The type of the exception, and where it came from."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(problem).__qualname__}{place}"[:LONGEST]
