"""Loading by keys: each key once, however levels and single keys overlap, fail or are given up."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.loading import BatchLoader, WrongLength


class Shelf:
    """A batch function that waits to be let go, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.open = asyncio.Event()

    async def load(self, keys: list[int]) -> Sequence[object]:
        self.asked.append(keys)
        await self.open.wait()
        return [KeyError(key) if key < 0 else f"value {key}" for key in keys]

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(60):
            while len(self.asked) < times:
                await asyncio.sleep(0)


async def test_levels_that_overlap_load_each_key_once() -> None:
    shelf = Shelf()
    loader = BatchLoader(shelf.load)
    first, second = asyncio.create_task(loader.level([1, 2, 1])), asyncio.create_task(loader.level([2, 3]))
    single = asyncio.create_task(loader.one(3))
    await shelf.until_asked(2)
    shelf.open.set()
    assert (await first, await second) == (["value 1", "value 2", "value 1"], ["value 2", "value 3"])
    assert await single == "value 3"
    assert await loader.level([3, 1]) == ["value 3", "value 1"]
    assert shelf.asked == [[1, 2], [3]]


async def test_keys_asked_for_one_by_one_in_a_turn_go_together() -> None:
    shelf = Shelf()
    shelf.open.set()
    loader = BatchLoader(shelf.load)
    assert await asyncio.gather(loader.one(1), loader.one(2), loader.one(1)) == ["value 1", "value 2", "value 1"]
    assert shelf.asked == [[1, 2]]


async def test_a_key_that_fails_fails_alone() -> None:
    shelf = Shelf()
    shelf.open.set()
    loader = BatchLoader(shelf.load)
    good, bad = await loader.level([1, -1])
    assert (good, type(bad)) == ("value 1", KeyError)
    with pytest.raises(KeyError):
        await loader.one(-1)
    assert shelf.asked == [[1, -1]]


async def test_a_batch_that_fails_or_miscounts_fails_all_its_keys() -> None:
    async def miscount(_keys: list[int]) -> list[object]:
        return []

    async def fail(_keys: list[int]) -> list[object]:
        raise OSError("down")

    assert [type(each) for each in await BatchLoader(miscount).level([1, 2])] == [WrongLength] * 2
    assert [type(each) for each in await BatchLoader(fail).level([1, 2])] == [OSError] * 2


async def test_keys_of_a_load_that_was_given_up_are_loaded_by_whoever_waits_for_them() -> None:
    shelf = Shelf()
    loader = BatchLoader(shelf.load)
    first, second = asyncio.create_task(loader.level([1])), asyncio.create_task(loader.level([1, 2]))
    await shelf.until_asked(2)
    first.cancel()
    shelf.open.set()
    assert await second == ["value 1", "value 2"]
    assert shelf.asked == [[1], [2], [1]]


async def test_what_another_level_has_loaded_by_the_time_it_is_waited_for_is_there() -> None:
    slow, quick = Shelf(), Shelf()

    async def batch(keys: list[int]) -> Sequence[object]:
        return await (quick if keys == [1] else slow).load(keys)

    loader = BatchLoader(batch)
    first = asyncio.create_task(loader.level([1]))
    await quick.until_asked(1)
    second = asyncio.create_task(loader.level([1, 2]))
    await slow.until_asked(1)
    quick.open.set()
    assert await first == ["value 1"]
    slow.open.set()
    async with asyncio.timeout(60):
        assert await second == ["value 1", "value 2"]
    assert quick.asked + slow.asked == [[1], [2]]


async def test_what_is_known_is_not_loaded_and_what_was_loaded_stays() -> None:
    shelf = Shelf()
    shelf.open.set()
    loader = BatchLoader(shelf.load)
    assert await loader.level([1]) == ["value 1"]
    loader.know({1: "one, told", 2: "two, told"})
    loader.know({2: "two, told again"})
    assert await loader.level([2, 1, 3]) == ["two, told", "value 1", "value 3"]
    assert await loader.one(2) == "two, told"
    assert shelf.asked == [[1], [3]]


async def test_of_what_is_known_not_to_be_there_nobody_is_asked() -> None:
    shelf = Shelf()
    loader = BatchLoader(shelf.load)
    loader.know({1: None})
    assert (await loader.level([1, 1]), await loader.one(1)) == ([None, None], None)
    assert shelf.asked == []


async def test_of_no_key_there_is_no_value_and_nobody_is_asked_for_it() -> None:
    shelf = Shelf()
    shelf.open.set()
    loader = BatchLoader(shelf.load)
    assert await loader.level([None, None]) == [None, None]
    assert await loader.level([None, 1, 2, None, 1]) == [None, "value 1", "value 2", None, "value 1"]
    assert await loader.level([2, None]) == ["value 2", None]
    once = {None: 1, 2: 1}
    assert await loader.level(once) == [None, "value 2"]
    assert once == {None: 1, 2: 1}
    loader.know({None: "nobody's"})
    assert (await loader.level([None]), await loader.one(None)) == ([None], None)
    assert shelf.asked == [[1, 2]]


class Incomparable:
    """A key that is never told from another."""

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise ValueError("not to be compared")


async def test_whoever_waits_for_keys_that_cannot_be_compared_hears_of_it() -> None:
    shelf = Shelf()
    shelf.open.set()
    loader = BatchLoader(shelf.load)
    asked = [asyncio.create_task(loader.one(Incomparable())) for _ in range(2)]
    told = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
    assert [str(each) for each in told] == ["not to be compared"] * 2
