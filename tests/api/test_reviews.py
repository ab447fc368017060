"""Reviews and ratings: the public's of what is shown, a seller's own of what it has withdrawn too."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from resolvers.global_ids import encode
from tests.api.client import Client
from tests.api.statements import counted
from tests.factories import Factory

REVIEWED = """
query ($product: ID!, $review: ID!) {
  product: node(id: $product) { ... on Product {
    rating { average count } reviews { nodes { comment } totalCount { value } } } }
  review: node(id: $review) { ... on Review { comment } }
}
"""
MINE = """
query ($filter: ProductFilter, $first: Int!) { products(filter: $filter, first: $first) { nodes {
  rating { count } reviews(first: 2) { nodes { rating author { displayName } } totalCount { value } } } } }
"""


async def signed_in(
    http: httpx.AsyncClient, make: Factory, token_of: Any, name: str, group: str
) -> tuple[Client, UUID]:
    client = Client(http, token=await token_of(f"{name}@example.com", group))
    await client.data("{ viewer { email } }")  # makes the user's row
    return client, await make.user_id(f"{name}@example.com")


async def hire(client: Client, make: Factory, seller: UUID, user_id: UUID) -> None:
    """The user works for the seller, and the gateway knows: what it knows is half a second old at most."""
    await make.member(seller, user_id)
    draft = encode("Product", await make.product(seller_id=seller, status="draft"))
    async with asyncio.timeout(60):
        while (await client.data("query ($id: ID!) { node(id: $id) { id } }", id=draft)) == {"node": None}:
            pass


@pytest.mark.parametrize("status", ["draft", "discontinued"])
async def test_reviews_of_what_was_withdrawn_are_its_sellers_and_admins(
    http: httpx.AsyncClient, api: Client, make: Factory, token_of: Any, status: str
) -> None:
    clerk, clerk_id = await signed_in(http, make, token_of, f"reviews-{status}-clerk", "seller")
    rival, rival_id = await signed_in(http, make, token_of, f"reviews-{status}-rival", "seller")
    admin, _ = await signed_in(http, make, token_of, f"reviews-{status}-admin", "admin")
    buyer, buyer_id = await signed_in(http, make, token_of, f"reviews-{status}-buyer", "buyer")
    store = await make.seller()
    await hire(clerk, make, store, clerk_id)
    await hire(rival, make, await make.seller(), rival_id)
    product = await make.product(seller_id=store, status=status)
    review = await make.review(product, rating=3, comment="割れていた", user_id=buyer_id)
    ids = {"product": encode("Product", product), "review": encode("Review", review)}
    word = {"comment": "割れていた"}
    whole = {"rating": {"average": 3.0, "count": 1}, "reviews": {"nodes": [word], "totalCount": {"value": 1}}}
    for sees in (clerk, admin):
        assert await sees.data(REVIEWED, **ids) == {"product": whole, "review": word}
    for sees_not in (api, rival, buyer):
        assert await sees_not.data(REVIEWED, **ids) == {"product": None, "review": None}


async def test_statements_of_a_sellers_own_do_not_grow_with_the_products(
    http: httpx.AsyncClient, make: Factory, token_of: Any
) -> None:
    clerk, clerk_id = await signed_in(http, make, token_of, "reviews-many", "seller")
    store, category, reviewer = await make.seller(), await make.category(), await make.user(name="太郎")
    await hire(clerk, make, store, clerk_id)
    for _ in range(20):
        draft = await make.product(seller_id=store, category_id=category, status="draft")
        await make.review(draft, user_id=reviewer)
    mine = {"sellerId": encode("Seller", store), "status": ["DRAFT"]}
    counts = {}
    for first in (1, 20):
        await clerk.data(MINE, filter=mine, first=first)
        with counted() as statements:
            nodes = (await clerk.data(MINE, filter=mine, first=first))["products"]["nodes"]
        shown = {"nodes": [{"rating": 5, "author": {"displayName": "太郎"}}], "totalCount": {"value": 1}}
        assert nodes == [{"rating": {"count": 1}, "reviews": shown}] * first
        counts[first] = len(statements)
    assert counts[1] == counts[20]


RENAMED = """
mutation ($product: ID!, $name: String!, $version: Int!) {
  before: cartItemAdd(input: { productId: $product }) { cart { lines { product { reviews { nodes { AUTHOR } } } } } }
  profileUpdate(input: { expectedVersion: $version, displayName: $name }) { viewer { displayName } }
  after: cartItemAdd(input: { productId: $product }) { cart { lines { product { reviews { nodes { SIGNED } } } } } }
}
""".replace("SIGNED", "author { displayName }")


@pytest.mark.parametrize("author", ["rating", "author { displayName }"])
async def test_who_renames_herself_is_shown_so_further_on(
    http: httpx.AsyncClient, make: Factory, token_of: Any, author: str
) -> None:
    client, user_id = await signed_in(http, make, token_of, f"renamed-{author[0]}", "buyer")
    product = await make.product(stock_quantity=50)
    await make.review(product, user_id=user_id)
    for version, name in enumerate(("花", "花子", "花代")):  # graphql-core first, then a plan
        query = RENAMED.replace("AUTHOR", author)
        data = await client.data(query, product=encode("Product", product), name=name, version=version)
        [line] = data["after"]["cart"]["lines"]
        assert data["profileUpdate"]["viewer"] == {"displayName": name}
        assert line["product"]["reviews"]["nodes"] == [{"author": {"displayName": name}}]
