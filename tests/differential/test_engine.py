"""The compiled engine against graphql-core: the same data in the same order, the same errors, nothing asked twice."""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    KnownDirectivesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)

from engine.compiled import levels, render
from engine.compiled.counts import Compiled
from engine.compiled.engine import Engine
from engine.compiled.reasons import Reason
from engine.fragments.store import Store
from engine.reading.bounds import KIB, Limits
from engine.reading.cost import price_of
from engine.reading.price import Price
from tests.answers import read
from tests.differential.operations import Operations
from tests.differential.wide import wide_schema
from tests.differential.world import VIEWERS, Context, World, loader_types, made_up, real_schema

# graphql-core leaves what it had begun below a null that an error made.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FAULT_RATES = (0.0, 0.0, 0.01, 0.05)
CASES = int(os.environ.get("FUZZ_CASES", "2000"))
"""How many operations are tried; `make fuzz` tries 200,000."""
PART = 500
BROKEN = (
    KnownDirectivesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    ValuesOfCorrectTypeRule,
)
"""What operations at random may break. The other rules are half of the time it all takes, and asked in the long form alone."""
RULES = specified_rules if "FUZZ_CASES" in os.environ else BROKEN
CATALOGUE = ("product", "products", "recommendations", "search")


SCHEMAS = {"real": real_schema, "wide": wide_schema}


@pytest.fixture(scope="module", params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> GraphQLSchema:
    return made_up(SCHEMAS[request.param]())


@dataclass(slots=True)
class Drawn:
    """An operation at random: valid, read and priced once, and what each engine knows of it."""

    text: str
    document: DocumentNode
    operation: OperationDefinitionNode
    price: Price
    variables: dict[str, Any]
    known: defaultdict[Engine, dict[str, Compiled]] = field(default_factory=lambda: defaultdict(dict))


def draw(schema: GraphQLSchema, seed: int, roots: Sequence[str] = ()) -> Drawn | None:
    """The operation of a seed; None where it is not valid."""
    operations = Operations(schema, random.Random(seed), roots)
    text = operations.operation()
    document = parse(text)
    if validate(schema, document, RULES):
        return None
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return Drawn(text, document, operation, price_of(schema, document, operation, Limits()), operations.variables)


async def outcome(schema: GraphQLSchema, engine: Engine, drawn: Drawn, seed: int) -> Any:
    """What came of an operation: the answer's bytes, its errors whatever their order, what it cost, what was asked for it."""
    dice = random.Random(seed)
    world = World(schema, seed, dice.choice(FAULT_RATES))
    context = Context(world, loader_types(schema), dice.choice(VIEWERS))
    compiled = drawn.known[engine]
    result = await engine.execute(drawn.document, drawn.operation, compiled, drawn.variables, context)
    cost = drawn.price.actual(result.data)
    data = read(result.data)
    # written once more: an exponent may be 300 or +300
    return orjson.dumps(data), errors_of(ExecutionResult(data, result.errors)), cost, world.calls


def errors_of(result: ExecutionResult) -> tuple[Counter[bytes], set[tuple[Any, ...]]]:
    """Errors that stand in the answer where it is null; and the nulls above those that lie deeper.

    What else went wrong below a null depends on what came first (GraphQL specification, "Handling Field Errors").
    """
    seen: Counter[bytes] = Counter()
    above: set[tuple[Any, ...]] = set()
    for error in result.errors or ():
        path = error.path or []
        depth = null_at(result.data, path)
        if depth == len(path):
            told = {
                **error.formatted,
                "code": getattr(error.original_error, "code", type(error.original_error).__name__),
            }
            seen[orjson.dumps(told, default=str)] += 1
        else:
            above.add(tuple(path[:depth]))
    return seen, above


def null_at(data: Any, path: list[str | int]) -> int:
    """How far a path leads until there is null."""
    for depth, key in enumerate(path):
        if data is None:
            return depth
        data = data[key]
    assert data is None, f"an error at {path}, and a value"
    return len(path)


async def compare(schema: GraphQLSchema, seed: int, drawn: Drawn, compiled: Engine, stock: Engine) -> None:
    theirs = await outcome(schema, stock, drawn, seed)
    with pytest.MonkeyPatch.context() as patched:
        for module in (render, levels):  # lists are short here
            patched.setattr(module, "FEW", 1 + seed % 2 * 3)
        raised = compiled.counts.reasons[Reason.ATTRIBUTE]
        ours = await outcome(schema, compiled, drawn, seed)
    about = f"seed {seed}: {drawn.text} {drawn.variables}"
    assert ours[0] == theirs[0], about
    assert ours[1] == theirs[1], about
    assert ours[2] == theirs[2], about
    assert max(ours[3].values(), default=0) <= 1, about
    if not any(theirs[1]):  # else a plan has met with a fault of its own
        assert compiled.counts.reasons[Reason.ATTRIBUTE] == raised, about


@pytest.mark.parametrize("first", range(0, CASES // len(SCHEMAS), PART))
async def test_operations_at_random(schema: GraphQLSchema, first: int) -> None:
    compiled, stock = Engine(schema, compile_at=1), Engine(schema, compile_at=None)
    cases = range(first, first + PART)
    compared = 0
    for seed in cases:
        if drawn := draw(schema, seed):
            await compare(schema, seed, drawn, compiled, stock)
            compared += 1
    assert compared > len(cases) * 0.7
    assert compiled.counts.compiled > len(cases) * 0.2
    assert compiled.counts.deviated > len(cases) * 0.04
    assert stock.counts.compiled == 0


async def test_operations_at_random_out_of_fragments() -> None:
    """Each of them four times: what the first keeps the second shows, and the others in part."""
    schema = made_up(real_schema())
    dice = random.Random(0)
    hits = placed = 0
    for seed in range(CASES, CASES + CASES // 20):
        store = Store(4096 * KIB, clock=lambda: 0.0)
        store.joined()
        kept, stock = Engine(schema, compile_at=1, store=store), Engine(schema, compile_at=None)
        drawn = draw(schema, seed, CATALOGUE)
        for forgotten in (0.0, 0.0, 0.3, 0.3) if drawn else ():
            store.forget([tag for tag in store.tags() if dice.random() < forgotten])
            await compare(schema, seed, drawn, kept, stock)
        hits += store.counts.hits
        placed += len(kept._places._known)
    assert hits > CASES // 100
    assert placed > CASES // 500
