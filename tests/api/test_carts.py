"""Carts through the gateway: guests and users, refusals as data, nothing clamped in silence."""

import asyncio
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from adapters.cognito.pool import DEMO_PASSWORD
from adapters.dynamodb.carts import DynamoCarts
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


PRICED = """
{ cart { problems { code isBlocking lineId was { amount } now { amount } requested available }
  lines { currentPrice { amount } priceSnapshot { amount } }
  quote { quoteHash subtotal { amount } shippingFee { amount } tax { amount } total { amount currencyCode }
    sellers { seller { name } lines { quantity unitPrice { amount } total { amount } taxPercent }
      taxes { percent taxable { amount } tax { amount } } total { amount } } } } }
"""


async def test_a_cart_is_priced_by_seller_with_the_tax_inside(
    api: Client, http: httpx.AsyncClient, make: Factory
) -> None:
    seller = await make.seller(shipping={"fee": 500, "free_over": 100_000})
    food = await make.category(tax_class="reduced")
    rice = await make.product(seller_id=seller, category_id=food, base_price=1080)
    bowl = await make.product(seller_id=seller, base_price=600)
    guest = (await api.post(ADD, input={"productId": encode("Product", rice), "quantity": 2})).headers["x-guest-token"]
    shopper = Client(http, guest=guest)
    await shopper.data(ADD, input={"productId": encode("Product", bowl)})
    cart = (await shopper.data(PRICED))["cart"]
    assert cart["problems"] == []
    assert [line["currentPrice"] for line in cart["lines"]] == [{"amount": "1080"}, {"amount": "600"}]
    quote = cart["quote"]
    [of_seller] = quote["sellers"]
    assert of_seller["taxes"] == [
        {"percent": 10, "taxable": {"amount": "1100"}, "tax": {"amount": "100"}},
        {"percent": 8, "taxable": {"amount": "2160"}, "tax": {"amount": "160"}},
    ]
    assert (quote["subtotal"], quote["shippingFee"], quote["tax"]) == (
        {"amount": "2760"}, {"amount": "500"}, {"amount": "260"},
    )  # fmt: skip
    assert quote["total"] == {"amount": "3260", "currencyCode": "JPY"}
    assert len(quote["quoteHash"]) == 64
    assert (await shopper.data(PRICED))["cart"]["quote"]["quoteHash"] == quote["quoteHash"]


