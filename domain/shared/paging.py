"""Pages of a list, by keyset: a cursor holds the sort key of its row, so that inserts in between move nothing.

Follows the Relay cursor connections specification.
"""

import base64
import binascii
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, overload

from domain.shared.refusals import InvalidCursor, InvalidInput

T = TypeVar("T", covariant=True)
U = TypeVar("U")

DEFAULT_PAGE = 20
MAX_PAGE = 100
MAX_CURSOR = 2_048
"""Characters: a name of 300 characters in UTF-8, and its id."""
EMPTY = "empty"
"""The scope of a list that is known to hold nothing."""

Key = tuple[str | int | float | None, ...]
"""The values a row is sorted by, its id last, as JSON can carry them."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A slice of a list: the `size` rows after a cursor, or (backward) before one. Cursors are decoded keys."""

    size: int = DEFAULT_PAGE
    key: Key | None = None
    backward: bool = False
    looks_ahead: bool = True
    """Whether a row more is read, which tells that there are others; where it is not, nobody may ask for `page_info`."""

    @property
    def rows(self) -> int:
        """How many are read."""
        return self.size + 1 if self.looks_ahead else self.size

    @classmethod
    def of(
        cls,
        order: str,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        *,
        default: int = DEFAULT_PAGE,
        looks_ahead: bool = True,
    ) -> "PageRequest":
        """From a connection's arguments. `order` names the sort that cursors must have been made for.

        Raises InvalidInput, InvalidCursor.
        """
        if (first is not None or after is not None) and (last is not None or before is not None):
            raise InvalidInput(key="page_both_ways", field=("first",))
        backward = last is not None or before is not None
        name, size = ("last", last) if backward else ("first", first)
        size = default if size is None else size
        if not 0 <= size <= MAX_PAGE:
            raise InvalidInput(key="page_size", name=name, most=MAX_PAGE, size=size, field=(name,))
        cursor = before if backward else after
        return cls(size, None if cursor is None else decode_cursor(order, cursor), backward, looks_ahead)


def encode_cursor(order: str, key: Key) -> str:
    return base64.urlsafe_b64encode(
        json.dumps([order, *key], ensure_ascii=False, separators=(",", ":")).encode()
    ).decode()


def decode_cursor(order: str, cursor: str) -> Key:
    """The key inside a cursor. Raises InvalidCursor when it is damaged or of another order."""
    if len(cursor) > MAX_CURSOR:
        raise InvalidCursor
    try:
        written = binascii.a2b_base64(cursor.replace("-", "+").replace("_", "/"), strict_mode=True).decode()
        made_for, *key = json.loads(written)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise InvalidCursor from None
    if made_for != order or not all(isinstance(part, str | int | float | None) for part in key):
        raise InvalidCursor
    return tuple(key)


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """A row of a page with its cursor."""

    node: T
    cursor: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(slots=True)
class Page(Generic[T]):
    """Some rows of a list, in its order. `keys[i]` is the sort key of `nodes[i]`; `scope` says what list it is.

    Not frozen, for it takes four times as long to make what is, and an answer may have hundreds.
    """

    nodes: Sequence[T]
    keys: Sequence[Key]
    order: str
    has_next: bool | None = False
    has_previous: bool | None = False
    """Neither is known of a page whose request did not look ahead."""
    scope: Hashable = EMPTY

    @property
    def edges(self) -> Sequence[Edge[T]]:
        return [Edge(node, encode_cursor(self.order, key)) for node, key in zip(self.nodes, self.keys, strict=True)]

    @property
    def page_info(self) -> PageInfo:
        """Raises AttributeError where the request did not look ahead."""
        if self.has_next is None or self.has_previous is None:
            raise AttributeError("page_info")
        ends = [encode_cursor(self.order, self.keys[i]) for i in (0, -1)] if self.keys else [None, None]
        return PageInfo(self.has_next, self.has_previous, *ends)


def cut_page(
    rows: Sequence[U], request: PageRequest, order: str, key_of: Callable[[U], Key], scope: Hashable
) -> Page[U]:
    """The page from its rows, read in the request's direction: one more than `size` only tells that there is more."""
    more = len(rows) > request.size if request.looks_ahead else None
    kept = rows if len(rows) <= request.size else rows[: request.size]
    if request.backward:
        kept = kept[::-1]
    resumed = request.key is not None if request.looks_ahead else None
    has_next, has_previous = (resumed, more) if request.backward else (more, resumed)
    return Page(kept, Keys(kept, key_of), order, has_next, has_previous, scope)


class Keys(Sequence[Key], Generic[U]):
    """The keys of rows, made as they are asked for: most pages show no cursor but the last."""

    __slots__ = ("_key_of", "_rows")

    def __init__(self, rows: Sequence[U], key_of: Callable[[U], Key]) -> None:
        self._rows = rows
        self._key_of = key_of

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Key: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Key]: ...

    def __getitem__(self, at: int | slice) -> Key | Sequence[Key]:
        return self._key_of(self._rows[at]) if isinstance(at, int) else list(map(self._key_of, self._rows[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def empty_page(order: str) -> Page[U]:
    """A page of a list that is known to hold nothing."""
    return Page((), (), order, scope=EMPTY)


class Precision(StrEnum):
    EXACT = "exact"
    AT_LEAST = "at_least"
    """Counting stopped early: there may be more."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has."""

    value: int
    precision: Precision = Precision.EXACT
