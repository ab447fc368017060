"""Reads that are asked for side by side, as one statement: a round trip costs more than what most of them read.

A combination is sent as one only when it keeps coming, for each connection has to prepare it. Where one fails or takes long each
of its reads is sent by itself, so that what is slow or refused fails alone.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError

from domain.shared.refusals import Unavailable

Rows = Sequence[Any]
Send = Callable[[str, Sequence[Any], float], Awaitable[Rows]]
"""Takes a statement, its values, and when its time is over. Raises Unavailable, DBAPIError."""

COMBINE_AT = 3
"""A combination is sent as one when it comes for this time: clients choose what they look at."""
AGAIN = 100
"""Times that one which failed is sent read by read."""
MAX_COMBINATIONS = 256
MOST_KEYS = 100
"""Of a read in a combination: long ones are better read by several connections, and taken apart between others' work."""
LONGEST = 0.25
"""Of the time that a read has, for the combination; the rest is for each by itself, should it fail."""
PLACE = re.compile(r"\$(\d+)")


class Combinable(Protocol):
    """A statement. `width`: how many columns it has, where it may be combined; else 0."""

    text: str
    width: int

    def values(self, given: Mapping[str, Any]) -> list[Any]: ...


class Asked:
    """A read that waits for those beside it; its rows come to None where it has to be sent by itself."""

    __slots__ = ("rows", "text", "values", "width")

    def __init__(self, read: Combinable, values: Sequence[Any]) -> None:
        self.text = read.text
        self.width = read.width
        self.values = values
        self.rows: asyncio.Future[Rows | None] = asyncio.get_running_loop().create_future()


class Known:
    """A combination that has come: its statement, and how often it is still sent read by read."""

    __slots__ = ("left", "text")

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.left = COMBINE_AT - 1
        self.text = combined(asked)


def combined(asked: Sequence[Asked]) -> str:
    """One statement whose only row has an array for each column of each read. Its parameters are all of theirs.

    The driver takes half as long for the array of a column as for the same values in rows.
    """
    parts = []
    before = 0
    for number, each in enumerate(asked):
        names = [f"c{column}" for column in range(each.width)]
        arrays = ", ".join(f"array_agg({name})" for name in names)
        moved = partial(_moved, before)
        parts.append(f"(SELECT {arrays} FROM ({PLACE.sub(moved, each.text)}) AS r ({', '.join(names)})) AS s{number}")
        before += len(each.values)
    return f"SELECT * FROM {', '.join(parts)}"


def _moved(by: int, place: re.Match[str]) -> str:
    return f"${int(place[1]) + by}"


def _rows_of(columns: Sequence[Sequence[Any] | None]) -> Rows:
    """Rows out of the arrays of their columns, each None where there are no rows."""
    return [] if columns[0] is None else list(zip(*columns, strict=True))


def alone() -> None:
    """The round of reads that have nothing to do with each other."""


class Combining:
    """Sends reads, and those of one round as one.

    Parameters:
        send: sends one statement
        round_of: what those that are asked for in one turn of the event loop have in common; None where there are no others
    """

    def __init__(self, send: Send, round_of: Callable[[], Hashable]) -> None:
        self._send = send
        self._round_of = round_of
        self._rounds: dict[Hashable, list[Asked]] = {}
        self._known: OrderedDict[tuple[str, ...], Known] = OrderedDict()

    async def rows(self, read: Combinable, given: Mapping[str, Any], limit_s: float) -> Rows:
        """Raises Unavailable, DBAPIError."""
        ends = time.monotonic() + limit_s
        values = read.values(given)
        round_ = self._round_of() if read.width and len(given.get("ids", ())) <= MOST_KEYS else None
        if round_ is not None:
            asked = Asked(read, values)
            others = self._rounds.get(round_)
            if others is None:
                await self._lead(round_, asked, limit_s)
            else:
                others.append(asked)
            rows = await asked.rows
            if rows is not None:
                return rows
        return await self._send(read.text, values, ends)

    async def _lead(self, round_: Hashable, first: Asked, limit_s: float) -> None:
        """Wait for what else is asked for in this turn, and tell all what came of it."""
        asked = self._rounds[round_] = [first]
        found: Sequence[Rows | None] | None = None
        try:
            await asyncio.sleep(0)
            del self._rounds[round_]
            if len(asked) > 1:
                found = await self._found(asked, time.monotonic() + limit_s * LONGEST)
        finally:  # given up or not
            self._rounds.pop(round_, None)
            for each, rows in zip(asked, found or [None] * len(asked), strict=True):
                if not each.rows.done():
                    each.rows.set_result(rows)

    async def _found(self, asked: Sequence[Asked], ends: float) -> Sequence[Rows] | None:
        known = self._of(asked)
        if known.left:
            known.left -= 1
            return None
        try:
            [row] = await self._send(known.text, [value for each in asked for value in each.values], ends)
        except (Unavailable, DBAPIError):
            known.left = AGAIN
            return None
        columns = iter(row)
        return [_rows_of(list(islice(columns, each.width))) for each in asked]

    def _of(self, asked: Sequence[Asked]) -> Known:
        texts = tuple([each.text for each in asked])
        known = self._known.get(texts)
        if known is None:
            known = self._known[texts] = Known(asked)
            if len(self._known) > MAX_COMBINATIONS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(texts)
        return known
