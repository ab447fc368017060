"""What an operation costs before it runs, and what its answer shows that it did."""

import asyncio
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, OperationDefinitionNode, execute_sync, get_introspection_query, parse

from bench.operations import CHOICE, FEED, LIST, PRODUCT
from engine.exchange import Request
from engine.execution import Executor
from engine.fairness.allowance import Bucket, Demand, NotAdmitted
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.reading.cost import price_of
from engine.reading.price import Price
from schema.build import build_schema
from schema.examples import EXAMPLES

SCHEMA = build_schema()._schema
README = (Path(__file__).parents[2] / "README.md").read_text()


def price(query: str) -> Price:
    document = parse(query)
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return price_of(SCHEMA, document, operation, Limits())


def requested(query: str, **variables: Any) -> float:
    """Not rounded, which would hide the small ones."""
    compiled = price(query)
    return round(compiled.root.requested({**compiled.defaults, **variables}), 2)


PAGE = "{ products(first: %s) { nodes { name seller { name } } } }"


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ __typename }", 0.1),
        ("{ cart { totalQuantity } }", 1.1 + 0.1),
        (PAGE % 0, 2.1 + 0.1),
        (PAGE % 10, 2.1 + 0.1 + 10 * (0.1 + 1.1 + 0.1)),
        ("{ products { nodes { name } } }", 2.2 + 20 * 0.1),
        ("{ products(last: 3) { nodes { name } edges { cursor } } }", 2.3 + 3 * 0.1 + 3 * 0.1),
        ("{ products(first: 3) { totalCount { value } } }", 2.1 + 5.1 + 0.1),
        ("{ products(first: 3) { nodes { reviews(first: 5) { nodes { id } } } } }", 2.2 + 3 * (2.1 + 0.1 + 5 * 0.1)),
        ("{ categories { name children { name } } }", 1.1 + 20 * (0.1 + 1.1 + 10 * 0.1)),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 2.1 + 3 * 0.1),
        ('mutation { cartItemRemove(input: {lineId: ""}) { cart { version } } }', 10.1 + 0.1 + 0.1),
        # execution merges these, so they cost once
        ("{ cart { version } cart { version } ...F } fragment F on Query { cart { version } }", 1.2),
        ("{ a: cart { version } b: cart { version } }", 2.4),
        ("{ cart @skip(if: true) { version } viewer @include(if: false) { id } }", 0),
        ("{ ...F } fragment F on Query { products(first: 2) { ...G } } fragment G on ProductConnection"
         " { nodes { name } }", 2.2 + 0.2),
        ('{ node(id: "") { id ... on Product { name } ... on Seller { name } } }', 1.1 + 0.3),
    ],
)  # fmt: skip
def test_lists_multiply_and_edges_weigh_what_they_cost(query: str, cost: float) -> None:
    assert requested(query) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("declared", "variables", "size"),
    [
        ("$n: Int", {"n": 7}, 7),
        ("$n: Int", {}, 20),
        ("$n: Int", {"n": None}, 20),
        ("$n: Int = 5", {}, 5),
        ("$n: Int = 5", {"n": 7}, 7),
        ("$n: Int = 5", {"n": None}, 20),
        ("$n: Int", {"n": -5}, 0),
        ("$n: Int", {"n": 7.0}, 7),
        ("$n: Int", {"n": "7"}, 20),
        ("$n: Int", {"n": True}, 20),
        ("$n: Int", {"n": 1e300}, 1_000_000_000),
    ],
)
def test_sizes_come_from_variables_and_their_defaults(declared: str, variables: dict[str, Any], size: int) -> None:
    query = f"query ({declared}) {{ products(first: $n) {{ nodes {{ name }} }} }}"
    assert requested(query, **variables) == pytest.approx(2.2 + size * 0.1)


def test_ids_in_variables_are_counted() -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert requested(query, ids=["a", "b"]) == pytest.approx(2.1 + 0.2)


@pytest.mark.parametrize(("variables", "cost"), [({}, 1.2), ({"x": True}, 1.2), ({"x": False}, 0), ({"x": None}, 1.2)])
def test_what_variables_leave_out_costs_nothing(variables: dict[str, Any], cost: float) -> None:
    query = "query ($x: Boolean! = true) { ... @include(if: $x) { cart { version } } }"
    assert requested(query, **variables) == pytest.approx(cost)


def test_a_field_that_is_there_in_any_case_costs_in_any_case() -> None:
    query = "query ($x: Boolean!) { cart @include(if: $x) { version } cart { version } }"
    assert requested(query, x=False) == pytest.approx(1.2)


def test_no_number_is_too_large_to_be_told() -> None:
    query = (
        "query ($n: Int) { products(first: $n) { nodes { reviews(first: $n) { nodes { author { displayName } } } } } }"
    )
    assert price(query).requested({"n": 2**31 - 1}) == 1_000_000_000
    assert requested("query ($n: Float = " + "9" * 5_000 + ") { cart { version } }") == pytest.approx(1.2)


