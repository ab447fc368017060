"""Consumers for tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from adapters.aws.event_places import Subscription
from composition import pipeline
from composition.pipeline import EventTools, Subscriber
from domain.events.ports import Consumer, Delivery

NAME = "listener"
KIND = "Tested"

Act = Callable[[Delivery], Awaitable[None]]


class Listener:
    """Notes what it is told, and does what it is given to do."""

    name = NAME

    def __init__(self, act: Act | None = None) -> None:
        self.told: list[UUID] = []
        self._act = act

    async def consume(self, delivery: Delivery) -> None:
        self.told.append(delivery.record.id)
        if self._act is not None:
            await self._act(delivery)


def declare(monkeypatch: pytest.MonkeyPatch, *consumers: Any, kinds: frozenset[str] = frozenset({KIND})) -> None:
    """Have these be all the consumers that there are."""

    def subscriber(consumer: Any) -> Subscriber:
        @asynccontextmanager
        async def opened(_: EventTools) -> AsyncIterator[Consumer]:
            yield consumer

        return Subscriber(Subscription(consumer.name, kinds), lambda _: True, opened)

    monkeypatch.setattr(pipeline, "SUBSCRIBERS", [subscriber(each) for each in consumers])
