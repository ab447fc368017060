"""Guards: whom they admit, what they refuse, and how often they are asked."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
    parse,
    subscribe,
)

from engine.declared.access import GUARD, NOBODY_YET, Admission, Guard, enforce


class Refused(Exception):
    pass


@dataclass
class Asking:
    viewer: Any
    admitted: Admission = NOBODY_YET


@dataclass
class Diaries:
    """A schema of two diaries, whose `text` is for their writer; it counts decisions and what was read."""

    decisions: list[tuple[str, str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        diary = GraphQLObjectType(
            "Diary",
            {
                "writer": GraphQLField(GraphQLString, resolve=lambda diary, _: diary),
                "text": GraphQLField(GraphQLString, resolve=self._text),
                "place": GraphQLField(GraphQLString, {"floor": GraphQLArgument(GraphQLInt)}, resolve=self._place),
            },
        )
        diaries = GraphQLField(GraphQLList(diary), resolve=lambda *_: ["hanako", "taro"])
        self.schema = GraphQLSchema(GraphQLObjectType("Query", {"diaries": diaries}))
        self.guard = Guard("writer", self._admits, lambda viewer: Refused(f"not for {viewer}"))
        enforce(self.schema, lambda type_, name: self.guard if name in ("text", "place") else None)

    def _text(self, diary: str, _: Any) -> str:
        self.read.append(diary)
        return f"{diary}'s day"

    async def _place(self, diary: str, _: Any, floor: int = 1) -> str:
        await asyncio.sleep(0)
        return f"{diary}'s room, floor {floor}"

    def _admits(self, diary: str, viewer: str) -> bool:
        self.decisions.append((diary, viewer))
        return diary == viewer

    async def ask(self, context: Asking, query: str) -> ExecutionResult:
        result = execute(self.schema, parse(query), context_value=context)
        return await result if asyncio.iscoroutine(result) else result  # type: ignore[return-value]


@pytest.fixture
def diaries() -> Diaries:
    return Diaries()


async def test_a_field_is_shown_to_whom_its_guard_admits_and_nothing_is_read_for_others(diaries: Diaries) -> None:
    result = await diaries.ask(Asking("hanako"), "{ diaries { writer text } }")
    assert result.data == {"diaries": [{"writer": "hanako", "text": "hanako's day"}, {"writer": "taro", "text": None}]}
    [error] = result.errors or []
    assert isinstance(error.original_error, Refused)
    assert error.path == ["diaries", 1, "text"]
    assert diaries.read == ["hanako"]


async def test_a_field_that_is_awaited_or_has_arguments_is_guarded_too(diaries: Diaries) -> None:
    result = await diaries.ask(Asking("taro"), "{ diaries { place(floor: 2) } }")
    assert result.data == {"diaries": [{"place": None}, {"place": "taro's room, floor 2"}]}


async def test_a_rule_is_decided_once_a_value_however_many_fields_have_it(diaries: Diaries) -> None:
    await diaries.ask(Asking("taro"), "{ diaries { a: text writer b: text place c: text } }")
    assert diaries.decisions.count(("taro", "taro")) == 1


async def test_nothing_is_decided_for_a_field_without_a_guard(diaries: Diaries) -> None:
    await diaries.ask(Asking("taro"), "{ diaries { writer } }")
    assert diaries.decisions == []


async def test_an_admission_counts_for_the_viewer_it_was_made_for(diaries: Diaries) -> None:
    """A mutation may sign somebody else in between two fields of one operation."""
    text = diaries.schema.type_map["Diary"].fields["text"].resolve  # type: ignore[union-attr]
    context = Asking("taro")
    info: Any = type("Info", (), {"context": context})
    assert text("taro", info) == "taro's day"
    context.viewer = "hanako"
    with pytest.raises(Refused, match="not for hanako"):
        text("taro", info)


async def test_a_subscription_that_is_refused_does_not_begin() -> None:
    begun = []

    async def days(_root: Any, info: Any) -> Any:
        begun.append(info.context.viewer)
        yield "Monday"

    query = GraphQLObjectType("Query", {"nothing": GraphQLField(GraphQLString)})
    day = GraphQLField(GraphQLString, resolve=lambda day, _: day, subscribe=days)
    schema = GraphQLSchema(query, subscription=GraphQLObjectType("Subscription", {"day": day}))
    guard = Guard("hanako", lambda _, viewer: viewer == "hanako", Refused)
    enforce(schema, lambda type_, name: guard if name == "day" else None)

    async def first(viewer: str) -> ExecutionResult:
        events: Any = subscribe(schema, parse("subscription { day }"), context_value=Asking(viewer))
        events = await events if asyncio.iscoroutine(events) else events
        return events if isinstance(events, ExecutionResult) else await anext(events)

    assert (await first("hanako")).data == {"day": "Monday"}
    [error] = (await first("taro")).errors or []
    assert isinstance(error.original_error, Refused)
    assert begun == ["hanako"]


def test_guards_can_be_read_off_the_schema(diaries: Diaries) -> None:
    fields = diaries.schema.type_map["Diary"].fields  # type: ignore[union-attr]
    assert {name: each.extensions.get(GUARD) for name, each in fields.items()} == {
        "writer": None,
        "text": diaries.guard,
        "place": diaries.guard,
    }
