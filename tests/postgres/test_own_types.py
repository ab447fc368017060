"""UUIDs as the gateway's reads send and take them: each made once, and no more of them kept than there is room for."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import ARRAY, Uuid, bindparam, cast, literal_column, select

from adapters.postgres import reading
from adapters.postgres.database import Database
from adapters.postgres.reading import KNOWN, Known, Prepared

ONE, MANY = (
    Prepared(select(cast(bindparam("id", type_=Uuid), Uuid))),
    Prepared(select(cast(bindparam("ids", type_=ARRAY(Uuid)), ARRAY(Uuid)), literal_column("NULL::uuid"))),
)


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
    monkeypatch.setattr(reading, "MAX_UUIDS", 3)
    known, raw = Known(), [uuid4().bytes for _ in range(7)]
    made = [known[each] for each in raw]
    assert [each.bytes for each in made] == raw
    assert 0 < len(known) <= 3
    assert known[raw[-1]] is made[-1]


def test_they_are_equal_to_those_of_the_standard_library() -> None:
    key = uuid4()
    assert KNOWN[key.bytes] == key
    assert hash(KNOWN[key.bytes]) == hash(key)
