"""A clock for tests."""

from datetime import UTC, datetime, timedelta


class Watch:
    """Stands still until it is wound on."""

    def __init__(self, time: datetime = datetime(2026, 4, 1, 12, 30, 15, 123456, tzinfo=UTC)) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time

    def wind(self, by: timedelta) -> None:
        self.time += by


class Seconds:
    """A clock that never goes back, and goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
