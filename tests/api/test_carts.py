"""Carts through the gateway: guests and users, refusals as data, nothing clamped in silence."""

from typing import Any

import httpx

from adapters.postgres import tables
from resolvers.global_ids import encode
from tests.api.client import Client
from tests.factories import Factory

ADD = """
mutation ($input: CartItemAddInput!) { cartItemAdd(input: $input) {
  cart { totalQuantity version expiresAt
    lines { id quantity priceSnapshot { amount } product { name } variation { name } } }
  userErrors { code field message retryable } warnings { code target requested applied } } }
"""
UPDATE = """
mutation ($line: ID!, $quantity: Int!) { cartItemUpdate(input: { lineId: $line, quantity: $quantity }) {
  cart { lines { quantity } } userErrors { code } warnings { code applied } } }
"""
REMOVE = """
mutation ($line: ID!) { cartItemRemove(input: { lineId: $line }) { cart { lines { id } } userErrors { code } } }
"""
CART = "{ cart { totalQuantity lines { id quantity product { name price { amount } } variation { name } } } }"


async def test_a_guest_gets_an_identity_with_the_first_line_and_keeps_the_cart_by_it(
    api: Client, http: httpx.AsyncClient, make: Factory
) -> None:
    product = await make.product(name="ほうじ茶", base_price=700)
    response = await api.post(ADD, input={"productId": encode("Product", product), "quantity": 2})
    guest = response.headers["x-guest-token"]
    assert f"torii_guest={guest}" in response.headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax" in response.headers["set-cookie"]
    added = response.json()["data"]["cartItemAdd"]
    assert added["userErrors"] == added["warnings"] == []
    [line] = added["cart"]["lines"]
    assert (line["quantity"], line["priceSnapshot"]) == (2, {"amount": "700"})
    returning = Client(http, guest=guest)
    [shown] = (await returning.data(CART))["cart"]["lines"]
    assert shown["product"] == {"name": "ほうじ茶", "price": {"amount": "700"}}
    assert (await Client(http, guest=guest[:-2] + "xx").data(CART))["cart"]["lines"] == []  # forged
    again = await returning.post(ADD, input={"productId": encode("Product", product)})
    assert "x-guest-token" not in again.headers
    assert again.json()["data"]["cartItemAdd"]["cart"]["totalQuantity"] == 3


async def test_reading_makes_no_guest(api: Client) -> None:
    response = await api.post(CART)
    assert response.json()["data"]["cart"] == {"totalQuantity": 0, "lines": []}
    assert "set-cookie" not in response.headers


async def test_a_users_cart_follows_the_user(http: httpx.AsyncClient, make: Factory, token_of: Any) -> None:
    product = await make.product()
    variation = await make.variation(product, name="200 g", price_adjustment=100, stock_quantity=4)
    user = Client(http, token=await token_of("cart@example.com", "buyer"))
    added = await user.data(
        ADD,
        input={
            "productId": encode("Product", product),
            "variationId": encode("ProductVariation", variation),
            "quantity": 9,
        },
    )
    payload = added["cartItemAdd"]
    [line] = payload["cart"]["lines"]
    assert (line["quantity"], line["priceSnapshot"]["amount"], line["variation"]["name"]) == (4, "2080", "200 g")
    assert payload["warnings"] == [{"code": "QUANTITY_CAPPED", "target": line["id"], "requested": 9, "applied": 4}]
    assert (await user.data(UPDATE, line=line["id"], quantity=3))["cartItemUpdate"]["cart"]["lines"] == [
        {"quantity": 3}
    ]
    removed = (await user.data(REMOVE, line=line["id"]))["cartItemRemove"]
    assert removed == {"cart": {"lines": []}, "userErrors": []}
    assert (await user.data(REMOVE, line=line["id"]))["cartItemRemove"]["userErrors"] == [{"code": "LINE_NOT_FOUND"}]


async def test_refusals_are_data(api: Client, make: Factory) -> None:
    sold_out, draft = await make.product(), await make.product(status="draft")
    await make.change(tables.products, sold_out, stock_quantity=0)
    with_kinds = await make.product()
    await make.variation(with_kinds)
    cases = [
        ({"productId": encode("Product", sold_out)}, "OUT_OF_STOCK"),
        ({"productId": encode("Product", draft)}, "PRODUCT_NOT_FOUND"),
        ({"productId": encode("Seller", sold_out)}, "NOT_FOUND"),
        ({"productId": encode("Product", with_kinds)}, "VARIATION_REQUIRED"),
        ({"productId": encode("Product", with_kinds), "quantity": 0}, "BAD_USER_INPUT"),
        ({"productId": encode("Product", with_kinds), "quantity": 100}, "BAD_USER_INPUT"),
    ]
    for given, code in cases:
        payload = (await api.data(ADD, input=given))["cartItemAdd"]
        assert payload["cart"] is None
        assert [error["code"] for error in payload["userErrors"]] == [code], given
