"""When things happened in the demo marketplace. There is no `now` in it: it ends at a fixed moment."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

REFERENCE = datetime(2026, 10, 31, 15, tzinfo=UTC)
"""The present of the demo: midnight of 1 November 2026 in Japan."""

OPENED = datetime(2021, 4, 1, 1, tzinfo=UTC)
"""The day the marketplace began: sellers signed up from then on."""
USERS_FROM, USERS_DAYS = datetime(2022, 1, 9, 15, tzinfo=UTC), 730
"""Users joined within these days, all before the first product they may have bought or reviewed."""
PRODUCT_DAYS = 1_000
"""The oldest product was listed so many days before the reference."""
ORDER_DAYS = 364

ORDER_MONTHS: Sequence[date] = [
    *[date(2025, month, 1) for month in (11, 12)],
    *[date(2026, month, 1) for month in range(1, 13)],
    date(2027, 1, 1),
]
"""The months that orders fall in, the reference's own, and the two after it."""


def waking_hour(random: Random, days_before: int) -> datetime:
    """A moment between 7 and 24 o'clock in Japan, so many days before the reference."""
    return REFERENCE - timedelta(days=days_before + 1) + timedelta(seconds=random.randrange(7 * 3600, 24 * 3600))


def between(random: Random, start: datetime, end: datetime) -> datetime:
    """A moment from start to end, to the second."""
    return start + timedelta(seconds=int((end - start).total_seconds() * random.random()))
