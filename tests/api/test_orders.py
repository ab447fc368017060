"""Orders: each buyer's own, and nobody else's."""

import asyncio
from typing import Any

import httpx
import pytest

from resolvers.global_ids import encode
from tests.api.client import Client
from tests.factories import Factory

ORDERS = """
query ($first: Int, $after: String) {
  viewer { email displayName orders(first: $first, after: $after) {
    nodes { id orderNumber status subtotal { amount } shippingFee { amount } tax { amount } total { amount currencyCode }
      orderedAt items { name quantity unitPrice { amount } total { amount } fulfillmentStatus product { name } seller { name } }
      payment { status amount { amount } paidAt method { kind brand last4 wallet } } history { status note createdAt } }
    pageInfo { hasNextPage endCursor } totalCount { value } } }
}
"""


class Buyer:
    def __init__(self, client: Client, user_id: Any) -> None:
        self.client = client
        self.user_id = user_id


@pytest.fixture(scope="module")
async def buyers(http: httpx.AsyncClient, make: Factory, token_of: Any) -> list[Buyer]:
    found = []
    for email in ("orders-1@example.com", "orders-2@example.com"):
        client = Client(http, token=await token_of(email, "buyer"))
        await client.data("{ viewer { email } }")
        found.append(Buyer(client, await make.user_id(email)))
    return found


async def test_a_buyer_sees_own_orders_newest_first(buyers: list[Buyer], make: Factory) -> None:
    buyer = buyers[0]
    seller = await make.seller(company_name="茶舗")
    product, gone = (
        await make.product(seller_id=seller, name="番茶"),
        await make.product(seller_id=seller, status="draft"),
    )
    first = await make.order(buyer.user_id, (product, seller, 1100))
    second = await make.order(buyer.user_id, (product, seller, 500), (gone, seller, 600))
    viewer = (await buyer.client.data(ORDERS))["viewer"]
    assert viewer["email"] == "orders-1@example.com"
    newest, oldest = viewer["orders"]["nodes"]
    assert (newest["id"], oldest["id"]) == (encode("Order", second), encode("Order", first))
    assert oldest["total"] == {"amount": "1100", "currencyCode": "JPY"}
    assert oldest["tax"] == {"amount": "100"}
    assert oldest["items"] == [
        {
            "name": "煎茶",
            "quantity": 1,
            "unitPrice": {"amount": "1100"},
            "total": {"amount": "1100"},
            "fulfillmentStatus": "DELIVERED",
            "product": {"name": "番茶"},
            "seller": {"name": "茶舗"},
        }
    ]
    assert oldest["payment"]["status"] == "SUCCEEDED"
    assert [change["status"] for change in oldest["history"]] == ["DELIVERED"]
    assert [item["product"] for item in newest["items"]] == [{"name": "番茶"}, None]  # its own copy of the name stays
    page = (await buyer.client.data(ORDERS, first=1))["viewer"]["orders"]
    assert page["totalCount"] == {"value": 2}
    assert page["pageInfo"]["hasNextPage"]
    rest = (await buyer.client.data(ORDERS, first=1, after=page["pageInfo"]["endCursor"]))["viewer"]["orders"]
    assert [order["id"] for order in rest["nodes"]] == [encode("Order", first)]


async def test_another_buyer_cannot_tell_it_from_what_does_not_exist(
    buyers: list[Buyer], make: Factory, api: Client
) -> None:
    seller = await make.seller()
    order = await make.order(buyers[0].user_id, (await make.product(seller_id=seller), seller, 100))
    query = "query ($id: ID!) { order(id: $id) { id } node(id: $id) { id } }"
    own, guessed = encode("Order", order), encode("Order", seller)
    assert await buyers[0].client.data(query, id=own) == {"order": {"id": own}, "node": {"id": own}}
    nothing = {"order": None, "node": None}
    assert await buyers[1].client.data(query, id=own) == nothing
    assert await api.data(query, id=own) == nothing
    assert await buyers[0].client.data(query, id=guessed) == nothing
    product = await make.product()
    assert (
        await buyers[0].client.data("query ($id: ID!) { order(id: $id) { id } }", id=encode("Product", product))
    ) == {"order": None}


