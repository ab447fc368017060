"""Answers to events that are written once for all: what each client is told of itself, and what it pays."""

from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry

from engine.declared.access import NOBODY_YET
from engine.declared.fields import subscription
from engine.exchange import Request
from engine.execution import Executor
from engine.fairness.allowance import Bucket, Demand
from engine.policy import Policy
from engine.streaming.streams import Stream, Streams
from tests.engine.test_compiled import Query, Thing, ThingView

EVENTS = (Thing(1, 1), Thing(2, 1), None)
"""The last one costs less than was asked for."""


async def _things(info: strawberry.Info) -> AsyncIterator[Thing | None]:
    for event in EVENTS:
        yield event


@strawberry.type
class Subscription:
    thing: ThingView | None = subscription(_things, access=None, description="x", graphql_type=ThingView | None, cost=5)


@dataclass
class Purses:
    """Has a bucket for each client, by name."""

    left: dict[Hashable, int]
    given_back: list[tuple[Hashable, int]] = field(default_factory=list)

    def client(self, context: Any) -> Hashable:
        return context.name  # type: ignore[no-any-return]

    def begin(self, context: Any) -> Hashable:
        return self.client(context)

    def end(self, _client: Hashable) -> None:
        pass

    async def take(self, context: Any, demand: Demand) -> Bucket | None:
        self.left[context.name] -= demand.cost
        return Bucket(1000, self.left[context.name], 1)

    def settle(self, context: Any, _bucket: Bucket | None, unused: int) -> Bucket | None:
        self.given_back.append((context.name, unused))
        self.left[context.name] += unused
        return Bucket(1000, self.left[context.name], 1)


@dataclass
class Context:
    name: str
    viewer: None = None
    admitted: Any = NOBODY_YET


async def told(streams: Streams, name: str) -> list[Any]:
    """What a client is sent, as it arrives there."""

    async def following() -> Context:
        return Context(name)

    outcome = await streams.start(Request("subscription { thing { id label } }"), Context(name), following)
    assert isinstance(outcome, Stream)
    async with outcome as answers:
        return [orjson.loads(orjson.dumps(answer.json)) async for answer in answers]


async def test_nobody_is_told_what_another_has_left_or_gets_back_what_was_not_taken() -> None:
    purses = Purses({"one": 1000, "other": 500})
    streams = Streams(
        Executor(strawberry.Schema(Query, subscription=Subscription)._schema, explain, Policy(30), purses)
    )
    everything = {name: await told(streams, name) for name in ("one", "other")}
    shown = [{"id": 1, "label": "thing 1"}, {"id": 2, "label": "thing 2"}, None]
    for name, answers in everything.items():
        assert [each["data"]["thing"] for each in answers] == shown
        first, *later = [each["extensions"]["cost"] for each in answers]
        assert first["bucket"]["available"] == purses.left[name]
        assert all("bucket" not in cost for cost in later)
    assert [name for name, _ in purses.given_back] == ["one", "other"]  # for the first event alone, which was paid for


def explain(*_: Any) -> None:
    return None
