"""Reads that are asked for side by side, as one statement: a round trip costs more than what most of them read.

A combination is sent as one only when it keeps coming, for each connection has to prepare it. Where one fails or takes long each
of its reads is sent by itself, so that what is slow or refused fails alone.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
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
    """A statement. `combines`: whether its rows may come as tuples, of types that every connection can decode."""

    text: str
    combines: bool

    def values(self, given: Mapping[str, Any]) -> list[Any]: ...


class Asked:
    """A read that waits for those beside it; its rows come to None where it has to be sent by itself."""

    __slots__ = ("rows", "text", "values")

    def __init__(self, text: str, values: Sequence[Any]) -> None:
        self.text = text
        self.values = values
        self.rows: asyncio.Future[Rows | None] = asyncio.get_running_loop().create_future()


class Known:
    """A combination that has come: its statement, and how often it is still sent read by read."""

    __slots__ = ("left", "text")

    def __init__(self, texts: Sequence[str]) -> None:
        self.left = COMBINE_AT - 1
        self.text = combined(texts)


def combined(texts: Sequence[str]) -> str:
    """One statement whose only row has an array of rows for each of the statements, None for none. Its parameters are all of theirs."""
    parts = []
    before = 0
    for text in texts:
        numbers = {int(number) for number in PLACE.findall(text)}
        start = before

        def moved(place: re.Match[str], start: int = start) -> str:
            return f"${int(place[1]) + start}"

        parts.append(f"(SELECT array_agg(row) FROM ({PLACE.sub(moved, text)}) AS row)")
        before += len(numbers)
    return f"SELECT {', '.join(parts)}"


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
        round_ = self._round_of() if read.combines and len(given.get("ids", ())) <= MOST_KEYS else None
        if round_ is not None:
            asked = Asked(read.text, values)
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
        known = self._of(tuple([each.text for each in asked]))
        if known.left:
            known.left -= 1
            return None
        try:
            [row] = await self._send(known.text, [value for each in asked for value in each.values], ends)
        except (Unavailable, DBAPIError):
            known.left = AGAIN
            return None
        return [rows or () for rows in row]

    def _of(self, texts: tuple[str, ...]) -> Known:
        known = self._known.get(texts)
        if known is None:
            known = self._known[texts] = Known(texts)
            if len(self._known) > MAX_COMBINATIONS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(texts)
        return known
