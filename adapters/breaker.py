"""A circuit breaker: a back end that keeps failing is left alone for a while, instead of costing every request a timeout."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FAILURES_TO_OPEN = 5
OPEN_FOR_S = 30.0
APART_S = 0.05
"""Failures closer together than this are one: a stall of our own process fails many calls at the same moment."""


class Breaker:
    """Opens after five failures in a row, each at a moment of its own.

    Half a minute later one call may try, and closes it or opens it again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._try_at = 0.0
        self._failed_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether to leave the back end alone. A caller who is told no owes a `succeeded` or `failed`."""
        if self._failures < FAILURES_TO_OPEN:
            return False
        now = self._clock()
        if now < self._try_at:
            return True
        self._try_at = now + OPEN_FOR_S  # this caller tries; the others go on waiting
        return False

    @property
    def has_opened(self) -> bool:
        """Whether it has failed so often that it is left alone, but for a try now and then."""
        return self._failures >= FAILURES_TO_OPEN

    @contextmanager
    def watching(self, slow_s: float, is_outage: Callable[[Exception], bool]) -> Iterator[None]:
        """Around one call: tells how it went. Any other error than an outage is an answer, so the back end is there.

        A call that its caller gave up after `slow_s` or longer is held against the back end.
        """
        began = time.monotonic()
        try:
            yield
        except asyncio.CancelledError:
            if time.monotonic() - began >= slow_s:
                self.failed()
            raise
        except Exception as error:
            if is_outage(error):
                self.failed()
            else:
                self.succeeded()
            raise
        self.succeeded()

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        now = self._clock()
        if self._failures < FAILURES_TO_OPEN and now - self._failed_at < APART_S:
            return
        self._failed_at = now
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._try_at = now + OPEN_FOR_S
