"""Events on their way to EventBridge, ten a request, as CloudEvents in the detail."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from botocore.exceptions import ClientError

from adapters.aws.clients import EVENTBRIDGE, Aws, error_code
from domain.events.cloud_events import MalformedEvent, cloud_event, read_cloud_event
from domain.events.ports import PlacesAreGone
from domain.shared.events import EventId, EventRecord

SOURCE = "torii"
PAGE = 10


class EventBridgeBus:
    """The port `EventBus` on one bus."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name

    async def publish(self, events: Sequence[EventRecord]) -> Mapping[EventId, str]:
        pages = [events[start : start + PAGE] for start in range(0, len(events), PAGE)]
        refused: dict[EventId, str] = {}
        for answered in await asyncio.gather(*map(self._publish_page, pages)):
            refused |= answered
        return refused

    async def _publish_page(self, events: Sequence[EventRecord]) -> Mapping[EventId, str]:
        try:
            async with self._aws.calling(EVENTBRIDGE):
                answer = await self._aws.events.put_events(Entries=[self._entry(each) for each in events])
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise PlacesAreGone(EVENTBRIDGE) from error
            raise
        # AWS answers entry by entry, in their order
        return {
            record.id: entry.get("ErrorCode", "")
            for record, entry in zip(events, answer["Entries"], strict=True)
            if not entry.get("EventId")
        }

    def _entry(self, record: EventRecord) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": record.event.type,
            "Time": record.time,
            "Detail": orjson.dumps(cloud_event(record)).decode(),
        }


def body_of(record: EventRecord) -> str:
    """The event as a message of a queue that goes around the bus."""
    return orjson.dumps(cloud_event(record)).decode()


def read_body(body: str) -> EventRecord:
    """The event in a message, whether it came over the bus, which wraps it, or around it. Raises MalformedEvent."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedEvent("it is no JSON") from error
    if isinstance(told, dict) and "detail-type" in told:
        told = told.get("detail")
    return read_cloud_event(told)
