"""The time on a clock in the United Kingdom as UTC.

A rule instead of zoneinfo: slim machines have no time zone database, and this one has not changed since 1996
(Statutory Instrument 2002/262): summer time begins on the last Sunday of March and ends on the last of October,
both at 01:00 UTC. A test compares it with zoneinfo.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

SUMMER = timedelta(hours=1)
MARCH, OCTOBER = 3, 10


def utc_of(local: datetime) -> datetime:
    """The UTC time of a naive local one, from 1996 on.

    The hour that comes twice in October is its first, summer time; the one that is skipped in March is read as winter
    time. Both are what `fold=0` means in Python.
    """
    summer = _change(local.year, MARCH) <= local < _change(local.year, OCTOBER)
    return (local - SUMMER if summer else local).replace(tzinfo=UTC)


@cache
def _change(year: int, month: int) -> datetime:
    """02:00 on the last Sunday of a month of 31 days: in March the first, in October the last wall time it decides."""
    last = datetime(year, month, 31, 2)
    return last - timedelta(days=last.isoweekday() % 7)
