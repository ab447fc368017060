"""Rows of a batched read, back in the order of their keys."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Uuid, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def among_ids(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """`column = ANY(:ids)`: any number of keys in one statement with one plan."""
    return column == any_(bindparam("ids", type_=ARRAY(Uuid)))


def each(make: Callable[[Any], V]) -> Callable[[Sequence[Any]], list[V]]:
    """Makes values of rows one by one."""
    return lambda rows: list(map(make, rows))


def one_each(keys: Sequence[K], rows: Iterable[V], key_of: Callable[[V], K]) -> list[V | None]:
    """The row of each key; None for a key without one."""
    found = {key_of(row): row for row in rows}
    return [found.get(key) for key in keys]


def many_each(keys: Sequence[K], rows: Iterable[V], key_of: Callable[[V], K]) -> list[list[V]]:
    """The rows of each key, in the order they came."""
    found: dict[K, list[V]] = {key: [] for key in keys}
    for row in rows:
        found[key_of(row)].append(row)
    return [found[key] for key in keys]
