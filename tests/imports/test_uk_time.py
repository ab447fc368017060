from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from domain.imports.uk_time import utc_of


def test_winter_time_is_utc() -> None:
    assert utc_of(datetime(2009, 12, 1, 7, 45)) == datetime(2009, 12, 1, 7, 45, tzinfo=UTC)


def test_summer_time_is_an_hour_ahead_of_utc() -> None:
    assert utc_of(datetime(2010, 7, 1, 0, 30)) == datetime(2010, 6, 30, 23, 30, tzinfo=UTC)


def test_hour_that_comes_twice_is_its_first() -> None:
    assert utc_of(datetime(2010, 10, 31, 1, 30)) == datetime(2010, 10, 31, 0, 30, tzinfo=UTC)
    assert utc_of(datetime(2010, 10, 31, 2, 0)) == datetime(2010, 10, 31, 2, 0, tzinfo=UTC)


def test_hour_that_is_skipped_is_read_as_winter_time() -> None:
    assert utc_of(datetime(2010, 3, 28, 1, 30)) == datetime(2010, 3, 28, 1, 30, tzinfo=UTC)
    assert utc_of(datetime(2010, 3, 28, 2, 0)) == datetime(2010, 3, 28, 1, 0, tzinfo=UTC)


def test_rule_agrees_with_the_time_zone_database() -> None:
    try:
        london = ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone database")
    for year in range(2000, 2020):
        for half_hour in range(366 * 48):
            local = datetime(year, 1, 1) + timedelta(minutes=30 * half_hour)
            if (local.month in (3, 10) and local.day >= 24) or local.hour == 12:
                assert utc_of(local) == local.replace(tzinfo=london).astimezone(UTC), local
