"""Probes: each span lies within the one it was begun for, and there is an end to them."""

import asyncio
from typing import Any

from engine.watching.probe import MAX_SPANS, Probe


async def test_spans_lie_within_those_they_were_begun_for() -> None:
    probe = Probe()

    async def leaf() -> str:
        return "leaf"

    async def inner() -> tuple[str, str]:
        found = await asyncio.gather(probe.around("a", "field", 3, leaf()), probe.around("b", "field", 4, leaf()))
        return found[0], found[1]

    assert await probe.around("outer", "field", 2, inner()) == ("leaf", "leaf")
    assert await probe.around("after", "field", 1, leaf()) == "leaf"
    outer, after = probe.as_json()["steps"]
    assert (outer["name"], outer["count"], [each["name"] for each in outer["inside"]]) == ("outer", 2, ["a", "b"])
    assert after["name"] == "after"
    assert after["atMs"] >= outer["tookMs"] >= 0
    assert "inside" not in after


async def test_a_batch_is_told_with_its_keys_and_one_that_fails_too() -> None:
    probe = Probe()

    async def load(keys: Any, **arguments: Any) -> list[Any]:
        if arguments:
            raise ValueError("no")
        return list(keys)

    assert await probe.batch("things", load)([1, 2, 3]) == [1, 2, 3]
    failed = await asyncio.gather(probe.batch("others", load)([1], first=3), return_exceptions=True)
    assert isinstance(failed[0], ValueError)
    assert [(each["name"], each["kind"], each["count"]) for each in probe.as_json()["steps"]] == [
        ("things", "load", 3),
        ("others", "load", 1),
    ]


async def test_spans_beyond_the_most_are_counted_only() -> None:
    probe = Probe()

    async def work() -> None:
        return None

    await asyncio.gather(*(probe.around("each", "field", 1, work()) for _ in range(MAX_SPANS + 5)))
    told = probe.as_json()
    assert len(told["steps"]) == MAX_SPANS
    assert told["omitted"] == 5
