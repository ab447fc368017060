"""Values of a field out of the lists they come in, and their rows back into the same lists."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from graphql import GraphQLOutputType, is_list_type, is_non_null_type
from graphql.pyutils import Path

from engine.compiled.reasons import Deviation, Reason

LISTS = (list, tuple)


class Lists:
    """How deep the values of a type lie in lists, and where null may stand."""

    def __init__(self, type_: GraphQLOutputType) -> None:
        self._required: list[bool] = []
        """Of the field itself, of the items of its list, and so on."""
        while True:
            self._required.append(is_non_null_type(type_))
            bare = type_.of_type if is_non_null_type(type_) else type_
            if not is_list_type(bare):
                break
            type_ = bare.of_type
        self._deepest = len(self._required) - 1

    def flat(self, column: Sequence[Any]) -> Sequence[Any]:
        """What is not null. Raises Deviation for nulls, lists and exceptions where there may be none."""
        for required in self._required[:-1]:
            column = list(chain.from_iterable(self._there(column, required, in_lists=True)))
        return self._there(column, self._required[-1], in_lists=False)

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
    def _there(column: Sequence[Any], required: bool, *, in_lists: bool) -> Sequence[Any]:
        """A column without its nulls. Its classes tell most of it, and they are few."""
        classes = set(map(type, column))
        if type(None) in classes:
            if required:
                raise Deviation(Reason.NULL)
            column = [value for value in column if value is not None]
            classes.discard(type(None))
        for class_ in classes:
            if issubclass(class_, BaseException):
                raise Deviation(Reason.EXCEPTION, class_.__name__)
            if in_lists and class_ not in LISTS:
                raise Deviation(Reason.LIST, class_.__name__)
        return column


def _cut(lists: Sequence[Any], rows: Sequence[Any]) -> tuple[list[Sequence[Any]], int]:
    """Rows in lists as long as these, and how many they take."""
    end = 0
    return [rows[end : (end := end + len(each))] for each in lists], end


def _where_not_null(column: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
    each = iter(rows)
    return [None if value is None else next(each) for value in column]
