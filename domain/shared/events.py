"""What happened, for whoever wants to know of it later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an aggregate. `payload` is JSON: ids and figures, never personal data."""

    type: str
    aggregate_type: str
    aggregate_id: UUID
    payload: Mapping[str, object] = field(default_factory=dict)
