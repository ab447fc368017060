"""Shoppers who buy: a cart, a quote and a checkout through the gateway, and what a browser does with the payment."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from domain.shared.ids import uuid7
from resolvers.global_ids import decode, encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.factories import Factory

ADD = """
mutation ($input: CartItemAddInput!) { cartItemAdd(input: $input) { cart { version } userErrors { code } } }
"""
QUOTE = "{ cart { version lines { id quantity } quote { quoteHash total { amount currencyCode } } problems { code } } }"
OUTCOME = """
  __typename
  ... on CheckoutSucceeded { order { ...placed } }
  ... on CheckoutProcessing { order { ...placed } pollAfterMs }
  ... on CheckoutActionRequired { order { ...placed } clientSecret }
  ... on CheckoutFailed { order { ...placed } retryClientSecret reason message }
"""
PLACED = """
fragment placed on Order {
  id orderNumber status total { amount currencyCode } tax { amount } shippingFee { amount }
  items { name quantity unitPrice { amount } fulfillmentStatus }
  payment { status amount { amount } }
}
"""
CHECKOUT = f"""
mutation ($input: CheckoutInput!) {{ checkout(input: $input) {{
  checkout {{ {OUTCOME} }}
  problems {{ code lineId was {{ amount }} now {{ amount }} requested available }}
  quote {{ quoteHash total {{ amount }} }}
  userErrors {{ code field message retryable }}
}} }}
{PLACED}
"""
STATE = f"query ($id: ID!) {{ checkoutState(orderId: $id) {{ {OUTCOME} }} }} {PLACED}"
ADDRESS = {
    "recipientName": "山田花子",
    "postalCode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "line1": "千代田1-1",
    "phoneNumber": "03-1234-5678",
}


@dataclass(slots=True)
class Shopper:
    """A guest, with a cart."""

    client: Client
    email: str = field(default_factory=lambda: f"{uuid7()}@example.com")

    async def add(self, product: UUID, quantity: int = 1, variation: UUID | None = None) -> None:
        given: dict[str, Any] = {"productId": encode("Product", product), "quantity": quantity}
        if variation is not None:
            given["variationId"] = encode("ProductVariation", variation)
        self.client.http.cookies.clear()  # all shoppers of a test share it
        response = await self.client.post(ADD, input=given)
        self.client.http.cookies.clear()
        payload = response.json()["data"]["cartItemAdd"]
        assert payload["userErrors"] == [], payload
        if "authorization" not in self.client.headers and "x-guest-token" in response.headers:
            self.client.headers["x-guest-token"] = response.headers["x-guest-token"]

    async def cart(self) -> Any:
        return (await self.client.data(QUOTE))["cart"]

    async def quote_hash(self) -> str:
        return str((await self.cart())["quote"]["quoteHash"])

    async def input(self, key: str | None = None, quote_hash: str | None = None, **changes: Any) -> dict[str, Any]:
        where = {} if "authorization" in self.client.headers else {"email": self.email}
        hashed = quote_hash or await self.quote_hash()
        return {"idempotencyKey": key or str(uuid7()), "quoteHash": hashed, "address": ADDRESS, **where} | changes

    async def check_out(self, key: str | None = None, quote_hash: str | None = None, **changes: Any) -> Any:
        return await self.send(await self.input(key, quote_hash, **changes))

    async def send(self, given: dict[str, Any]) -> Any:
        """What comes of a checkout, asked for again as a browser does while the payment is being begun: a busy machine takes long."""
        answer = await self.send_once(given)
        async with asyncio.timeout(60):
            while (answer["checkout"] or {}).get("__typename") == "CheckoutProcessing":
                await asyncio.sleep(0.05)
                answer["checkout"] = await self.state(answer["checkout"]["order"]["id"])
        return answer

    async def send_once(self, given: dict[str, Any]) -> Any:
        return (await self.client.data(CHECKOUT, input=given))["checkout"]

    async def state(self, order: str) -> Any:
        return (await self.client.data(STATE, id=order))["checkoutState"]


def guest(http: httpx.AsyncClient) -> Shopper:
    http.cookies.clear()
    return Shopper(Client(http))


async def user(http: httpx.AsyncClient, token_of: Tokens, email: str) -> Shopper:
    http.cookies.clear()
    client = Client(http, token=await token_of(email, "buyer"))
    await client.data("{ viewer { email } }")  # known from now on
    return Shopper(client, email)


def key_of(order: Any) -> UUID:
    decoded = decode(order["id"])
    assert decoded is not None
    return decoded[1]


async def pay(settings: Settings, client_secret: str, card: str = "pm_card_visa") -> httpx.Response:
    """What Stripe.js does in the buyer's browser."""
    intent = client_secret.split("_secret_")[0]
    key = settings.stripe_secret_key.get_secret_value()
    async with httpx.AsyncClient(
        base_url=settings.stripe_api_base, headers={"authorization": f"Bearer {key}"}, timeout=20, trust_env=False
    ) as stripe:
        return await stripe.post(f"/v1/payment_intents/{intent}/confirm", data={"payment_method": card})


@dataclass(frozen=True, slots=True)
class Stock:
    """What the shelves hold."""

    make: Factory

    async def of(self, product: UUID) -> tuple[int, int]:
        """In the warehouse, and of that set aside."""

        from adapters.postgres.tables import products as table

        row = (
            await self.make.rows(select(table.c.stock_quantity, table.c.reserved_quantity).where(table.c.id == product))
        )[0]
        return row[0], row[1]
