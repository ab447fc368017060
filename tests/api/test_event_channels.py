"""graphql-sse in single connection mode, to the gateway on a real socket."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from adapters.postgres import tables
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.conftest import Tokens, client_of
from tests.api.test_event_streams import EVENTS, STOCK, Watching, browser
from tests.factories import Factory

__all__ = ["browser"]

HEADER = "x-graphql-event-stream-token"


async def reserve(browser: httpx.AsyncClient, **headers: str) -> dict[str, str]:
    """The header that goes with every request of a channel."""
    reserved = await browser.put("/graphql", headers=headers)
    assert reserved.status_code == 201
    return {HEADER: reserved.text} | headers


def opened(browser: httpx.AsyncClient, channel: dict[str, str]) -> AbstractAsyncContextManager[httpx.Response]:
    return browser.stream("GET", "/graphql", headers=channel | EVENTS)


async def send(
    browser: httpx.AsyncClient, channel: dict[str, str], query: str, id: str | None, /, **variables: Any
) -> httpx.Response:
    extensions = {} if id is None else {"operationId": id}
    body = {"query": query, "variables": variables, "extensions": extensions}
    return await browser.post("/graphql", json=body, headers=channel)


async def test_many_operations_share_a_stream(browser: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    channel = await reserve(browser)
    async with opened(browser, channel) as response:
        events = Watching(response)
        watched = await send(browser, channel, STOCK, "stock", id=encode("Product", product))
        assert (watched.status_code, watched.content) == (202, b"")
        kind, told = await events.next()
        assert (kind, told["id"]) == ("next", "stock")
        assert told["payload"]["data"] == {"stockChanged": {"stockQuantity": 9}}
        assert (await send(browser, channel, "{ __typename }", "one")).status_code == 202
        kind, told = await events.next()
        assert (kind, told["id"], told["payload"]["data"]) == ("next", "one", {"__typename": "Query"})
        assert await events.next() == ("complete", {"id": "one"})
        await make.change(tables.products, product, stock_quantity=8)
        assert (await events.next())[1]["payload"]["data"] == {"stockChanged": {"stockQuantity": 8}}
        stopped = await browser.delete("/graphql", params={"operationId": "stock"}, headers=channel)
        assert stopped.status_code == 200
        await make.change(tables.products, product, stock_quantity=7)
        assert (await send(browser, channel, "{ __typename }", "stock")).status_code == 202  # the id is free
        assert (await events.next())[1]["payload"]["data"] == {"__typename": "Query"}


async def test_a_browsers_event_source_brings_the_token_in_the_address(browser: httpx.AsyncClient) -> None:
    channel = await reserve(browser)
    parameters = {"token": channel[HEADER]}
    async with browser.stream("GET", "/graphql", params=parameters, headers=EVENTS) as response:
        events = Watching(response)
        await send(browser, channel, "{ __typename }", "1")
        assert (await events.next())[1]["id"] == "1"
        again = await browser.get("/graphql", params=parameters, headers=EVENTS)
        assert again.status_code == 409


@pytest.mark.parametrize(
    ("query", "id", "status", "code"),
    [
        ("{ nothing }", "1", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{", "1", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename }", None, 400, "BAD_REQUEST"),
        ("{ __typename }", "x" * 200, 400, "BAD_REQUEST"),
    ],
)
async def test_what_is_wrong_with_a_request_is_its_answer(
    browser: httpx.AsyncClient, query: str, id: str | None, status: int, code: str
) -> None:
    channel = await reserve(browser)
    response = await send(browser, channel, query, id)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (status, code)


async def test_an_unknown_token_opens_and_runs_nothing(browser: httpx.AsyncClient) -> None:
    unknown = {HEADER: "nonsense"}
    assert (await browser.get("/graphql", headers=unknown | EVENTS)).status_code == 404
    assert (await send(browser, unknown, "{ __typename }", "1")).status_code == 404
    assert (await browser.delete("/graphql?operationId=1", headers=unknown)).status_code == 404


async def test_a_channel_is_of_one_gateway_and_another_says_so(browser: httpx.AsyncClient, prepared: Settings) -> None:
    channel = await reserve(browser)
    app = create_app(prepared)
    async with app.router.lifespan_context(app), client_of(app) as another:
        opened_there = await another.get("/graphql", headers=channel | EVENTS)
        sent_there = await send(another, channel, "{ __typename }", "1")
        stopped_there = await another.delete("/graphql?operationId=1", headers=channel)
    for answer in (opened_there, sent_there, stopped_there):
        assert answer.status_code == 404
        assert "to the gateway that gave it" in answer.json()["errors"][0]["message"]
    assert (await send(browser, channel, "{ __typename }", "1")).status_code == 202  # nothing was spoilt


async def test_a_token_of_somebody_else_runs_nothing(browser: httpx.AsyncClient, token_of: Tokens) -> None:
    authorization = f"Bearer {await token_of('channels@example.com', 'buyer')}"
    channel = await reserve(browser, authorization=authorization)
    assert (await send(browser, channel, "{ __typename }", "1")).status_code == 202
    stolen = {HEADER: channel[HEADER]}
    assert (await send(browser, stolen, "{ __typename }", "2")).status_code == 404
    assert (await browser.put("/graphql", headers={"authorization": "Bearer no"})).status_code == 401


async def test_a_stream_that_ends_takes_its_channel_along(browser: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    channel = await reserve(browser)
    async with opened(browser, channel) as response:
        events = Watching(response)
        await send(browser, channel, STOCK, "1", id=encode("Product", product))
        await events.next()
    while (await send(browser, channel, "{ __typename }", "2")).status_code != 404:
        pass


async def test_nothing_begins_on_a_channel_that_nobody_reads(browser: httpx.AsyncClient, make: Factory) -> None:
    seller = await make.seller()
    for _ in range(3):
        await make.product(seller_id=seller, description="長い説明。" * 2_000)
    much = (
        "query ($s: ID!) { "
        + " ".join(
            f"a{number}: products(first: 3, filter: {{sellerId: $s}}) {{ nodes {{ description }} }}"
            for number in range(5)
        )
        + " }"
    )
    channel = await reserve(browser)
    refused = None
    for number in range(20):
        answer = await send(browser, channel, much, str(number), s=encode("Seller", seller))
        if answer.status_code != 202:
            refused = answer
            break
    assert refused is not None
    assert "bytes wait on this channel" in refused.json()["errors"][0]["message"]
    async with opened(browser, channel) as response:
        assert (await Watching(response).next())[1]["id"] == "0", "what was accepted comes"
