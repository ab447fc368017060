"""Pieces of an answer that are bytes already, and how they get into the bytes around them."""

from math import inf
from typing import Any

import orjson

from engine.rows import Row, writer

NULL = b"null"
HOLE = b"\0"
"""Stands for a fragment in the bytes around it. JSON has no such byte: within strings it is written \\u0000."""

MAX_TAGS = 64
"""Tags that an answer names, the outermost first."""

At = tuple[bytes, Any]
"""Where a fragment is kept: what is shown (a digest) and of which entity (its key)."""


class Rendered:
    """A value of an answer, as JSON. It stands in `data` where a dict or None would."""

    __slots__ = ("at", "body", "cost", "ends", "tags", "until")

    def __init__(
        self, at: At, body: bytes, cost: float, until: float, tags: tuple[str, ...], ends: float = inf
    ) -> None:
        self.at = at
        self.body = body
        self.cost = cost
        """What it costs in the sense of engine/reading/cost.py, all that is in it included."""
        self.until = until
        """Until when it is true at the latest, by the store's clock."""
        self.tags = tags
        self.ends = ends
        """When it changes by itself; never, of most."""


def written(value: object) -> Any:
    """`default` of orjson for whatever may be in an answer."""
    if isinstance(value, Row):
        return _written(value)
    return orjson.Fragment(value.body) if type(value) is Rendered else str(value)


_written = writer(lambda value: value.body if type(value) is Rendered else None)


def cut(row: object) -> tuple[tuple[bytes, ...], list[Rendered]]:
    """A row as bytes around holes, and what stands in them. Raises orjson.JSONEncodeError."""
    inside: list[Rendered] = []

    def hole(value: object) -> bytes | None:
        if type(value) is not Rendered:
            return None
        inside.append(value)
        return HOLE

    write = writer(hole)

    def default(value: object) -> Any:
        if isinstance(value, Row):
            return write(value)
        body = hole(value)
        return str(value) if body is None else orjson.Fragment(body)

    return tuple(orjson.dumps(row, default=default).split(HOLE)), inside
