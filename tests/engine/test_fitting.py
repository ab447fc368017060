"""Values that msgspec reads itself: the same rows as of values that are asked one by one, and nothing shown that is no such value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from engine.compiled import render
from engine.compiled.fitting import ReadWhole
from engine.compiled.reasons import Deviation, Reason
from engine.compiled.render import AGAIN, Renderer
from engine.compiled.selection import Selection, Selector
from engine.declared.fields import attribute, computed, shows
from engine.fragments.rendered import written

SEEN: Any = {"access": None, "description": "x"}


@dataclass
class Tag:
    label: Any = "x"
    weight: Any = 1
    share: Any = 0.5
    url: Any = None
    places: Any = "y"
    is_new: Any = True


@dataclass
class OtherTag:
    label: str = "z"


@dataclass
class Thing:
    tag: Any = None
    tags: Any = ()
    deep: Any = ()
    shown: Any = ()
    name: Any = "x"


def _length(label: str) -> int:
    return len(label)


@strawberry.type(name="Tag")
class TagView:
    label: str = attribute(**SEEN)
    weight: int = attribute(**SEEN)
    share: float = attribute(**SEEN)
    url: str | None = attribute(**SEEN)
    places: str = attribute(**SEEN)
    is_new: bool = attribute(**SEEN)
    length: int = computed(_length, of="label", **SEEN)


@strawberry.type(name="Shown")
class ShownView:
    label: str = attribute(**SEEN)

    is_type_of = shows(Tag)


@strawberry.type(name="Thing")
class ThingView:
    tag: TagView | None = attribute(**SEEN)
    tags: list[TagView] = attribute(**SEEN)
    deep: list[list[TagView | None] | None] | None = attribute(**SEEN)
    shown: list[ShownView] = attribute(**SEEN)
    name: str = attribute(**SEEN)


SCHEMA: GraphQLSchema = strawberry.Schema(ThingView)._schema
ALL = "{ tag { label url } tags { weight label share } deep { url label } }"


def selection(text: str) -> Selection:
    document = parse(text)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    type_ = SCHEMA.query_type
    assert isinstance(type_, GraphQLObjectType)
    return Selector(SCHEMA, document, {}).select(type_, [operation.selection_set])


def rows(things: Sequence[Thing], text: str = ALL) -> Any:
    return shown(Renderer(selection(text)).rows(things))


def shown(rows: Any) -> Any:
    return orjson.loads(orjson.dumps(rows, default=written))


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("{ tags { label url } }", True),
        ("{ deep { weight } }", True),
        ("{ deep { url: label } }", False),  # a client's name
        ("{ tags { label isNew } }", False),  # a name that is not the attribute's
        ("{ shown { label } }", True),
        ("{ tags { label length } }", False),  # computed
        ("{ tags { label __typename } }", False),
        ("{ tags { places } }", False),  # a row has one of that name
    ],
)
def test_what_is_read_whole(text: str, is_read: bool) -> None:
    [field] = selection(text).fields
    assert (ReadWhole.of(field) is not None) is is_read
    things = [Thing(tags=[Tag(), Tag("y")], deep=[[Tag()]], shown=[Tag()])] * 5
    few = rows(things[:1], text)
    assert rows(things, text) == few * 5


TAGS = st.builds(
    Tag,
    st.text(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(),
)
LISTS = st.lists(TAGS, max_size=3) | st.lists(TAGS, max_size=3).map(tuple)
THINGS = st.builds(
    Thing, st.none() | TAGS, LISTS, st.none() | st.lists(st.none() | st.lists(st.none() | TAGS, max_size=3), max_size=3)
)


@given(st.lists(THINGS, min_size=5, max_size=8))
def test_rows_are_those_of_values_asked_one_by_one(things: list[Thing]) -> None:
    renderer = Renderer(selection(ALL))
    [whole, *_] = renderer._at_once
    read = whole.rows(things)
    assert read is not None
    one_by_one = [row for thing in things for row in Renderer(selection(ALL)).rows([thing])]
    assert orjson.dumps(read, default=written) == orjson.dumps(one_by_one, default=written)


class Posing(Exception):
    label, weight, share, url = "x", 1, 0.5, None


class Keyed(dict[str, Any]):
    label, weight, share, url = "x", 1, 0.5, None


class Slotted:
    __slots__ = ("label", "share", "url", "weight")

    def __init__(self, label: str) -> None:
        self.label, self.weight, self.share, self.url = label, 1, 0.5, None


class Told(Tag):
    """One of whose attributes is code."""

    @property
    def label(self) -> str:  # type: ignore[override]
        return "told"

    @label.setter
    def label(self, _value: str) -> None: ...


class Late(Tag):
    @cached_property
    def label(self) -> str:  # type: ignore[override]
        return "late"


class Answers:
    def __getattr__(self, name: str) -> Any:
        if name not in ("label", "weight", "share", "url"):
            raise AttributeError(name)
        return getattr(Tag(), name)


class Minds(Tag):
    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        (Tag(), True),
        (Slotted("x"), True),
        (Told(), False),
        (Late(), False),
        (Answers(), False),
        (Minds(), False),
        (Keyed(), False),
    ],
)
@pytest.mark.parametrize("place", ["tag", "tags", "deep"])
def test_values_are_read_whole_whose_attributes_are_data(place: str, value: Any, is_read: bool) -> None:
    """While msgspec reads a list nothing else may run: it would not notice that the list has become shorter."""
    things = [Thing() for _ in range(6)]
    setattr(things[4], place, {"tag": value, "tags": [value, Tag()], "deep": [None, [None, value]]}[place])
    renderer = Renderer(selection(ALL))
    assert (renderer._at_once[0].rows(things) is not None) is is_read
    assert rows(things) == [rows([thing])[0] for thing in things]


@pytest.mark.parametrize("place", ["tag", "tags", "deep"])
@pytest.mark.parametrize("few", [1, 100])
def test_an_exception_is_not_shown_though_it_has_the_attributes(
    place: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "FEW", few)
    values = {"tag": Posing(), "tags": [Tag(), Posing()], "deep": [None, [None, Posing()]]}
    things = [Thing() for _ in range(6)]
    setattr(things[4], place, values[place])
    with pytest.raises(Deviation) as told:
        rows(things)
    assert told.value.reason in (Reason.EXCEPTION, Reason.VALUE)


@pytest.mark.parametrize("place", ["tag", "tags", "deep"])
def test_a_dict_is_asked_for_its_attributes(place: str) -> None:
    keyed = Keyed(label="by key", weight=7, share=7.0, url="by key")
    values = {"tag": keyed, "tags": [Tag(), keyed], "deep": [None, [None, keyed]]}
    things = [Thing() for _ in range(6)]
    setattr(things[4], place, values[place])
    told = rows(things)
    assert told == [rows([thing])[0] for thing in things]
    assert "by key" not in str(told)
    setattr(things[4], place, {"tag": {}, "tags": [{}], "deep": [[{}]]}[place])
    with pytest.raises(Deviation):
        rows(things)


def test_what_is_there_when_it_is_read_is_what_was_looked_at() -> None:
    """The own attributes of a level's values are read before."""
    things: list[Any] = [*[Thing(tags=[Tag()]) for _ in range(5)], Swapping([Tag()])]
    with pytest.raises(Deviation) as told:
        rows(things, "{ tags { label } name }")
    assert told.value.reason is Reason.EXCEPTION


