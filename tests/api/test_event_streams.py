"""Answers that come one after another over HTTP, from the gateway on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from adapters.postgres import tables
from resolvers.global_ids import encode
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of
from tests.factories import Factory

STOCK = "subscription ($id: ID!) { stockChanged(productId: $id) { stockQuantity } }"
EVENTS = {"accept": "text/event-stream"}
APOLLOS = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}


@pytest.fixture
async def browser(address: str) -> AsyncIterator[httpx.AsyncClient]:
    base = address.replace("ws:", "http:").removesuffix("/graphql")
    async with httpx.AsyncClient(base_url=base, timeout=20) as client:
        yield client


class Watching:
    """A stream of events, read as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._blocks = self._read()

    async def _read(self) -> AsyncIterator[tuple[str, Any]]:
        text = ""
        async for piece in self.response.aiter_text():
            text += piece
            while "\n\n" in text:
                block, text = text.split("\n\n", 1)
                fields = dict(line.split(":", 1) for line in block.splitlines() if not line.startswith(":"))
                if fields:
                    data = fields["data"].strip()
                    yield fields["event"].strip(), json.loads(data) if data else None

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(anext(self._blocks), 20)

    async def stock(self) -> int:
        kind, payload = await self.next()
        assert kind == "next", payload
        quantity: int = payload["data"]["stockChanged"]["stockQuantity"]
        return quantity


@asynccontextmanager
async def watching(
    browser: httpx.AsyncClient, product: UUID | str, query: str = STOCK, **headers: str
) -> AsyncIterator[Watching]:
    id = product if isinstance(product, str) else encode("Product", product)
    body = {"query": query, "variables": {"id": id}}
    async with browser.stream("POST", "/graphql", json=body, headers=EVENTS | headers) as response:
        yield Watching(response)


async def test_a_subscription_is_a_stream_of_events(browser: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    async with watching(browser, product) as events:
        assert events.response.status_code == 200
        assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert events.response.headers["cache-control"] == "no-store"
        assert await events.stock() == 9
        await make.change(tables.products, product, stock_quantity=8)
        assert await events.stock() == 8


async def test_a_browsers_own_event_source_may_ask_by_get(browser: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    parameters = {"query": STOCK, "variables": json.dumps({"id": encode("Product", product)})}
    async with browser.stream("GET", "/graphql", params=parameters, headers=EVENTS) as response:
        assert await Watching(response).stock() == 9


async def test_apollos_parts_carry_a_subscription(browser: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(stock_quantity=9)
    body = {"query": STOCK, "variables": {"id": encode("Product", product)}}
    async with browser.stream("POST", "/graphql", json=body, headers=APOLLOS) as response:
        assert response.headers["content-type"] == 'multipart/mixed; subscriptionSpec=1.0; boundary="-"'
        text = ""
        async for piece in response.aiter_text():
            text += piece
            if text.count("\r\n---") == 1:
                break
    [_, payload] = text.split("\r\n\r\n")
    assert json.loads(payload.removesuffix("\r\n---"))["payload"]["data"] == {"stockChanged": {"stockQuantity": 9}}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("{ categories { slug } }", None),
        ('mutation { cartItemRemove(input: {lineId: "x"}) { userErrors { code } } }', None),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { stockChanged(productId: "x") { id } }', "NOT_FOUND"),
    ],
)
async def test_whatever_is_asked_is_answered_by_events_where_only_these_are_taken(
    http: httpx.AsyncClient, query: str, problem: str | None
) -> None:
    response = await http.post("/graphql", json={"query": query}, headers=EVENTS)
    assert response.status_code == 200
    start, answer, end = response.text.split("\n\n", 2)
    assert (start, end) == (":", "event: complete\ndata:\n\n")
    payload = json.loads(answer.removeprefix("event: next\ndata: "))
    assert [each["extensions"]["code"] for each in payload.get("errors", [])] == ([problem] if problem else [])


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "*/*"])
async def test_a_subscription_that_could_not_be_told_is_not_acceptable(http: httpx.AsyncClient, accept: str) -> None:
    response = await http.post("/graphql", json={"query": STOCK, "variables": {"id": "x"}}, headers={"accept": accept})
    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_a_bad_token_is_refused_by_its_status(http: httpx.AsyncClient) -> None:
    response = await http.post("/graphql", json={"query": STOCK}, headers=EVENTS | {"authorization": "Bearer no"})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_mutation_by_get_is_refused_also_as_events(http: httpx.AsyncClient) -> None:
    query = "mutation { sessionEnd(input: {}) { userErrors { code } } }"
    response = await http.get("/graphql", params={"query": query}, headers=EVENTS)
    assert response.status_code == 405


async def test_a_session_that_is_revoked_ends_its_stream_with_the_reason(
    browser: httpx.AsyncClient, app: Starlette, make: Factory, token_of: Tokens
) -> None:
    product = await make.product(stock_quantity=9)
    lost, kept = [await token_of("streamer@example.com", "buyer") for _ in range(2)]
    async with (
        client_of(app) as http,
        watching(browser, product, authorization=f"Bearer {lost}") as events,
    ):
        assert await events.stock() == 9
        owner = Client(http, token=kept)
        sessions = (await owner.data("{ viewer { sessions { id current } } }"))["viewer"]["sessions"]
        [other] = [each["id"] for each in sessions if not each["current"]]
        revoke = "mutation ($id: ID!) { sessionRevoke(input: { sessionId: $id }) { userErrors { code } } }"
        assert await owner.data(revoke, id=other) == {"sessionRevoke": {"userErrors": []}}
        reason = {"message": "the session was ended", "extensions": {"code": "UNAUTHENTICATED"}}
        assert await events.next() == ("next", {"errors": [reason]})
        assert await events.next() == ("complete", None)
