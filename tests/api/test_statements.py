"""How many statements a query costs: it depends on its shape, never on how many products it shows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of, until_live
from tests.api.statements import counted
from tests.factories import Factory

EVERY_EDGE = """
query ($filter: ProductFilter, $first: Int!) {
  products(filter: $filter, first: $first) {
    totalCount { value }
    nodes {
      name
      images { url } variations { name price { amount } }
      category { name path { name } parent { name } children { name } }
      brand { name } seller { name } rating { average }
      reviews(first: 3) { nodes { rating author { displayName } } totalCount { value } }
    }
  }
}
"""

READS = ("products", "count", "images", "variations", "brands", "sellers", "ratings", "reviews with their authors")


@pytest.fixture
async def api(prepared: Settings) -> AsyncIterator[Client]:
    """A gateway that keeps no fragments: what they save is another file's."""
    app = create_app(prepared.model_copy(update={"fragments": False}))
    async with app.router.lifespan_context(app), client_of(app) as http:
        await until_live(app)  # it empties the cache in Redis when it begins to hear of changes
        yield Client(http)


@pytest.fixture(scope="module")
async def hundred(make: Factory) -> str:
    """A seller with a hundred products, each with everything an edge can lead to."""
    seller, reviewer = await make.seller(), await make.user(name="太郎")
    top = await make.category()
    for number in range(100):
        category = await make.category(parent_id=top)
        brand = await make.brand()
        product = await make.product(seller_id=seller, category_id=category, brand_id=brand, name=f"{number:03}")
        await make.image(product)
        await make.variation(product)
        await make.review(product, user_id=reviewer)
    return encode("Seller", seller)


async def test_statements_do_not_grow_with_the_products(api: Client, hundred: str) -> None:
    counts = {}
    for first in (1, 20, 100):
        await api.data(EVERY_EDGE, filter={"sellerId": hundred}, first=first)
        with counted() as statements:
            data = await api.data(EVERY_EDGE, filter={"sellerId": hundred}, first=first)
        assert len(data["products"]["nodes"]) == first
        assert all(node["reviews"]["nodes"][0]["author"] for node in data["products"]["nodes"])
        counts[first] = len(statements)
    # totals of the hundred products' reviews come from their ratings: one statement more
    assert counts == dict.fromkeys((1, 20, 100), len(READS) + 1), counts


SIGNED = "query ($id: ID!) { product(id: $id) { reviews { nodes { rating author { displayName } } } } }"


async def test_authors_come_with_their_reviews(api: Client, make: Factory) -> None:
    """Of a plan, which knows that somebody looks at them; the first time it is graphql-core."""
    product = await make.product()
    for rating, name in ((5, "花子"), (1, None)):
        await make.review(product, rating=rating, user_id=await make.user(name=name))
    counts = {}
    for author in ("author { displayName }", "comment"):
        query = SIGNED.replace("author { displayName }", author)
        for _ in range(3):
            with counted() as statements:
                data = await api.data(query, id=encode("Product", product))
        counts[author] = len(statements)
        if "author" in author:
            authors = {each["rating"]: each["author"] for each in data["product"]["reviews"]["nodes"]}
            assert authors == {5: {"displayName": "花子"}, 1: None}
    assert counts["comment"] == counts["author { displayName }"]


async def test_statements_of_orders_do_not_grow_with_the_orders(make: Factory, http: Any, token_of: Any) -> None:
    token = await token_of("statements@example.com", "buyer")
    client = Client(http, token=token)
    await client.data("{ viewer { email } }")  # makes the user's row
    user_id = await make.user_id("statements@example.com")
    seller = await make.seller()
    products = [await make.product(seller_id=seller) for _ in range(3)]
    query = """{ viewer { orders(first: 50) { nodes {
        orderNumber payment { status } history { status } items { name product { name } seller { name } } } } } }"""
    counts = []
    for _ in range(2):
        for _ in range(4):
            await make.order(user_id, *((product, seller, 100) for product in products))
        await client.data(query)
        with counted() as statements:
            data = await client.data(query)
        counts.append((len(data["viewer"]["orders"]["nodes"]), len(statements)))
    assert [orders for orders, _ in counts] == [4, 8]
    assert counts[0][1] == counts[1][1]
