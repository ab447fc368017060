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