async def test_an_admin_who_may_see_every_order_lists_only_his_own(
    buyers: list[Buyer], http: httpx.AsyncClient, make: Factory, token_of: Any
) -> None:
    seller = await make.seller()
    product = await make.product(seller_id=seller)
    of_another = await make.order(buyers[1].user_id, (product, seller, 100))
    admin = Client(http, token=await token_of("orders-admin@example.com", "admin"))
    await admin.data("{ viewer { email } }")
    own = await make.order(await make.user_id("orders-admin@example.com"), (product, seller, 200))
    seen = await admin.data("query ($id: ID!) { order(id: $id) { id } }", id=encode("Order", of_another))
    assert seen == {"order": {"id": encode("Order", of_another)}}
    orders = (await admin.data(ORDERS))["viewer"]["orders"]
    assert [order["id"] for order in orders["nodes"]] == [encode("Order", own)]
    assert orders["totalCount"] == {"value": 1}


async def test_signed_out_there_is_no_viewer(api: Client) -> None:
    assert await api.data("{ viewer { email orders { nodes { id } } } }") == {"viewer": None}


async def test_users_are_made_at_first_sight_and_once(http: httpx.AsyncClient, make: Factory, token_of: Any) -> None:
    client = Client(http, token=await token_of("first-sight@example.com", "buyer"))
    for _ in range(2):
        assert (await client.data("{ viewer { email } }")) == {"viewer": {"email": "first-sight@example.com"}}
    assert await make.user_id("first-sight@example.com")


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b.c"])
async def test_a_bad_token_is_refused_and_never_taken_for_a_guest(http: httpx.AsyncClient, authorization: str) -> None:
    response = await http.post(
        "/graphql", json={"query": "{ viewer { email } }"}, headers={"authorization": authorization}
    )
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_seller_sees_own_drafts_and_shoppers_do_not(
    http: httpx.AsyncClient, make: Factory, token_of: Any, api: Client
) -> None:
    client = Client(http, token=await token_of("works@example.com", "seller"))
    await client.data("{ viewer { email } }")
    seller = await make.seller()
    draft = await make.product(seller_id=seller, status="draft", published_at=None)
    await make.image(draft)
    await make.variation(draft, name="試作")
    query = "query ($id: ID!, $filter: ProductFilter) { product(id: $id) { id } products(filter: $filter) { nodes { id } } }"
    variables = {"id": encode("Product", draft), "filter": {"sellerId": encode("Seller", seller), "status": ["DRAFT"]}}
    hidden = {"product": None, "products": {"nodes": []}}
    assert await client.data(query, **variables) == hidden  # not yet working there
    await make.member(seller, await make.user_id("works@example.com"))
    shown = {"id": encode("Product", draft)}
    async with asyncio.timeout(60):
        while await client.data(query, **variables) == hidden:  # who one works for is half a second old at most
            pass
    assert await client.data(query, **variables) == {"product": shown, "products": {"nodes": [shown]}}
    parts = "query ($id: ID!) { node(id: $id) { ... on Product { images { altText } variations { name } } } }"
    whole = {"images": [{"altText": "写真"}], "variations": [{"name": "試作"}]}
    assert await client.data(parts, id=variables["id"]) == {"node": whole}
    assert await api.data(parts, id=variables["id"]) == {"node": None}
    assert await api.data(query, **variables) == hidden


async def test_an_address_that_another_user_has_is_refused_and_taken_from_nobody(
    http: httpx.AsyncClient, make: Factory, token_of: Any
) -> None:
    await make.user(email="taken@example.com", cognito_sub="of another pool")
    client = Client(http, token=await token_of("taken@example.com", "buyer"))
    response = await client.post("{ viewer { email } }")
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "ADDRESS_TAKEN"
