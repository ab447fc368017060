"""Values of a field out of the lists they come in, and their rows back into the same lists."""

from collections.abc import Sequence
from itertools import chain
from types import NoneType
from typing import Any

from graphql import GraphQLOutputType, get_nullable_type, is_list_type, is_non_null_type
from graphql.pyutils import Path

from engine.compiled.reasons import Deviation, Reason

LISTS = frozenset([list, tuple])


class Lists:
    """How deep the values of a type lie in lists, and where null may stand."""

    def __init__(self, type_: GraphQLOutputType) -> None:
        self._lists: list[bool] = []
        """Whether there has to be one: of the field itself, of the items of its list, and so on."""
        while is_list_type(bare := get_nullable_type(type_)):
            self._lists.append(is_non_null_type(type_))
            type_ = bare.of_type
        self._required = is_non_null_type(type_)
        self._deepest = len(self._lists)
        self._known: set[type] = set()
        """Classes of values that have come and are no exceptions: a program has few."""

    def flat(self, column: Sequence[Any]) -> Sequence[Any]:
        """What is not null. Raises Deviation for nulls, lists and exceptions where there may be none."""
        for required in self._lists:
            classes = set(map(type, column))
            if not classes <= LISTS:
                column = self._there(column, classes, required)
                for class_ in classes - LISTS:
                    raise Deviation(Reason.LIST, class_.__name__)
            column = list(chain.from_iterable(column))
        classes = set(map(type, column))
        if not classes <= self._known:
            column = self._there(column, classes, self._required)
            self._known |= classes
        return column

    def places(self, column: Sequence[Any], paths: Sequence[Path]) -> Sequence[Path]:
        """Where each of them stands, in the same order; `paths` are those of the column's own values."""
        for _ in range(self._deepest):
            within = [(value, path) for value, path in zip(column, paths, strict=True) if value is not None]
            paths = [Path(path, index, None) for value, path in within for index in range(len(value))]
            column = [item for value, _ in within for item in value]
        return [path for value, path in zip(column, paths, strict=True) if value is not None]

    def put_back(self, column: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
        """The column with these for what is not null."""
        return self._put_back(column, rows, self._deepest)

    def _put_back(self, column: Sequence[Any], rows: Sequence[Any], depth: int) -> Sequence[Any]:
        if not depth:
            return rows if len(rows) == len(column) else _where_not_null(column, rows)
        if depth == 1 and None not in column:
            cut, end = _cut(column, rows)
            if end == len(rows):  # nor is there a null in any of them
                return cut
        lists = [value for value in column if value is not None]
        if depth > 1 or len(rows) < sum(map(len, lists)):
            rows = self._put_back(list(chain.from_iterable(lists)), rows, depth - 1)
        cut, _ = _cut(lists, rows)
        return cut if len(cut) == len(column) else _where_not_null(column, cut)

    @staticmethod
    def _there(column: Sequence[Any], classes: set[type], required: bool) -> Sequence[Any]:
        """A column without its nulls, which are no longer among its classes then."""
        if NoneType in classes:
            if required:
                raise Deviation(Reason.NULL)
            column = [value for value in column if value is not None]
            classes.discard(NoneType)
        for class_ in classes:
            if issubclass(class_, BaseException):
                raise Deviation(Reason.EXCEPTION, class_.__name__)
        return column


def _cut(lists: Sequence[Any], rows: Sequence[Any]) -> tuple[list[Sequence[Any]], int]:
    """Rows in lists as long as these, and how many they take."""
    end = 0
    return [rows[end : (end := end + len(each))] for each in lists], end


def _where_not_null(column: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
    each = iter(rows)
    return [None if value is None else next(each) for value in column]