def readme_query() -> str:
    found = re.search(r"'query=(\{.*?\n +\})'", README, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("query", [*EXAMPLES, PRODUCT, LIST, FEED, readme_query()])
def test_the_operations_we_show_are_far_below_the_highest_cost(query: str) -> None:
    assert price(query).requested({}) < Limits().cost / 10


def test_the_readme_shows_what_its_query_costs() -> None:
    shown = re.search(r'"requested": (\d+)', README)
    assert shown
    assert price(readme_query()).requested({}) == int(shown[1])


@pytest.mark.parametrize("query", [CHOICE, get_introspection_query(input_value_deprecation=True)])
def test_tools_find_room_too(query: str) -> None:
    assert price(query).requested({}) < Limits().cost


DEEP = "{ __schema { types { fields { args { type { kind ofType { kind ofType { kind ofType { kind } } } } } } } } }"


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name fields { name args { name } } enumValues { name } inputFields { name } } } }",
        "{ __schema { directives { name args { name type { name } } } types { possibleTypes { name } } } }",
        DEEP,
        get_introspection_query(input_value_deprecation=True),
    ],
)
def test_a_description_of_the_schema_is_priced_as_what_it_has(query: str) -> None:
    result = execute_sync(SCHEMA, parse(query))
    assert price(query).requested({}) == pytest.approx(price(query).actual(result.data), rel=0.1)


def test_what_may_be_described_more_than_once_is_priced_by_the_most_there_is() -> None:
    longest = max(len(each.fields) for each in SCHEMA.type_map.values() if isinstance(each, GraphQLObjectType))
    assert requested('{ __type(name: "Cart") { fields { name } } }') == pytest.approx(0.1 + 0.2 + longest * 0.2)
    once = requested("{ __schema { types { fields { name } } } }")
    twice = requested("{ __schema { types { fields { name type { fields { name } } } } } }")
    every_field = once - requested("{ __schema { types { fields { name @skip(if: true) } } } }")
    assert twice - once == pytest.approx(every_field * (1 + 1 + longest), rel=0.01)


@pytest.mark.parametrize(
    ("data", "cost"),
    [
        (None, 0),
        ({"products": None}, 2.1),
        ({"products": {"nodes": []}}, 2.1 + 0.1),
        ({"products": {"nodes": [{"name": "a", "seller": None}]}}, 2.2 + 0.1 + 1.2),
        ({"products": {"nodes": [{"name": "a", "seller": {"name": "b"}}, None]}}, 2.2 + 1 * (0.1 + 1.2) * 2),
    ],
)
def test_the_actual_cost_is_that_of_the_lists_that_came_back(data: dict[str, Any] | None, cost: float) -> None:
    compiled = price(PAGE % 100)
    assert compiled.actual(data) == pytest.approx(-(-cost // 1))


def test_the_actual_cost_of_lists_in_lists_is_that_of_each() -> None:
    compiled = price("{ products(first: 9) { nodes { reviews(first: 9) { nodes { id } } } } }")
    rows = [{"reviews": {"nodes": [{"id": "x"}] * n}} for n in (0, 2, 4)]
    assert compiled.actual({"products": {"nodes": [*rows, {"reviews": None}]}}) == -(
        -(2.2 + 4 * 2.1 + 3 * 0.1 + 0.6) // 1
    )


class Purse:
    """An allowance of one client, kept here."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.demands: list[Demand] = []

    def begin(self, context: Any) -> str:
        return "client"

    def end(self, client: Hashable) -> None:
        assert client == "client"

    async def take(self, context: Any, demand: Demand) -> Bucket | None:
        self.demands.append(demand)
        if demand.cost > self.left:
            raise NotAdmitted(429, {"message": "Too much at once."}, {"retry-after": "3"})
        self.left -= demand.cost
        return Bucket(100, self.left, 10)

    def settle(self, context: Any, bucket: Bucket | None, unused: int) -> Bucket | None:
        self.left += unused
        return Bucket(100, self.left, 10)


async def test_an_allowance_is_asked_before_and_told_afterwards_what_was_used() -> None:
    purse = Purse(26)
    executor = Executor(SCHEMA, lambda *_: {"message": "x"}, Policy(5.0), purse)
    query = "query ($n: Int) { products(first: $n) { nodes { name } } }"  # of no context it has no products
    answer = await executor.run(Request(query, {"n": 200}), None)
    bucket = {"maximum": 100, "available": 22, "restoreRate": 10}
    assert answer.body["extensions"] == {"cost": {"requested": 23, "actual": 3, "bucket": bucket}}
    assert purse.demands == [Demand(1, 1), Demand(0, 23)]  # a request once, and a point for reading what was not known
    refused = await executor.run(Request(query, {"n": 300}), None)
    assert (refused.status, refused.headers["retry-after"]) == (429, "3")
    assert purse.demands[2:] == [Demand(1, 33)]
    await executor.run(Request(query, {"n": "x"}), None)
    assert purse.left == 22  # nothing ran: all of it is given back


async def test_a_wrong_document_is_paid_for_before_it_is_read() -> None:
    purse = Purse(100)
    executor = Executor(SCHEMA, lambda *_: None, Policy(5.0), purse)
    for _ in range(2):
        await executor.run(Request("{ nothing " + " " * 2_000 + "}"), None)
    assert purse.demands == [Demand(1, 32), Demand(1, 32)]
    purse.left = 31
    refused = await executor.run(Request("{ nothing " + " " * 2_000 + "}"), None)
    assert refused.status == 429


async def test_too_much_is_refused_with_what_it_was() -> None:
    executor = Executor(SCHEMA, lambda *_: None, Policy(5.0, Limits(cost=10)))
    answer = await asyncio.wait_for(executor.run(Request(PAGE % 10), None), 60)
    assert not answer.ran
    assert answer.body["errors"][0]["extensions"] == {"code": "COST_LIMIT_EXCEEDED", "requested": 16, "limit": 10}
