"""Rows of answers: as orjson would write dicts, whatever is in them; and by column as one by one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from inspect import getclosurevars
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, OperationDefinitionNode, get_nullable_type, parse
from graphql.type import GraphQLInt, GraphQLList, GraphQLNonNull
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.types.base_scalars import isoformat

from engine.compiled import render
from engine.compiled.expressions import QUICK, QUICK_COLUMNS
from engine.compiled.lists import Lists
from engine.compiled.reasons import Deviation, Reason
from engine.compiled.render import AGAIN, Renderer
from engine.compiled.selection import Selector
from engine.compiled.source import Source
from engine.declared.fields import attribute
from engine.fragments.rendered import Rendered, cut, written
from engine.rows import SPARE_BYTES, as_orjson, row_class, writer


class Text(str):
    """A text of another class."""

    __slots__ = ()


class Word(StrEnum):
    A = "a"


class Step(IntEnum):
    ONE = 1


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SEEN: Any = {"access": None, "description": "x"}


@dataclass
class Leaves:
    text: Any = "x"
    number: Any = 1
    share: Any = 0.5
    flag: Any = True
    maybe: Any = None
    at: Any = NOON
    until: Any = None


@strawberry.type
class View:
    text: str = attribute(**SEEN)
    number: int = attribute(**SEEN)
    share: float = attribute(**SEEN)
    flag: bool = attribute(**SEEN)
    maybe: str | None = attribute(**SEEN)
    at: datetime = attribute(**SEEN)
    until: datetime | None = attribute(**SEEN)


SCHEMA: GraphQLSchema = strawberry.Schema(View)._schema


def renderer(text: str = "{ text number share flag maybe again: text __typename }") -> Renderer:
    document = parse(text)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    type_ = SCHEMA.query_type
    assert isinstance(type_, GraphQLObjectType)
    return Renderer(Selector(SCHEMA, document, {}).select(type_, [operation.selection_set]))


def shown(rows: Sequence[Any]) -> Any:
    return orjson.loads(orjson.dumps(list(rows), default=written))


def test_rows_are_written_as_dicts_would_be_under_any_name_a_client_may_choose() -> None:
    keys = ["__class__", "__init__", "places", "as_dict", "__struct_fields__", "v1", "class", "_"]
    row = row_class(keys)(*range(len(keys)))
    assert orjson.dumps(row, default=written) == orjson.dumps({key: number for number, key in enumerate(keys)})
    assert row.as_dict() == {key: number for number, key in enumerate(keys)}
    assert orjson.dumps(row_class([])(), default=written) == b"{}"


@pytest.mark.parametrize(
    "leaf",
    [
        "",
        '茶\u2028\x7f\x00\\"',
        Text("x"),
        Word.A,
        0,
        -(2**63),
        2**64 - 1,
        Step.ONE,
        1.5,
        True,
        [1, ["x"]],
        {"a": None},
    ],
)
def test_a_leaf_is_written_as_orjson_writes_it(leaf: Any) -> None:
    row = row_class(["a"])(as_orjson(leaf))
    assert orjson.dumps(row, default=written) == orjson.dumps({"a": leaf}, default=str)


def test_what_orjson_cannot_write_is_not_written() -> None:
    with pytest.raises(orjson.JSONEncodeError):
        as_orjson(2**64)
    with pytest.raises(orjson.JSONEncodeError):
        orjson.dumps(row_class(["a"])("\ud800"), default=written)


def test_a_fragment_in_a_row_is_cut_out_of_it() -> None:
    inside = Rendered((b"", 1), b'{"b":1}', 0, math.inf, ())
    row = row_class(["a", "b"])([row_class(["c"])(inside)], 5)
    assert orjson.dumps(row, default=written) == b'{"a":[{"c":{"b":1}}],"b":5}'
    assert cut(row) == ((b'{"a":[{"c":', b'}],"b":5}'), [inside])


WRONG: Sequence[tuple[str, Any]] = [
    ("text", None), ("text", b"x"), ("text", ValueError("x")), ("number", 2**31), ("number", 1.5), ("number", "x"),
    ("share", math.nan), ("share", math.inf), ("share", 2**53 + 1), ("share", 10**400), ("flag", "x"), ("maybe", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
@pytest.mark.parametrize("few", [1, 100])
def test_a_leaf_that_does_not_fit_is_told_among_many_and_among_few(
    name: str, value: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "FEW", few)
    values = [Leaves() for _ in range(6)]
    setattr(values[4], name, value)
    with pytest.raises(Deviation) as told:
        renderer().rows(values)
    assert told.value.reason in (Reason.LEAF, Reason.NULL, Reason.VALUE)


ODD: Sequence[tuple[str, Any, Any]] = [
    ("text", Text("y"), "y"), ("text", Word.A, "a"), ("text", 5, "5"), ("number", Step.ONE, 1), ("number", True, 1),
    ("number", 3.0, 3), ("number", "7", 7), ("share", 2, 2.0), ("share", Decimal("0.1"), 0.1), ("flag", 1, True),
    ("maybe", "", ""), ("maybe", Text("y"), "y"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), ODD)
def test_a_leaf_of_another_class_is_serialised_by_its_type_among_many_as_among_few(
    name: str, value: Any, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [Leaves() for _ in range(6)]
    setattr(values[4], name, value)
    rows = renderer().rows
    by_column = shown(rows(values))
    assert by_column == shown(rows(values))  # and so once it is not tried any more
    monkeypatch.setattr(render, "FEW", 100)
    assert by_column == shown(renderer().rows(values))
    assert by_column[4][name] == expected
    assert type(by_column[4][name]) is type(expected)
    assert by_column[5]["__typename"] == "View"


def test_after_a_leaf_that_did_not_fit_columns_are_tried_again_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, tried = renderer().rows, []
    convert = render.msgspec.convert
    monkeypatch.setattr(render.msgspec, "convert", lambda *given, **how: (tried.append(1), convert(*given, **how))[1])
    odd = [Leaves(text=5) for _ in range(6)]
    for _ in range(AGAIN + 2):
        rows(odd)
    assert len(tried) == 2


DEPTH = st.sampled_from([0, 1, 2])


@given(DEPTH, st.data())
def test_rows_are_put_back_where_their_values_were(depth: int, data: st.DataObject) -> None:
    values: Any = st.none() | st.integers(0, 9)
    type_: Any = GraphQLInt
    for _ in range(depth):
        values, type_ = st.none() | st.lists(values, max_size=3), GraphQLList(type_)
    column = data.draw(st.lists(values, max_size=5))
    assert as_they_are(type_)(column) == column
    required = as_they_are(GraphQLNonNull(get_nullable_type(type_)))
    if None in column:
        with pytest.raises(Deviation):
            required(column)
    else:
        assert required(column) == column


def as_they_are(type_: Any) -> Any:
    """A function that takes a column apart and puts it together again."""
    source = Source()
    source.line(f"return {Lists(type_).completed(source, 'column', lambda values: f'list({values})')}")
    return source.function("column")


@given(st.datetimes(timezones=st.just(UTC)))
def test_quick_moments_are_those_of_their_type(moment: datetime) -> None:
    assert QUICK[id(isoformat)](moment) == isoformat(moment)


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1))
def test_quick_columns_of_moments_are_those_of_their_type(moments: list[datetime]) -> None:
    quick = QUICK_COLUMNS[id(isoformat)]
    assert quick(moments, True) == quick(moments, False) == list(map(isoformat, moments))
    assert quick([None, *moments, None], False) == [None, *map(isoformat, moments), None]
    assert quick([None, *moments], True) is quick([None], False) is None


@given(st.decimals())
def test_quick_decimals_are_those_of_their_type(amount: Decimal) -> None:
    assert QUICK[id(str)](amount) == str(amount)


@pytest.mark.parametrize(
    "other",
    [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9))), "2026-01-01", None, 1.5],
)
def test_all_else_is_left_to_the_type(other: Any) -> None:
    assert QUICK[id(isoformat)](other) is None
    assert QUICK_COLUMNS[id(isoformat)]([NOON, other, NOON], True) is None
    assert QUICK[id(str)](other) is None


@pytest.mark.parametrize(
    "other", [NOON, datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9))), None]
)
@pytest.mark.parametrize("few", [1, 100])
def test_moments_are_written_by_column_as_one_by_one(other: Any, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "FEW", few)
    values = [Leaves() for _ in range(6)]
    values[4].until = other
    rows = shown(renderer("{ at until again: until text }").rows(values))
    told = None if other is None else isoformat(other)
    assert [row["until"] for row in rows] == [row["again"] for row in rows] == [None] * 4 + [told, None]
    assert {row["at"] for row in rows} == {isoformat(NOON)}
    values[4].at = other
    if other is None:
        with pytest.raises(Deviation):
            renderer("{ at text }").rows(values)
    else:
        assert shown(renderer("{ at text }").rows(values))[4]["at"] == told


class Holds:
    def __init__(self, inner: Any) -> None:
        self.inner = inner


def test_rows_are_written_one_within_another_and_after_longer_ones() -> None:
    row = row_class(["a", "b"])

    def other(value: Any) -> bytes | None:
        return orjson.dumps(write(value.inner)) if isinstance(value, Holds) else None

    write = writer(other)
    for length in (10, SPARE_BYTES * 2, 0, SPARE_BYTES - 100, 3):
        text = "x" * length
        assert orjson.dumps(write(row(text, Holds(row(1, text))))) == orjson.dumps(
            {"a": text, "b": {"a": 1, "b": text}}
        )
        kept = getclosurevars(write).nonlocals["spare"]
        assert [length <= SPARE_BYTES for length in map(len, kept)] == ([True] if length < SPARE_BYTES else [])
    with pytest.raises(UnicodeEncodeError):
        write(row("\ud800", 1))
    assert orjson.dumps(write(row(1, 2))) == b'{"a":1,"b":2}'
