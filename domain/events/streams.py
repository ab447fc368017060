"""Streams of events as they are watched: what that needs from the outside, and what is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.shared.events import EventRecord
from domain.shared.paging import decode_cursor, encode_cursor
from domain.shared.refusals import InvalidCursor, Refusal
from domain.shared.viewer import Viewer

BEFORE_ALL = 0
"""The place in a stream before its first event."""


class CursorExpired(Refusal):
    """Not all that happened since this cursor is kept any more."""

    code = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(field=("after",))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream has: its last number (`BEFORE_ALL` where nothing happened), and events in their order."""

    head: int
    events: Sequence[EventRecord] = ()


class StreamStore(Protocol):
    """Streams as they are kept. Every method raises Unavailable."""

    async def read(self, viewer: Viewer, stream: str, after: int | None, limit: int) -> Reading:
        """The first events after a number; none where that is None. Raises NotFound where the viewer may not follow it."""
        ...

    async def heads(self, streams: Sequence[str]) -> Mapping[str, int]:
        """The last number of each of these in which anything happened."""
        ...


class Channels(Protocol):
    """Where events are told as they happen, each perhaps several times, or not at all."""

    @property
    def is_up(self) -> bool:
        """Whether what is told now is heard."""
        ...

    async def join(self, stream: str) -> None:
        """Hear of a stream from now on; called as often as it is left. Comes back when it is heard, or cannot be told soon."""
        ...

    def leave(self, stream: str) -> None: ...


class Announcer(Protocol):
    async def announce(self, events: Sequence[EventRecord]) -> None:
        """Tell all who hear their streams; again does no harm. Raises Unavailable."""
        ...


def cursor_of(stream: str, sequence: int) -> str:
    return encode_cursor(stream, (sequence,))


def place_of(stream: str, cursor: str | None) -> int | None:
    """The number that a cursor stands for. Raises InvalidCursor for another stream's."""
    if cursor is None:
        return None
    match decode_cursor(stream, cursor):
        case (int() as sequence,) if not isinstance(sequence, bool) and 0 <= sequence < 2**63:
            return sequence
    raise InvalidCursor
