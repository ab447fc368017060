"""Rows of a batched read, back in the order of their keys."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, Uuid, any_, bindparam, cast
from sqlalchemy.dialects.postgresql import ARRAY

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Ids(TypeDecorator[Sequence[UUID]]):
    """UUIDs as the text of an array: asyncpg takes four times as long over the elements of one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[UUID] | None, _dialect: Dialect) -> str | None:
        return None if value is None else f"{{{','.join(map(str, value))}}}"


def given_ids() -> ColumnElement[Any]:
    """The parameter `ids`, as an array."""
    return cast(bindparam("ids", type_=Ids), ARRAY(Uuid))


def among_ids(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """`column = ANY(:ids)`: any number of keys in one statement with one plan."""
    return column == any_(given_ids())


def each(make: Callable[[Any], V]) -> Callable[[Sequence[Any]], list[V]]:
    """Makes values of rows one by one."""
    return lambda rows: list(map(make, rows))


def one_each(keys: Sequence[K], rows: Iterable[V], key_of: Callable[[V], K]) -> list[V | None]:
    """The row of each key; None for a key without one."""
    return list(map({key_of(row): row for row in rows}.get, keys))


def many_each(keys: Sequence[K], rows: Iterable[V], key_of: Callable[[V], K]) -> list[list[V]]:
    """The rows of each key, in the order they came."""
    found: dict[K, list[V]] = {key: [] for key in keys}
    for row in rows:
        found[key_of(row)].append(row)
    return [found[key] for key in keys]
