"""What `torii up` does before the gateway serves, and how often."""

from datetime import UTC, datetime, timedelta

from commands.starting import steps
from settings import Settings
from tests.watch import Watch


def test_the_tables_step_comes_again_in_a_new_month_and_no_sooner(settings: Settings) -> None:
    """It makes the partitions of the next two months: a folder that is used for years has them ahead of time."""
    watch = Watch(datetime(2026, 11, 1, tzinfo=UTC))
    november = steps(settings, watch)[1]
    assert november.once
    watch.wind(timedelta(days=30) - timedelta(seconds=1))
    assert steps(settings, watch)[1].name == november.name
    watch.wind(timedelta(seconds=1))
    december = steps(settings, watch)[1]
    assert december.name != november.name
    assert december.command == november.command
    assert december.command[-1] == "migrate"


def test_the_demo_shop_does_the_tables_along_with_its_own(settings: Settings) -> None:
    demo, tables, _ = steps(settings, Watch())
    assert demo.does == (tables.name,)
