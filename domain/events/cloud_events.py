"""Events as CloudEvents 1.0 in the JSON format, and back. Source: cloudevents.io, the core specification."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.shared.events import Event, EventId, EventRecord

SPEC_VERSION = "1.0"
SOURCE = "/torii"
SEQUENCE_DIGITS = 19
"""So that numbers sort as text, which is all that the extension `sequence` promises."""


class MalformedEvent(Exception):
    """What came is no event of ours. The text says what is wrong, and nothing of the content."""


def cloud_event(record: EventRecord) -> dict[str, Any]:
    """The event as JSON values. `stream` and `sequence` are extension attributes."""
    event = record.event
    told: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": str(record.id),
        "source": SOURCE,
        "type": event.type,
        "subject": event.subject,
        "time": record.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": dict(event.payload),
    }
    if event.stream is not None and record.sequence is not None:
        told |= {"stream": event.stream, "sequence": str(record.sequence).zfill(SEQUENCE_DIGITS)}
    return told


def read_cloud_event(told: object) -> EventRecord:
    """The event that `cloud_event` gave. Attributes that we do not know are left out. Raises MalformedEvent."""
    if not isinstance(told, Mapping) or told.get("specversion") != SPEC_VERSION:
        raise MalformedEvent("it is no CloudEvent 1.0")
    try:
        kind, _, key = told["subject"].partition("/")
        sequence = told.get("sequence")
        event = Event(str(told["type"]), kind, UUID(key), dict(told["data"]), told.get("stream"))
        time = datetime.fromisoformat(told["time"])
        return EventRecord(EventId(UUID(told["id"])), event, time, None if sequence is None else int(sequence))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedEvent("an attribute is missing or malformed") from error