@dataclass
class Swapping:
    tags: list[Any]

    @property
    def name(self) -> str:
        self.tags[0] = Posing()
        return "x"


class Failing(Tag):
    @property
    def label(self) -> str:  # type: ignore[override]
        raise ValueError("x")

    @label.setter
    def label(self, _value: str) -> None: ...


@pytest.mark.parametrize(
    "text", ["{ tags { url: label } }", "{ tags { label url } }", "{ tags { weight url: label } }"]
)
def test_off_a_value_that_fails_nothing_else_is_read(text: str) -> None:
    with pytest.raises(Deviation) as told:
        rows([Thing(tags=[Failing(url="secret")])] * 6, text)
    assert told.value.reason is Reason.ATTRIBUTE


@pytest.mark.parametrize("value", [None, [None], [Tag(label=None)], [Tag(weight=2**31)], [object()], 5, Tag(), "x"])
def test_what_does_not_fit_is_told_as_of_few(value: Any) -> None:
    things = [Thing() for _ in range(6)]
    things[4].tags = value
    with pytest.raises(Deviation) as of_many:
        rows(things)
    with pytest.raises(Deviation) as of_few:
        rows(things[4:5])
    assert of_many.value.reason in (of_few.value.reason, Reason.LIST)


def test_a_list_that_can_be_read_once_is_left_as_it_is() -> None:
    """graphql-core takes more for a list, and is asked next."""
    tags: Iterator[Tag] = iter([Tag()])
    things = [Thing() for _ in range(6)]
    things[4].tags = tags
    with pytest.raises(Deviation) as told:
        rows(things)
    assert told.value.reason is Reason.LIST
    assert len(list(tags)) == 1


@pytest.mark.parametrize(("wrong", "value"), [("weight", "7"), ("share", 2), ("label", 5)])
def test_a_leaf_that_does_not_fit_is_serialised_by_its_type(wrong: str, value: Any) -> None:
    text = "{ tags { weight label share } deep { weight label share } }"
    odd = Tag(**{wrong: value})
    things = [Thing(tags=[odd], deep=[[odd]]) for _ in range(6)]
    assert rows(things, text) == [rows([thing], text)[0] for thing in things]


@pytest.mark.parametrize("few", [1, 100])
def test_of_a_type_that_looks_at_its_values_no_other_is_shown(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "FEW", few)
    assert rows([Thing(shown=[Tag()])] * 5, "{ shown { label } }") == [{"shown": [{"label": "x"}]}] * 5
    with pytest.raises(Deviation) as told:
        rows([Thing(shown=[Tag(), OtherTag()])] * 5, "{ shown { label } }")
    assert told.value.reason is Reason.VALUE


def test_after_values_that_did_not_fit_they_are_read_whole_again_in_time() -> None:
    renderer = Renderer(selection("{ tags { label } }"))
    whole, by_column = renderer._at_once
    odd, sound = [Thing(tags=[Tag(5)])] * 6, [Thing(tags=[Tag()])] * 6
    assert whole.rows(odd) is None
    for _ in range(AGAIN):
        assert whole.rows(sound) is None
    assert shown(whole.rows(sound)) == shown(by_column.rows(sound))


class Coming:
    def __await__(self) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("value", [Coming(), Posing()])
def test_what_is_to_be_waited_for_is_no_value_though_nothing_is_asked_of_it(value: Any) -> None:
    with pytest.raises(Deviation) as told:
        rows([Thing(tags=[value])], "{ tags { __typename } }")
    assert told.value.reason is Reason.VALUE
