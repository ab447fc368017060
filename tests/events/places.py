"""What tests look at: queues, rows, mails that the emulator took."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import aiohttp
from sqlalchemy import select

from adapters.aws.event_bus import EventBridgeBus
from adapters.aws.queues import SqsQueue
from adapters.postgres.events import RECORD, PostgresOutbox, record_of
from adapters.postgres.tables import outbox
from composition.pipeline import EventTools, places_of
from domain.events.relay import Relay
from domain.shared.events import EventRecord


class Deliveries:
    """What the database keeps of a consumer and its events."""

    def __init__(self, worker: Any, consumer: str) -> None:
        self._worker = worker
        self._consumer = consumer

    async def rows(self) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = await self._worker.fetch(
            "SELECT * FROM events.deliveries WHERE consumer = $1 ORDER BY event_id", self._consumer
        )
        return rows

    async def processed(self) -> set[UUID]:
        return {row["event_id"] for row in await self.rows() if row["processed_at"] is not None}

    async def failed(self) -> Mapping[UUID, str]:
        return {row["event_id"]: row["reason"] for row in await self.rows() if row["failed_at"] is not None}


async def unsent(worker: Any) -> int:
    count: int = await worker.fetchval("SELECT count(*) FROM events.outbox WHERE sent_at IS NULL")
    return count


async def put_in(worker: Any, kind: str = "CatalogChanged", **columns: Any) -> UUID:
    """An event, as a use case writes it."""
    names = ["type", "aggregate_type", "aggregate_id", *columns]
    values = [kind, "test", UUID(int=7), *columns.values()]
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    key: UUID = await worker.fetchval(
        f"INSERT INTO events.outbox ({', '.join(names)}) VALUES ({places}) RETURNING id", *values
    )
    return key


def queues(tools: EventTools, consumer: str) -> tuple[SqsQueue, SqsQueue, SqsQueue]:
    """The queue, its dead letters, and what EventBridge could not deliver, in that order."""
    names = tools.names
    where = (names.queue(consumer), names.dead_letters(consumer), names.undelivered(consumer))
    queue, dead, undelivered = (SqsQueue(tools.aws, name) for name in where)
    assert places_of(tools, consumer).consumer == consumer
    return queue, dead, undelivered


async def all_events(tools: EventTools) -> Sequence[EventRecord]:
    """What the outbox has."""
    rows = await tools.database.fresh(select(*RECORD).order_by(outbox.c.id))
    return [record_of(row) for row in rows]


def relay_of(tools: EventTools) -> Relay:
    return Relay(PostgresOutbox(tools.database), EventBridgeBus(tools.aws, tools.names.bus), tools.clock)


async def mails_to(endpoint: str, address: str) -> Sequence[str]:
    """Subjects of the mails that the emulator took for an address, from what it shows of itself."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            async with session.get(f"{endpoint}/moto-api/data.json") as answer:
                if answer.ok:  # it fails where something changes while it writes itself down
                    told = await answer.json(content_type=None)
                    break
    messages = told.get("ses", {}).get("Message", [])
    return [each["subject"] for each in messages if address in str(each["destinations"])]
