"""Values of a field out of the lists they come in, and their rows back into the same lists."""

from collections.abc import Callable, Sequence
from itertools import chain
from types import NoneType
from typing import Any

from graphql import GraphQLOutputType, get_nullable_type, is_list_type, is_non_null_type
from graphql.pyutils import Path

from engine.compiled.reasons import Deviation, Reason
from engine.compiled.source import Source

LISTS = frozenset([list, tuple])


class Lists:
    """How deep the values of a type lie in lists, and where null may stand. `shown`: the classes they have to be of, if any."""

    def __init__(self, type_: GraphQLOutputType, shown: tuple[type, ...] | None = None) -> None:
        self._lists: list[bool] = []
        """Whether there has to be one: of the field itself, of the items of its list, and so on."""
        while is_list_type(bare := get_nullable_type(type_)):
            self._lists.append(is_non_null_type(type_))
            type_ = bare.of_type
        self._required = is_non_null_type(type_)
        self._deepest = len(self._lists)
        self._shown = shown
        self._known: set[type] = set()
        """Classes of values that have come and may be shown: a program has few."""

    def completed(self, source: Source, column: str, rows: Callable[[str], str]) -> str:
        """Write how the values in a column become rows; `rows` writes it for those that are not null, out of all lists.

        Both take a name and give one. What is written raises Deviation for nulls, lists and exceptions where there may be none.
        """
        return self._completed(source, column, 0, rows)

    def innermost(self, source: Source, column: str) -> str:
        """Write how the values in a column get out of their lists; an expression for them, nulls among them.

        What is written raises Deviation for what is no list, and for lists that are null and may not be.
        """
        for depth in range(self._deepest):
            if depth:
                column = source.put("i", f"list({column})")
            column = f"{source.named('c', chain.from_iterable)}({self._found(source, column, depth)})"
        return column

    def _completed(self, source: Source, column: str, depth: int, rows: Callable[[str], str]) -> str:
        if depth == self._deepest:
            classes = source.put("t", f"set(map(type, {column}))")
            known, there = source.named("k", self._known), source.named("g", self._there)
            found = source.put("f", f"{column} if {classes} <= {known} else {there}({column}, {classes})")
            made = rows(found)
        else:
            found = self._found(source, column, depth)
            inside = source.put("i", f"list({source.named('c', chain.from_iterable)}({found}))")
            cut = source.named("g", _cut)
            made = source.put("r", f"{cut}({found}, {self._completed(source, inside, depth + 1, rows)})")
        put_back = source.named("g", where_not_null)
        return source.put("r", f"{made} if {found} is {column} else {put_back}({column}, {made})")

    def _found(self, source: Source, column: str, depth: int) -> str:
        """Write how the lists in a column are looked at; the name of those that are not null."""
        classes = source.put("t", f"set(map(type, {column}))")
        listed = source.named("g", self._listed if self._lists[depth] else self._listed_or_null)
        lists = source.named("k", LISTS)
        return source.put("f", f"{column} if {classes} <= {lists} else {listed}({column}, {classes})")

    def places(self, column: Sequence[Any], paths: Sequence[Path]) -> Sequence[Path]:
        """Where each of those that are not null stands, in the same order; `paths` are those of the column's own values."""
        for _ in range(self._deepest):
            within = [(value, path) for value, path in zip(column, paths, strict=True) if value is not None]
            paths = [Path(path, index, None) for value, path in within for index in range(len(value))]
            column = [item for value, _ in within for item in value]
        return [path for value, path in zip(column, paths, strict=True) if value is not None]

    def _there(self, column: Sequence[Any], classes: set[type]) -> Sequence[Any]:
        column = _not_null(column, classes, self._required)
        if self._shown is None:
            self._known |= classes
        else:
            check_shown(column, classes, self._shown, self._known)
        return column

    @staticmethod
    def _listed(column: Sequence[Any], classes: set[type], required: bool = True) -> Sequence[Any]:
        column = _not_null(column, classes, required)
        for class_ in classes - LISTS:
            raise Deviation(Reason.LIST, class_.__name__)
        return column

    @staticmethod
    def _listed_or_null(column: Sequence[Any], classes: set[type]) -> Sequence[Any]:
        return Lists._listed(column, classes, required=False)


def check_shown(values: Sequence[Any], classes: set[type], shown: tuple[type, ...], known: set[type]) -> None:
    """Raises Deviation for values of other classes than a type shows. What can be told of all of a class is `known` then."""
    if all(issubclass(class_, shown) for class_ in classes):
        known |= classes
        return
    for value in values:  # its class may be another than its type
        if not isinstance(value, shown):
            wrong(value)


def wrong(value: Any) -> Any:
    """Raises Deviation."""
    raise Deviation(Reason.VALUE, type(value).__name__)


def _not_null(column: Sequence[Any], classes: set[type], required: bool) -> Sequence[Any]:
    """A column without its nulls, which are no longer among its classes then. Raises Deviation for exceptions in it, too."""
    if NoneType in classes:
        if required:
            raise Deviation(Reason.NULL)
        column = [value for value in column if value is not None]
        classes.discard(NoneType)
    for class_ in classes:
        if issubclass(class_, BaseException):
            raise Deviation(Reason.EXCEPTION, class_.__name__)
    return column


def _cut(lists: Sequence[Any], rows: Sequence[Any]) -> list[Sequence[Any]]:
    """Rows in lists as long as these."""
    if len(lists) == 1:
        return [rows]
    end = 0
    return [rows[end : (end := end + len(each))] for each in lists]


def where_not_null(column: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
    """What was made of the values of a column that are not null, in their places."""
    if len(rows) == len(column):
        return rows
    each = iter(rows)
    return [None if value is None else next(each) for value in column]
