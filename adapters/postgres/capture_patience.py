"""How long the server may take to read the log: longer each time that was too short, for it reads a whole transaction at a time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from domain.capture.ports import CaptureStuck

log = logging.getLogger("torii.capture")

MOST_S = 4 * 3600.0
"""Some hundred million rows."""


class Patience:
    """A limit in seconds that doubles, up to a bound, when it ran out, and is the first one again when it was enough."""

    def __init__(self, first_s: float, most_s: float = MOST_S) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self.limit_s = first_s

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around what has `limit_s`. Raises TimeoutError where that ran out and is longer now, CaptureStuck where it cannot be."""
        try:
            yield
        except TimeoutError as error:
            if self.limit_s >= self._most_s:
                raise CaptureStuck(self._most_s) from error
            self.limit_s = min(self.limit_s * 2, self._most_s)
            log.warning(
                "the database did not get through its log in time, as after a transaction of millions of rows: it gets"
                " %g s now. Nothing is lost as long as it holds the log: see `torii capture status`",
                self.limit_s,
            )
            raise

    def was_enough(self) -> None:
        self.limit_s = self._first_s
