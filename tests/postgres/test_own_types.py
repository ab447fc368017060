"""UUIDs and moments as the gateway's reads send and take them: each made once, and no more kept than there is room for."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, cast, literal_column, select
from sqlalchemy.exc import DBAPIError

from adapters.postgres import own_types
from adapters.postgres.database import Database
from adapters.postgres.own_types import UUIDS, Kept
from adapters.postgres.reading import Prepared

ONE, MANY = (
    Prepared(select(cast(bindparam("id", type_=Uuid), Uuid))),
    Prepared(select(cast(bindparam("ids", type_=ARRAY(Uuid)), ARRAY(Uuid)), literal_column("NULL::uuid"))),
)
MOMENT = DateTime(timezone=True)
AT = Prepared(select(cast(bindparam("at", type_=MOMENT), MOMENT), cast(bindparam("at", type_=MOMENT), MOMENT)))
ENDS = Prepared(select(literal_column("'infinity'::timestamptz"), literal_column("'-infinity'::timestamptz")))


async def test_what_is_sent_comes_back(database: Database) -> None:
    key = uuid4()
    [[found]] = await database.public(ONE, {"id": key})
    assert found == key
    assert isinstance(found, UUID)
    [[many, nothing]] = await database.public(MANY, {"ids": [key, None, uuid4(), key]})
    assert [many[0], many[1], many[3], nothing] == [key, None, key, None]
    assert many[0] is found


async def test_a_text_is_taken_for_the_uuid_it_spells(database: Database) -> None:
    key = uuid4()
    [[found]] = await database.reader.rows(ONE, {"id": str(key)})
    assert found == key
    assert (await database.reader.rows(ONE, {"id": None}))[0][0] is None


def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_types, "MOST", 3)
    known, raw = Kept(lambda raw: UUID(bytes=raw)), [uuid4().bytes for _ in range(7)]
    made = [known[each] for each in raw]
    assert [each.bytes for each in made] == raw
    assert 0 < len(known) <= 3
    assert known[raw[-1]] is made[-1]


def test_they_are_equal_to_those_of_the_standard_library() -> None:
    key = uuid4()
    assert UUIDS[key.bytes] == key
    assert hash(UUIDS[key.bytes]) == hash(key)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=9))),
    ],
)
async def test_a_moment_comes_back_to_the_microsecond_in_utc(database: Database, moment: datetime) -> None:
    [[found, again]] = await database.public(AT, {"at": moment})
    assert found == moment
    assert found.tzinfo is UTC
    assert again is found


async def test_no_moment_is_none_and_one_without_a_zone_is_refused(database: Database) -> None:
    assert list((await database.public(AT, {"at": None}))[0]) == [None, None]
    with pytest.raises(DBAPIError):
        await database.public(AT, {"at": datetime(2026, 3, 1)})
    with pytest.raises(DBAPIError):
        await database.public(AT, {"at": date(2026, 3, 1)})


async def test_what_has_no_end_is_the_last_moment_there_is(database: Database) -> None:
    assert list((await database.public(ENDS))[0]) == [datetime.max, datetime.min]


@pytest.mark.parametrize("year", ["'0001-01-01 BC'", "'294276-01-01'"])
async def test_a_moment_that_python_has_no_year_for_is_refused(database: Database, year: str) -> None:
    with pytest.raises(OverflowError):
        await database.public(Prepared(select(literal_column(f"{year}::timestamptz"))))
