"""Keyset pages in SQL: rows after a key, in an order that ends with the unique id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, asc, bindparam, desc, literal_column, select, tuple_

from domain.shared.paging import Key, PageRequest
from domain.shared.refusals import InvalidCursor

START = "start_"
"""Begins the names of the parameters that say after which row a page begins."""

SortColumn = tuple[ColumnElement[Any], type]
"""A column and the Python type of its values: int, str, datetime or UUID."""


def slice_rows(
    statement: Select[Any], columns: Sequence[SortColumn], request: PageRequest, *, descending: bool
) -> Select[Any]:
    """The statement with the order, start and rows of a page.

    Raises InvalidCursor.
    """
    start = None if request.key is None else slice_values(columns, request)
    return sliced(statement, columns, Slice.of(request), start, descending=descending)


@dataclass(frozen=True, slots=True)
class Slice:
    """What a page's statement looks like, whichever row it starts at."""

    rows: int
    backward: bool
    resumes: bool

    @classmethod
    def of(cls, request: PageRequest) -> "Slice":
        return cls(request.rows, request.backward, request.key is not None)


def sliced(
    statement: Select[Any],
    columns: Sequence[SortColumn],
    shape: Slice,
    start: Mapping[str, Any] | None = None,
    *,
    descending: bool,
) -> Select[Any]:
    """The statement with the order, start and rows of a page. Without `start` it is for `slice_values` to say where it begins."""
    backwards = descending is not shape.backward
    keys = [column for column, _ in columns]
    if shape.resumes:
        names = [f"{START}{number}" for number in range(len(columns))]
        values = (
            bindparam(name, start[name], type_=key.type) if start else bindparam(name, type_=key.type)
            for name, key in zip(names, keys, strict=True)
        )
        # a row that PostgreSQL sees as it plans has it plan each page anew, which takes twice as long as to read one
        row = select(*values).scalar_subquery()
        statement = statement.where(tuple_(*keys) < row if backwards else tuple_(*keys) > row)
    return statement.order_by(*(desc(key) if backwards else asc(key) for key in keys)).limit(
        literal_column(str(shape.rows), Integer)
    )


def slice_values(columns: Sequence[SortColumn], request: PageRequest) -> dict[str, Any]:
    """The parameters of a sliced statement. Raises InvalidCursor."""
    if request.key is None:
        return {}
    return {f"{START}{number}": value for number, value in enumerate(_values(columns, request.key))}


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
