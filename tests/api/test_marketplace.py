"""The whole marketplace: the demo shop, and the one query that crosses everything."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette

from adapters.cognito.pool import DEMO_PASSWORD
from commands import jobs
from composition import cloud, periodic
from domain.shared.periodic import Outcome
from gateway import create_app
from resolvers.global_ids import encode
from schema.examples import PRODUCTS, WHOLE_MARKETPLACE
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of, prepare, until_live
from tests.api.statements import counted

READS = 5
"""Images, sellers, brands, ratings, reviews with their authors. Products and categories come from the cache."""

PRODUCTS_SEEDED = 500
"""Enough orders that more than fifty products are in three of them, and so may be recommended."""

FEED = """
query ($first: Int!, $productId: ID) {
  recommendations(first: $first, productId: $productId) {
    nodes {
      score reason
      product {
        id name price { amount }
        images { url altText }
        seller { name } category { name } brand { name } rating { average count }
        reviews(first: 3) { nodes { rating title comment author { displayName } } }
      }
    }
    totalCount { value } pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture(scope="module")
async def demo_prepared(demo_settings: Settings) -> Settings:
    return await prepare(demo_settings)


@pytest.fixture(scope="module")
async def demo_app(demo_prepared: Settings) -> AsyncIterator[Starlette]:
    """The demo marketplace."""
    stages: dict[str, int] = {}
    await jobs.seed(demo_prepared, PRODUCTS_SEEDED, lambda stage, done, _total: stages.update({stage: done}))
    assert stages["products"] == PRODUCTS_SEEDED
    app = create_app(demo_prepared)
    async with app.router.lifespan_context(app):
        await until_live(app)
        yield app


@pytest.fixture(scope="module")
async def demo(demo_app: Starlette, demo_prepared: Settings) -> AsyncIterator[Client]:
    """Its buyer, signed in."""
    async with client_of(demo_app) as http:
        yield Client(http, token=await cloud.token(demo_prepared, "buyer@example.com", DEMO_PASSWORD))


async def test_one_query_crosses_the_whole_marketplace(demo: Client) -> None:
    data = await demo.data(WHOLE_MARKETPLACE)
    assert data["viewer"]["displayName"]
    assert len(data["viewer"]["orders"]["nodes"]) == 3
    assert all(order["items"] for order in data["viewer"]["orders"]["nodes"])
    assert data["cart"] == {"totalQuantity": 0, "lines": []}
    recommended = [node["product"] for node in data["recommendations"]["nodes"]]
    assert len(recommended) == 5
    assert all(product["seller"]["name"] and product["rating"] for product in recommended)
    assert any(product["reviews"]["nodes"] for product in recommended)
    assert data["search"]["nodes"]


async def test_the_other_example_runs(demo: Client) -> None:
    page = (await demo.data(PRODUCTS))["products"]
    assert len(page["nodes"]) == 10
    assert all(node["category"]["path"] and node["images"] for node in page["nodes"])


async def test_the_feed_is_a_constant_number_of_look_ups(demo: Client, demo_app: Starlette) -> None:
    counts = {}
    for first in (5, 20, 50):  # each large enough for every edge to lead somewhere
        await demo.data(FEED, first=first)
        for state in ("cold", "warm"):
            if state == "cold":
                demo_app.state.fragments.drop()
            with counted() as statements:
                feed = (await demo.data(FEED, first=first))["recommendations"]
            assert len(feed["nodes"]) == first
            counts[state, first] = len(statements)
    assert counts == {("cold", first): READS for first in (5, 20, 50)} | {("warm", first): 0 for first in (5, 20, 50)}


async def test_beside_a_product_stands_what_is_bought_with_it_and_never_itself(demo: Client) -> None:
    popular = (await demo.data(FEED, first=1))["recommendations"]["nodes"][0]["product"]["id"]
    beside = (await demo.data(FEED, first=50, productId=popular))["recommendations"]["nodes"]
    assert beside[0]["reason"] == "BOUGHT_TOGETHER"
    assert popular not in {node["product"]["id"] for node in beside}


async def test_pages_of_the_feed_follow_each_other(demo: Client) -> None:
    whole = (await demo.data(FEED, first=10))["recommendations"]
    assert whole["totalCount"]["value"] >= 10
    ids, after = [], None
    for _ in range(5):
        page = (
            await demo.data(
                FEED.replace("$first: Int!", "$first: Int!, $after: String").replace(
                    "first: $first,", "first: $first, after: $after,"
                ),
                first=2,
                after=after,
            )
        )["recommendations"]
        ids += [node["product"]["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert ids == [node["product"]["id"] for node in whole["nodes"]]


SEARCH = """
query ($query: String!, $first: Int, $after: String) { search(query: $query, first: $first, after: $after) {
  nodes { score product { id name status } } totalCount { value } pageInfo { hasNextPage endCursor } } }
"""


async def test_search_finds_what_is_shown_and_nothing_else(demo: Client) -> None:
    listed = (await demo.data("{ products(first: 100, sort: NAME) { nodes { id name } } }"))["products"]["nodes"]
    for product in listed[::10]:
        found = (await demo.data(SEARCH, query=product["name"], first=100))["search"]["nodes"]
        assert product["id"] in {node["product"]["id"] for node in found}, product["name"]
        assert all(node["product"]["status"] in ("ACTIVE", "OUT_OF_STOCK") for node in found)


async def test_search_pages_hold_each_hit_once(demo: Client) -> None:
    whole = (await demo.data(SEARCH, query="", first=100))["search"]
    ids: list[str] = []
    after = None
    while True:
        page = (await demo.data(SEARCH, query="", first=30, after=after))["search"]
        ids += [node["product"]["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"] or len(ids) >= 100:
            break
        after = page["pageInfo"]["endCursor"]
    assert ids[:100] == [node["product"]["id"] for node in whole["nodes"]]
    assert len(ids) == len(set(ids))


async def test_pictures_are_served_by_the_gateway(demo: Client) -> None:
    nodes = (await demo.data("{ products(first: 3) { nodes { images { url } seller { logoUrl } } } }"))["products"][
        "nodes"
    ]
    urls = [image["url"] for node in nodes for image in node["images"]] + [node["seller"]["logoUrl"] for node in nodes]
    assert len(set(urls)) > 3
    pictures = set()
    for url in urls:
        response = await demo.http.get(url)
        assert response.status_code == 200, url
        assert response.headers["content-type"].startswith("image/svg+xml")
        pictures.add(response.content)
    assert len(pictures) > 3


async def test_seeding_again_changes_nothing(demo: Client, demo_prepared: Settings) -> None:
    before = await demo.data(WHOLE_MARKETPLACE)
    summary: Any = await jobs.seed(demo_prepared, PRODUCTS_SEEDED, lambda *_: None)
    assert not any(summary.new.values())
    after = await demo.data(WHOLE_MARKETPLACE)
    assert after["viewer"] == before["viewer"]


async def test_a_guessed_product_id_gives_no_feed(demo: Client) -> None:
    answer = await demo.answer(FEED, first=2, productId=encode("Seller", uuid4()))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["NOT_FOUND"]


async def test_the_doctor_finds_a_seeded_marketplace_well(demo: Client, demo_prepared: Settings) -> None:
    assert (await periodic.run_once(demo_prepared, "erase-users")).outcome is Outcome.DONE
    states = await jobs.doctor(demo_prepared)
    assert {state.name: state.detail for state in states if not state.is_up} == {}
    assert {state.name for state in states} == {
        "postgres",
        "redis",
        "dynamodb",
        "cognito",
        "search",
        "stripe",
        "worker",
    }
