"""What happened, for whoever wants to know of it later: as it is written, and as it comes to those who are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

EventId = NewType("EventId", UUID)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an aggregate. `payload` is JSON of 16 KiB at most: ids and figures, never personal data.

    `stream`: events of one stream are numbered in the order in which they happened, such as `order/{id}`.
    """

    type: str
    aggregate_type: str
    aggregate_id: UUID
    payload: Mapping[str, object] = field(default_factory=dict)
    stream: str | None = None

    @property
    def subject(self) -> str:
        return f"{self.aggregate_type}/{self.aggregate_id}"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event that was written. `id` is a UUIDv7; `sequence` grows within the event's stream, not always by one."""

    id: EventId
    event: Event
    time: datetime
    sequence: int | None = None