async def test_what_changed_is_told_as_data(api: Client, http: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product(base_price=1000, stock_quantity=5)
    added = await api.post(ADD, input={"productId": encode("Product", product), "quantity": 4})
    shopper = Client(http, guest=added.headers["x-guest-token"])
    await make.change(tables.products, product, base_price=1200, stock_quantity=3)
    async with asyncio.timeout(30):
        while len((cart := (await shopper.data(PRICED))["cart"])["problems"]) < 2:
            await asyncio.sleep(0)  # the catalogue's cache hears of it soon
    short, dearer = cart["problems"]
    assert (short["code"], short["isBlocking"], short["requested"], short["available"]) == (
        "INSUFFICIENT_STOCK", True, 4, 3,
    )  # fmt: skip
    assert (dearer["code"], dearer["isBlocking"], dearer["was"], dearer["now"]) == (
        "PRICE_CHANGED", False, {"amount": "1000"}, {"amount": "1200"},
    )  # fmt: skip
    assert cart["quote"] is None


SIGN_IN = """
mutation ($email: String!, $password: String!) { sessionCreate(input: { email: $email, password: $password }) {
  accessToken mergedLines cartWarnings { code target requested applied } userErrors { code } } }
"""
MERGE = """
mutation { cartMerge { cart { lines { id quantity } } mergedLines warnings { code } userErrors { code } } }
"""


async def test_a_guests_cart_becomes_the_users_at_sign_in(
    api: Client, http: httpx.AsyncClient, make: Factory, token_of: Any
) -> None:
    both, new, scarce = await make.product(), await make.product(), await make.product(stock_quantity=2)
    user = Client(http, token=await token_of("merging@example.com", "buyer"))
    await user.data(ADD, input={"productId": encode("Product", both), "quantity": 3})
    guest = (await api.post(ADD, input={"productId": encode("Product", both), "quantity": 2})).headers["x-guest-token"]
    shopper = Client(http, guest=guest)
    await shopper.data(ADD, input={"productId": encode("Product", new), "quantity": 4})
    await shopper.data(ADD, input={"productId": encode("Product", scarce), "quantity": 2})
    await make.change(tables.products, scarce, stock_quantity=1)
    async with asyncio.timeout(30):
        while not (await shopper.data(PRICED))["cart"]["problems"]:
            await asyncio.sleep(0)
    response = await shopper.post(SIGN_IN, email="merging@example.com", password=DEMO_PASSWORD)
    signed_in = response.json()["data"]["sessionCreate"]
    assert set(signed_in["mergedLines"]) == {str(new), str(scarce)}
    assert signed_in["cartWarnings"] == [
        {"code": "QUANTITY_CAPPED", "target": str(scarce), "requested": 2, "applied": 1}
    ]
    assert response.headers["x-guest-token"] != guest, "the guest is another one"
    lines = (await user.data(CART))["cart"]["lines"]
    assert {line["id"]: line["quantity"] for line in lines} == {str(both): 3, str(new): 4, str(scarce): 1}
    assert (await shopper.data(CART))["cart"]["lines"] == []
    again = await Client(http, token=signed_in["accessToken"], guest=guest).data(MERGE)
    assert (again["cartMerge"]["mergedLines"], again["cartMerge"]["userErrors"]) == ([], [])
    assert len(again["cartMerge"]["cart"]["lines"]) == 3


async def test_a_cart_that_cannot_be_taken_over_keeps_nobody_from_signing_in(
    api: Client, http: httpx.AsyncClient, make: Factory, token_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB refuses what was asked, which is no outage, and comes again whenever it is asked."""
    await token_of("merging-later@example.com", "buyer")
    product = await make.product()
    guest = (await api.post(ADD, input={"productId": encode("Product", product)})).headers["x-guest-token"]

    async def refused(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "ValidationException"}}, "TransactWriteItems")

    with monkeypatch.context() as patched:
        patched.setattr(DynamoCarts, "merge", refused)
        response = await Client(http, guest=guest).post(
            SIGN_IN, email="merging-later@example.com", password=DEMO_PASSWORD
        )
    signed_in = response.json()["data"]["sessionCreate"]
    assert signed_in["cartWarnings"] == [{"code": "NOT_MERGED", "target": "", "requested": 0, "applied": 0}]
    assert signed_in["mergedLines"] == []
    assert response.headers.get("x-guest-token", guest) == guest
    later = await Client(http, token=signed_in["accessToken"], guest=guest).data(MERGE)
    assert later["cartMerge"]["mergedLines"] == [str(product)]


async def test_whoever_signed_in_elsewhere_takes_the_guests_cart_over_by_hand(
    api: Client, http: httpx.AsyncClient, make: Factory, token_of: Any
) -> None:
    product = await make.product()
    guest = (await api.post(ADD, input={"productId": encode("Product", product)})).headers["x-guest-token"]
    assert await Client(http, guest=guest).codes(MERGE) == ["UNAUTHENTICATED"]
    user = Client(http, token=await token_of("merging-by-hand@example.com", "buyer"), guest=guest)
    merged = (await user.data(MERGE))["cartMerge"]
    assert merged["mergedLines"] == [str(product)]
    assert merged["cart"]["lines"] == [{"id": str(product), "quantity": 1}]


async def test_a_cart_is_cleared_as_it_was_seen(api: Client, http: httpx.AsyncClient, make: Factory) -> None:
    clear = """mutation ($version: Int!) {
      cartClear(input: {expectedVersion: $version}) { cart { lines { id } version } userErrors { code } } }"""
    product = encode("Product", await make.product())
    shopper = Client(http, guest=(await api.post(ADD, input={"productId": product})).headers["x-guest-token"])
    await shopper.data(ADD, input={"productId": product})
    stale = (await shopper.data(clear, version=1))["cartClear"]
    assert stale == {"cart": None, "userErrors": [{"code": "VERSION_CONFLICT"}]}
    assert (await shopper.data(clear, version=2))["cartClear"]["cart"] == {"lines": [], "version": 3}
