"""Keyset pages in SQL: rows after a key, in an order that ends with the unique id."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, asc, desc, tuple_

from domain.shared.paging import Key, PageRequest
from domain.shared.refusals import InvalidCursor

SortColumn = tuple[ColumnElement[Any], type]
"""A column and the Python type of its values: int, str, datetime or UUID."""


def slice_rows(
    statement: Select[Any], columns: Sequence[SortColumn], request: PageRequest, *, descending: bool
) -> Select[Any]:
    """The statement with the order, start and size of a page, and one row more to tell whether there are others.

    Raises InvalidCursor.
    """
    backwards = descending is not request.backward
    keys = [column for column, _ in columns]
    if request.key is not None:
        start = tuple_(*_values(columns, request.key))
        statement = statement.where(tuple_(*keys) < start if backwards else tuple_(*keys) > start)
    return statement.order_by(*(desc(key) if backwards else asc(key) for key in keys)).limit(request.size + 1)


def key_part(value: Any) -> str | int:
    """A sort value as a cursor carries it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _values(columns: Sequence[SortColumn], key: Key) -> list[Any]:
    if len(key) != len(columns):
        raise InvalidCursor
    return [_value(kind, part) for (_, kind), part in zip(columns, key, strict=True)]


def _value(kind: type, part: object) -> Any:
    """The part as the driver takes it. Whoever made the cursor, nothing that PostgreSQL would refuse passes."""
    try:
        if kind is datetime and isinstance(part, str):
            return _moment(part)
        if kind is UUID and isinstance(part, str):
            return UUID(part)
        if type(part) is not kind:
            raise InvalidCursor
        if isinstance(part, str):
            part.encode()  # JSON can carry half of a surrogate pair, UTF-8 cannot
    except (ValueError, OverflowError):
        raise InvalidCursor from None
    if (isinstance(part, int) and not -(2**63) <= part < 2**63) or (isinstance(part, str) and "\x00" in part):
        raise InvalidCursor
    return part


def _moment(part: str) -> datetime:
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:  # our own cursors name their zone; a guess would move the page
        raise InvalidCursor
    return moment.astimezone(UTC)  # raises OverflowError next to the years 1 and 9999
