"""Plans: when there is one, what it asks for, and how graphql-core takes over. tests/differential/ compares answers at large."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, parse, validate
from strawberry.directive import DirectiveLocation, DirectiveValue

from engine.compiled.counts import MAX_FAILURES, MAX_VARIANTS, RETRY_EVERY, Compiled
from engine.compiled.engine import COMPILE_ABOVE, Engine
from engine.declared.access import NOBODY_YET
from engine.declared.fields import attribute, computed, edge, mutation, resolver
from engine.declared.kinds import Arguments
from engine.loading import BatchLoader
from tests.answers import read_result


@dataclass(frozen=True)
class Maker:
    id: int
    name: str | None


@dataclass(frozen=True)
class Thing:
    id: int
    maker_id: Any
    name: str = "thing"
    tags: tuple[str, ...] = ("a", "b")


def things(info: Any, first: int = 3) -> list[Thing]:
    info.context.calls.append("things")
    if first < 0:
        raise ValueError("too few")
    return [Thing(number, number % 2) for number in range(first)]


def made_by(info: Any, makers: str) -> list[Thing]:
    info.context.calls.append("made")
    return [Thing(number, key) for number, key in enumerate(orjson.loads(makers))]


async def make_thing(info: Any, name: str) -> Thing:
    info.context.calls.append(f"make {name}")
    if name == "wrong":
        return Thing(0, 99, name)  # of a maker without a name
    return Thing(0, 1, name)


@strawberry.type
class MakerView:
    id: int = attribute(access=None, description="x")
    name: str = attribute(access=None, description="x")


@strawberry.type
class ThingView:
    id: int = attribute(access=None, description="x")
    name: str = attribute(access=None, description="x")
    tags: list[str] = attribute(access=None, description="x")
    label: str = computed(lambda thing: f"{thing.name} {thing.id}", access=None, description="x")
    maker: MakerView | None = edge("makers", key="maker_id", access=None, description="x")


async def _things(info: strawberry.Info, first: int = 3) -> object:
    return things(info, first)


async def _made(info: strawberry.Info, by: str) -> object:
    return made_by(info, by)


async def _make(info: strawberry.Info, name: str) -> object:
    return await make_thing(info, name)


@strawberry.type
class Query:
    things: list[ThingView] = resolver(_things, access=None, description="x", graphql_type=list[ThingView])
    made: list[ThingView] = resolver(_made, access=None, description="x", graphql_type=list[ThingView])


@strawberry.type
class Mutation:
    make: ThingView | None = mutation(_make, access=None, description="x", graphql_type=ThingView | None)


@strawberry.directive(locations=[DirectiveLocation.FIELD, DirectiveLocation.INLINE_FRAGMENT])
def custom(value: DirectiveValue[object]) -> object:
    return value


@strawberry.directive(locations=[DirectiveLocation.QUERY])
def whole(value: DirectiveValue[object]) -> object:
    return value


SCHEMA: GraphQLSchema = strawberry.Schema(Query, Mutation, directives=[custom, whole])._schema


@dataclass
class Context:
    viewer: object = None
    admitted: Any = NOBODY_YET
    calls: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loaders = self
        self._makers = BatchLoader(self._load)

    async def _load(self, keys: list[int]) -> list[Maker]:
        self.calls.append(sorted(keys))
        await asyncio.sleep(0)
        return [Maker(key, None if key == 99 else f"maker {key}") for key in keys]

    async def load_level(self, _loader: str, keys: Any, _arguments: Arguments = ()) -> Any:
        return await self._makers.level(keys)

    async def load(self, _loader: str, key: Any, _arguments: Arguments = ()) -> Any:
        return await self._makers.one(key)

    def forget(self) -> None:
        self._makers = BatchLoader(self._load)


class Runner:
    """Sends one document through an engine, again and again."""

    def __init__(self, text: str, *, compile_at: int | None = 1) -> None:
        self.engine = Engine(SCHEMA, compile_at=compile_at)
        self.document = parse(text)
        assert not validate(SCHEMA, self.document)
        [self.operation] = [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]
        self.known: dict[str, Compiled] = {}
        self.context = Context()

    async def run(self, **variables: Any) -> ExecutionResult:
        self.context = Context()
        return read_result(
            await self.engine.execute(self.document, self.operation, self.known, variables, self.context)
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        counts = self.engine.counts
        return counts.compiled, counts.interpreted, counts.deviated


async def test_an_edge_is_loaded_once_for_all_of_a_level() -> None:
    runner = Runner("{ things(first: 4) { label maker { name } tags } }")
    result = await runner.run()
    assert result.data is not None
    assert result.data["things"][3] == {"label": "thing 3", "maker": {"name": "maker 1"}, "tags": ["a", "b"]}
    assert runner.context.calls == ["things", [0, 1]]
    assert runner.counts == (1, 0, 0)


@pytest.mark.parametrize(
    ("makers", "loaded", "ran"),
    [
        ("[1, null, 2, 1, null]", [[1, 2]], (1, 0, 0)),
        ("[1, 99, null, 99, 1]", [[1, 99]], (0, 0, 1)),
        ("[null, null]", [], (1, 0, 0)),
        ("[1, 2, 3, 4, 5, 5, 1, null]", [[1, 2, 3, 4, 5]], (1, 0, 0)),
    ],
)
async def test_what_comes_twice_is_loaded_once_and_shown_twice(makers: str, loaded: list[Any], ran: Any) -> None:
    text = "query ($by: String!) { made(by: $by) { id maker { id name } } }"
    runner, stock = Runner(text), Runner(text, compile_at=None)
    result = await runner.run(by=makers)
    assert result == await stock.run(by=makers)
    assert runner.context.calls == ["made", *loaded] == stock.context.calls
    assert runner.counts == ran


async def test_a_key_that_is_none_is_told_as_graphql_core_tells_it() -> None:
    text = "query ($by: String!) { made(by: $by) { id maker { id } } }"
    results = [await Runner(text, compile_at=at).run(by="[1, [2], 1]") for at in (1, None)]
    assert results[0] == results[1]
    assert [error.path for error in results[0].errors or ()] == [["made", 1, "maker"]]


async def test_a_document_is_compiled_when_it_comes_again() -> None:
    runner = Runner("{ things { id } }", compile_at=2)
    first, second = await runner.run(), await runner.run()
    assert first == second
    assert runner.counts == (1, 1, 0)


async def test_the_stock_engine_compiles_nothing() -> None:
    runner = Runner("{ things { id } }", compile_at=None)
    for _ in range(3):
        await runner.run()
    assert runner.counts == (0, 3, 0)


async def test_an_operation_that_costs_much_is_compiled_the_first_time() -> None:
    document = parse("{ things { id } }")
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    for cost, compiled in ((COMPILE_ABOVE, 0), (COMPILE_ABOVE + 1, 1)):
        engine = Engine(SCHEMA, compile_at=2)
        result = read_result(await engine.execute(document, operation, {}, None, Context(), cost))
        assert result.data == {"things": [{"id": 0}, {"id": 1}, {"id": 2}]}
        assert engine.counts.compiled == compiled
    never = Engine(SCHEMA, compile_at=None)
    await never.execute(document, operation, {}, None, Context(), COMPILE_ABOVE + 1)
    assert never.counts.compiled == 0


async def test_variables_that_do_not_fit_are_told_by_graphql_core() -> None:
    runner = Runner("query ($n: Int!) { things(first: $n) { id } }")
    result = await runner.run(n="x")
    assert result.data is None
    assert result.errors is not None
    assert "Int cannot represent" in result.errors[0].message
    assert runner.context.calls == []


async def test_what_was_loaded_is_not_loaded_again_when_graphql_core_takes_over() -> None:
    runner = Runner('mutation { a: make(name: "wrong") { name maker { name } } b: make(name: "right") { name } }')
    result = await runner.run()
    assert result.data == {"a": {"name": "wrong", "maker": None}, "b": {"name": "right"}}
    assert [error.path for error in result.errors or ()] == [["a", "maker", "name"]]
    assert runner.context.calls == ["make wrong", [99], "make right"]
    assert runner.counts == (0, 0, 1)


async def test_mutations_run_one_after_the_other() -> None:
    runner = Runner('mutation { a: make(name: "one") { maker { id } } b: make(name: "two") { id } }')
    await runner.run()
    assert runner.context.calls == ["make one", [1], "make two"]


async def test_what_a_mutation_shows_was_loaded_after_it_wrote() -> None:
    for compile_at in (None, 1):
        runner = Runner(
            'mutation { a: make(name: "one") { maker { id } } b: make(name: "two") { maker { id } } }',
            compile_at=compile_at,
        )
        await runner.run()
        assert runner.context.calls == ["make one", [1], "make two", [1]]


async def test_what_a_mutation_loaded_anew_stays_so_when_graphql_core_takes_over() -> None:
    """Where both show the same value in the same selection."""
    one = Thing(0, 1, "one")

    async def write(info: strawberry.Info, name: str) -> object:
        if name == "boom":
            raise ValueError(name)
        info.context.calls.append(name)
        return one

    @strawberry.type
    class Mutation:
        put: ThingView | None = mutation(write, access=None, description="x", graphql_type=ThingView | None)

    class Renaming(Context):
        async def _load(self, keys: list[int]) -> list[Maker]:
            return [Maker(key, f"after {self.calls[-1]}") for key in keys]

    schema = strawberry.Schema(Query, Mutation)._schema
    document = parse("""
        mutation { a: put(name: "a") { ...F } b: put(name: "b") { ...F } x: put(name: "boom") { id } c: put(name: "c") { ...F } }
        fragment F on ThingView { maker { name } }
    """)
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    for compile_at in (None, 1):
        result = read_result(
            await Engine(schema, compile_at=compile_at).execute(document, operation, {}, {}, Renaming())
        )
        assert result.data is not None
        assert result.data.pop("x") is None
        assert result.data == {each: {"maker": {"name": f"after {each}"}} for each in "abc"}


async def test_an_operation_that_keeps_deviating_is_left_to_graphql_core() -> None:
    runner = Runner('mutation { make(name: "wrong") { maker { name } } }')
    for _ in range(MAX_FAILURES + 5):
        await runner.run()
    assert runner.counts == (0, 5, MAX_FAILURES)
    assert runner.known[""].is_pinned
    assert runner.known[""].counts.why() == runner.engine.counts.why() == {"null": MAX_FAILURES, "pinned": 5}


async def test_a_plan_is_tried_again_now_and_then_after_it_kept_deviating() -> None:
    runner = Runner("mutation ($name: String!) { make(name: $name) { maker { name } } }")
    for _ in range(RETRY_EVERY - 1):
        await runner.run(name="wrong")
    for _ in range(2):
        assert (await runner.run(name="right")).errors is None
    assert runner.counts == (2, RETRY_EVERY - 1 - MAX_FAILURES, MAX_FAILURES)


@pytest.mark.parametrize(
    ("query", "variables", "reason"),
    [
        ("{ things { id @custom } }", {}, "directive"),
        ("{ ...on Query @custom { things { id } } }", {}, "directive"),
        ("query ($n: Int!) { things(first: $n) { id } }", {"n": "x"}, "variables"),
        ("query ($n: Int!) { things(first: $n) { id } }", {"n": -1}, "exception"),
        ("{ __schema { description } }", {}, "description"),
    ],
)
async def test_why_there_was_no_plan_is_counted_by_name(query: str, variables: dict[str, Any], reason: str) -> None:
    runner = Runner(query)
    await runner.run(**variables)
    assert runner.engine.counts.why() == runner.known[""].counts.why() == {reason: 1}
    assert runner.engine.counts.runs()["compiled"] == 0


async def test_a_directive_on_the_operation_is_not_the_plan_s_concern() -> None:
    runner = Runner("query @whole { things(first: 1) { id } }")
    assert (await runner.run()).data == {"things": [{"id": 0}]}
    assert runner.counts == (1, 0, 0)


async def test_each_combination_of_conditions_has_a_plan_and_there_are_not_many() -> None:
    names = [f"c{number}" for number in range(5)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"f{name}: id @include(if: ${name})" for name in names)
    runner = Runner(f"query ({declared}) {{ things(first: 1) {{ {fields} name }} }}")
    for bits in range(2**5):
        wanted = {name: bool(bits >> number & 1) for number, name in enumerate(names)}
        result = await runner.run(**wanted)
        assert result.data is not None
        assert set(result.data["things"][0]) == {"name", *(f"f{name}" for name, there in wanted.items() if there)}
    assert len(runner.known[""].plans) == MAX_VARIANTS


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } things { id } }']
)
async def test_what_describes_the_schema_is_left_to_graphql_core(query: str) -> None:
    runner = Runner(query)
    await runner.run()
    assert runner.counts == (0, 1, 0)


async def test_names_of_a_client_are_texts_in_a_plan_and_nothing_else() -> None:
    # every name that GraphQL allows, those of Python and of the plan's own variables too
    names = ["values", "render", "null", "isfinite", "o", "e0", "c0", "v1", "lambda", "None", "__import__", "_"]
    fields = " ".join(f"{name}: name" for name in names)
    runner = Runner(f"{{ values: things(first: 2) {{ {fields} e1: maker {{ o: name }} }} }}")
    result = await runner.run()
    assert result.data is not None
    assert result.data["values"][0] == dict.fromkeys(names, "thing") | {"e1": {"o": "maker 0"}}
    assert runner.counts == (1, 0, 0)


async def test_loaders_that_raise_fail_the_fields_that_asked_them(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> object:
        raise OSError("down")

    monkeypatch.setattr(Context, "load_level", down)
    monkeypatch.setattr(Context, "load", down)
    runner = Runner("{ things(first: 2) { id maker { name } } }")
    result = await runner.run()
    assert result.data == {"things": [{"id": 0, "maker": None}, {"id": 1, "maker": None}]}
    assert [error.path for error in result.errors or ()] == [["things", 0, "maker"], ["things", 1, "maker"]]
    assert runner.context.calls == ["things"]
    assert runner.engine.counts.why() == {"exception": 1}


async def test_a_list_that_is_empty_asks_for_nothing() -> None:
    runner = Runner("{ things(first: 0) { maker { name } } }")
    assert (await runner.run()).data == {"things": []}
    assert runner.context.calls == ["things"]
