"""What was read a moment ago: for how long, how often and how much."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.shared.short_memory import ShortMemory


class Source:
    """Doubles numbers, and counts how often it is asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.loads: list[list[int]] = []
        self.factor = 2
        self.answers = asyncio.Event()
        self.answers.set()

    async def load(self, keys: Sequence[int]) -> list[int | Exception]:
        self.loads.append(list(keys))
        values = [KeyError(key) if key < 0 else key * self.factor for key in keys]
        await self.answers.wait()
        return values

    def memory(self, at_most: int = 10) -> ShortMemory[int, int]:
        return ShortMemory(self.load, age_s=1, at_most=at_most, clock=lambda: self.now)


async def test_a_value_is_loaded_once_until_it_is_a_second_old() -> None:
    source = Source()
    memory = source.memory()
    assert [await memory.get(1) for _ in range(3)] == [2, 2, 2]
    source.now, source.factor = 0.999, 3
    assert (await memory.get(1), len(source.loads)) == (2, 1)
    source.now = 1
    assert (await memory.get(1), len(source.loads)) == (3, 2)


async def test_misses_of_one_turn_are_one_load_each_key_once() -> None:
    source = Source()
    memory = source.memory()
    assert await asyncio.gather(*(memory.get(key) for key in (1, 2, 1, 3))) == [2, 4, 2, 6]
    assert source.loads == [[1, 2, 3]]


async def test_who_comes_while_it_is_loading_waits_for_that_load() -> None:
    source = Source()
    memory = source.memory()
    source.answers.clear()
    first = asyncio.create_task(memory.get(1))
    while not source.loads:
        await asyncio.sleep(0)
    second = asyncio.create_task(memory.get(1))
    first.cancel()
    source.answers.set()
    assert (await second, source.loads) == (2, [[1]])


async def test_what_was_expected_is_there_when_it_is_asked_for() -> None:
    source = Source()
    memory = source.memory()
    memory.expect(1)
    assert (await memory.get(1), await memory.get(1), source.loads) == (2, 2, [[1]])
    memory.expect(1)
    assert source.loads == [[1]]


async def test_a_value_is_as_old_as_the_beginning_of_its_load() -> None:
    source = Source()
    memory = source.memory()
    source.answers.clear()
    first = asyncio.create_task(memory.get(1))
    while not source.loads:
        await asyncio.sleep(0)
    source.now, source.factor = 1, 3
    source.answers.set()
    assert await first == 2
    assert await memory.get(1) == 3


async def test_what_was_written_is_not_replaced_by_an_older_load() -> None:
    source = Source()
    memory = source.memory()
    source.answers.clear()
    reading = asyncio.create_task(memory.get(1))
    while not source.loads:
        await asyncio.sleep(0)
    source.now = 0.1
    memory.set(1, 99)
    source.answers.set()
    assert (await reading, await memory.get(1)) == (2, 99)


async def test_a_failure_is_nobody_elses_and_is_not_remembered() -> None:
    source = Source()
    memory = source.memory()
    found = await asyncio.gather(memory.get(-1), memory.get(1), return_exceptions=True)
    assert isinstance(found[0], KeyError)
    assert found[1] == 2
    with pytest.raises(KeyError):
        await memory.get(-1)


async def test_a_failed_load_fails_those_who_wait_and_no_later_one() -> None:
    failing = True

    async def load(keys: Sequence[int]) -> list[int]:
        if failing:
            raise OSError
        return list(keys)

    memory: ShortMemory[int, int] = ShortMemory(load, age_s=1)
    found = await asyncio.gather(memory.get(1), memory.get(2), return_exceptions=True)
    assert [type(each) for each in found] == [OSError, OSError]
    failing = False
    assert await memory.get(1) == 1


async def test_the_last_value_is_there_for_an_outage_and_not_for_ever() -> None:
    source = Source()
    memory = source.memory()
    await memory.get(1)
    source.now = 299
    assert (memory.last(1, 300), memory.last(2, 300)) == (2, None)
    source.now = 300
    assert memory.last(1, 300) is None


async def test_only_so_many_are_kept() -> None:
    source = Source()
    memory = source.memory(at_most=2)
    for key in (1, 2, 3, 3, 2, 1):
        await memory.get(key)
    assert source.loads == [[1], [2], [3], [1]]
