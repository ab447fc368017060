"""Several operations in one request."""

from typing import Any

import httpx
import pytest

from resolvers.global_ids import encode
from settings import Settings
from tests.api.test_rate_limits import client, serving, somewhere
from tests.factories import Factory

ACCEPT = {"accept": "application/graphql-response+json"}
ADD = """mutation ($id: ID!) {
  cartItemAdd(input: { productId: $id, quantity: 1 }) { cart { totalQuantity } userErrors { code } }
}"""


async def send(http: httpx.AsyncClient, *operations: Any) -> httpx.Response:
    http.cookies.clear()
    return await http.post("/graphql", json=list(operations), headers=ACCEPT)


async def test_answers_come_in_order_and_a_refusal_takes_no_other_along(http: httpx.AsyncClient) -> None:
    response = await send(
        http,
        {"query": "{ a: __typename }"},
        {"query": "{ nothing }"},
        {"variables": {}},
        "no operation",
        {"query": "subscription { stockChanged(productId: 1) { id } }"},
        {"query": "{ b: __typename }"},
    )
    assert response.status_code == 200
    first, wrong, without, none, watching, last = response.json()
    assert (first["data"], last["data"]) == ({"a": "Query"}, {"b": "Query"})
    codes = [each["errors"][0]["extensions"]["code"] for each in (wrong, without, none, watching)]
    assert codes == ["GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST", "BAD_REQUEST", "NOT_ACCEPTABLE"]


async def test_mutations_run_in_order_and_a_guest_stays_the_same(http: httpx.AsyncClient, make: Factory) -> None:
    product = encode("Product", await make.product(stock_quantity=9))
    add = {"query": ADD, "variables": {"id": product}}
    response = await send(http, add, add, {"query": "{ cart { totalQuantity } }"})
    one, two, cart = [each["data"] for each in response.json()]
    assert [each["cartItemAdd"]["cart"]["totalQuantity"] for each in (one, two)] == [1, 2]
    assert cart == {"cart": {"totalQuantity": 2}}
    assert len(response.headers.get_list("x-guest-token")) == 1


async def test_a_language_is_that_of_its_operation_alone(http: httpx.AsyncClient) -> None:
    remove = 'mutation %s { cartItemRemove(input: { lineId: "x" }) { userErrors { message } } }'
    response = await send(http, {"query": remove % "@inContext(language: EN)"}, {"query": remove % ""})
    english, japanese = [each["data"]["cartItemRemove"]["userErrors"][0]["message"] for each in response.json()]
    assert english.isascii()
    assert not japanese.isascii()


@pytest.mark.parametrize("number", [0, 11])
async def test_a_batch_has_a_bound(http: httpx.AsyncClient, number: int) -> None:
    response = await send(http, *[{"query": "{ __typename }"}] * number)
    assert response.status_code == 400
    assert "1 to 10" in response.json()["errors"][0]["message"]


async def test_each_operation_counts_towards_the_rate(prepared: Settings) -> None:
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        here = client(app, somewhere())
        one = {"query": "mutation { __typename }"}  # in order
        response = await here.http.post("/graphql", json=[one, one, one], headers=ACCEPT)
        assert response.status_code == 200
        assert [each.get("errors", [{}])[0].get("extensions", {}).get("code") for each in response.json()] == [
            None,
            None,
            "RATE_LIMITED",
        ]
        refused = await here.http.post("/graphql", json=[one, one], headers=ACCEPT)
        assert refused.status_code == 429
        assert "retry-after" in refused.headers


async def test_batches_can_be_off(prepared: Settings) -> None:
    async with serving(prepared, max_batch=1) as app:
        response = await client(app, somewhere()).http.post("/graphql", json=[{"query": "{ __typename }"}])
        assert response.status_code == 400
