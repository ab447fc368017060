"""Reads that are asked for side by side are sent as one statement, and fare as each would by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, DateTime, Integer, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from adapters.postgres.batches import given_ids
from adapters.postgres.combining import COMBINE_AT, MOST_KEYS
from adapters.postgres.database import Database
from adapters.postgres.reading import Prepared, Reader
from domain.shared.refusals import Unavailable
from settings import Settings

SERIES = func.generate_series(1, bindparam("most", type_=Integer)).table_valued("number").render_derived()
NUMBERS = Prepared(select(SERIES.c.number).order_by(SERIES.c.number.desc()), by_place=True)
MOMENTS = Prepared(
    select(bindparam("moment", type_=DateTime(timezone=True)), bindparam("big", type_=BigInteger), literal(None)),
    by_place=True,
)
IDS = Prepared(select(func.unnest(given_ids())), by_place=True)
INVERSE = Prepared(select(literal(1, Integer) / bindparam("number", type_=Integer)), by_place=True)
NAP = Prepared(select(func.pg_sleep(bindparam("seconds", type_=Integer))), by_place=True)
DOCUMENT = Prepared(select(literal("{}").cast(JSONB)), by_place=True)
NOW = datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=UTC)
KEYS = [UUID(int=1), UUID(int=2**128 - 1)]
LIMIT_MS = 4_000


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=4, timeout_ms=LIMIT_MS, round_of=lambda: "these")
    yield database
    await database.close()


@contextmanager
def sent() -> Iterator[list[str]]:
    """The statements that go out meanwhile."""
    texts: list[str] = []
    read = Reader._read

    async def noted(reader: Reader, text: str, *rest: Any) -> Any:
        texts.append(text)
        return await read(reader, text, *rest)

    with patch.object(Reader, "_read", noted):
        yield texts


async def together(database: Database, *reads: tuple[Prepared, dict[str, Any]]) -> list[Any]:
    found = await asyncio.gather(*(database.fresh(*read) for read in reads), return_exceptions=True)
    return [each if isinstance(each, BaseException) else [tuple(row) for row in each] for each in found]


async def in_use(database: Database, *reads: tuple[Prepared, dict[str, Any]]) -> None:
    """Let them come so often that they are combined."""
    for _ in range(COMBINE_AT):
        await together(database, *reads)


async def test_a_combination_that_keeps_coming_is_one_statement_with_the_rows_of_each(database: Database) -> None:
    reads = (
        (NUMBERS, {"most": 3}),
        (MOMENTS, {"moment": NOW, "big": 2**40}),
        (NUMBERS, {"most": 0}),
        (IDS, {"ids": KEYS}),
    )
    with sent() as texts:
        for _ in range(COMBINE_AT + 1):
            found = await together(database, *reads)
            assert found == [[(3,), (2,), (1,)], [(NOW, 2**40, None)], [], [(key,) for key in KEYS]]
    assert len(texts) == (COMBINE_AT - 1) * len(reads) + 2


async def test_one_read_is_sent_as_it_is(database: Database) -> None:
    with sent() as texts:
        for _ in range(COMBINE_AT + 1):
            await together(database, (NUMBERS, {"most": 1}))
    assert set(texts) == {NUMBERS.text}


async def test_reads_without_a_round_are_never_combined(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    with sent() as texts:
        for _ in range(COMBINE_AT + 1):
            await together(database, (NUMBERS, {"most": 1}), (IDS, {"ids": KEYS}))
    await database.close()
    assert set(texts) == {NUMBERS.text, IDS.text}


async def test_what_is_long_or_has_json_goes_by_itself(database: Database) -> None:
    many = [UUID(int=number) for number in range(MOST_KEYS + 1)]
    reads = ((NUMBERS, {"most": 1}), (IDS, {"ids": many}), (DOCUMENT, {}))
    await in_use(database, *reads)
    with sent() as texts:
        numbers, ids, documents = await together(database, *reads)
    assert sorted(texts) == sorted([NUMBERS.text, IDS.text, DOCUMENT.text])
    assert (len(numbers), len(ids), documents) == (1, len(many), [({},)])


async def test_what_is_refused_fails_alone(database: Database) -> None:
    await in_use(database, (NUMBERS, {"most": 1}), (INVERSE, {"number": 1}))
    with sent() as texts:
        numbers, inverse = await together(database, (NUMBERS, {"most": 2}), (INVERSE, {"number": 0}))
    assert numbers == [(2,), (1,)]
    assert isinstance(inverse, DBAPIError)
    assert len(texts) == 3, "once as one, then each by itself"
    with sent() as texts:
        await together(database, (NUMBERS, {"most": 1}), (INVERSE, {"number": 1}))
    assert len(texts) == 2, "a combination that failed is left alone for a while"


async def test_a_value_that_does_not_fit_fails_alone(database: Database) -> None:
    await in_use(database, (NUMBERS, {"most": 1}), (INVERSE, {"number": 1}))
    numbers, inverse = await together(database, (NUMBERS, {"most": 2}), (INVERSE, {"number": "東京"}))
    assert numbers == [(2,), (1,)]
    assert isinstance(inverse, DBAPIError)
    assert "東京" not in str(inverse)


async def test_what_takes_too_long_fails_alone(database: Database) -> None:
    await in_use(database, (NUMBERS, {"most": 1}), (NAP, {"seconds": 0}))
    numbers, nap = await together(database, (NUMBERS, {"most": 2}), (NAP, {"seconds": 600}))
    assert numbers == [(2,), (1,)]
    assert isinstance(nap, Unavailable)


async def test_whoever_is_given_up_takes_nobody_along(database: Database) -> None:
    reads = ((NAP, {"seconds": 0}), (NUMBERS, {"most": 1}), (IDS, {"ids": KEYS}))
    await in_use(database, *reads)
    first, second, third = (
        asyncio.ensure_future(database.fresh(read, given)) for read, given in ((NAP, {"seconds": 600}), *reads[1:])
    )
    for _ in range(3):
        await asyncio.sleep(0)
    first.cancel()  # it has sent the combination for all of them
    second.cancel()
    assert [tuple(row) for row in await third] == [(key,) for key in KEYS]
    assert await asyncio.gather(first, second, return_exceptions=True)
    assert first.cancelled()
    assert second.cancelled()
