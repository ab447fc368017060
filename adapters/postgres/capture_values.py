"""PostgreSQL's texts as the values that Debezium writes: numbers, true and false, ISO 8601 in UTC, JSON and all else as text."""

from datetime import UTC, datetime

from adapters.postgres.capture_messages import UNCHANGED
from domain.capture.model import Value

BOOL, WHOLE, MOMENT, PADDED = 16, (20, 21, 23), 1184, 1042
"""OIDs of types, from pg_type."""


def value_of(text: str | None, oid: int) -> Value:
    if text is None or text == UNCHANGED:
        return text
    if oid == BOOL:
        return text in ("t", "true")
    if oid in WHOLE:
        return int(text)
    if oid == MOMENT:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return text.rstrip(" ") if oid == PADDED else text
