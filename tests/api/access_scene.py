"""One marketplace for the access matrix: a value of every type, and six people who stand to it in six ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.applications import Starlette

from adapters.dynamodb.features import DynamoFeatures
from adapters.postgres import tables
from composition.cloud import open_aws
from composition.operators import open_jobs
from domain.recommendations.model import Model, Scored
from domain.shared.clock import SystemClock
from domain.shared.ids import ProductId, SellerId, UserId, uuid7
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from resolvers.global_ids import encode
from schema.matrix import Persona
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of
from tests.factories import Factory

GROUPS = {
    Persona.OTHER_BUYER: "buyer",
    Persona.OWNER: "buyer",
    Persona.OTHER_SELLER: "seller",
    Persona.SELLER: "seller",
    Persona.ADMIN: "admin",
}
PROBLEMS = "{ cart { problems { code } } }"
ADD = "mutation ($product: ID!) { cartItemAdd(input: {productId: $product}) { userErrors { code } } }"


@dataclass(frozen=True, slots=True)
class Scene:
    """`ids` are the global ids that ways begin with. `marks` are texts that only an answer with the owner's own data holds."""

    clients: Mapping[Persona, Client]
    viewers: Mapping[Persona, Viewer]
    ids: Mapping[str, str]
    order_id: UUID
    marks: Mapping[str, str]
    token_of: Callable[[Persona], Awaitable[str]]

    async def sign_in(self, persona: Persona) -> None:
        """Once more, for who has been signed out."""
        if persona is not Persona.ANONYMOUS:
            self.clients[persona].headers["authorization"] = f"Bearer {await self.token_of(persona)}"


@asynccontextmanager
async def open_scene(app: Starlette, settings: Settings, make: Factory, token_of: Tokens) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        clients = {Persona.ANONYMOUS: Client(await stack.enter_async_context(client_of(app)))}
        users: dict[Persona, UserId] = {}
        for persona, group in GROUPS.items():
            email = address_of(persona)
            http = await stack.enter_async_context(client_of(app))  # each with a cookie jar of its own
            clients[persona] = Client(http, token=await token_of(email, group))
            await clients[persona].data("{ viewer { email } }")
            users[persona] = UserId(await make.user_id(email))
        tea, books = SellerId(await make.seller()), SellerId(await make.seller())
        await make.member(tea, users[Persona.SELLER])
        await make.member(books, users[Persona.OTHER_SELLER])
        product, brand, category = await _shelf(make, tea)
        carted, scarce = await make.product(seller_id=tea), await make.product(seller_id=tea, stock_quantity=3)
        await clients[Persona.OWNER].data(ADD, product=encode("Product", carted))
        await make.change(tables.products, carted, base_price=2980)
        async with asyncio.timeout(30):
            while not (await clients[Persona.OWNER].data(PROBLEMS))["cart"]["problems"]:
                await asyncio.sleep(0)  # the catalogue's cache hears of the new price soon
        recipient = f"受取人 {uuid7()}"
        await make.address(users[Persona.OWNER], recipient_name=recipient)
        await make.row(tables.favorites, user_id=users[Persona.OWNER], product_id=product)
        await _opened(clients[Persona.OWNER], encode("Product", product))
        number = f"ACCESS-{uuid7()}"
        bought = await make.bought(
            users[Persona.OWNER], (product, tea, 2, 1980), status="delivered", order_number=number
        )
        order, [item] = bought.order, bought.items
        await make.row(tables.order_item_status_histories, order_item_id=item, status="delivered")
        due = await make.bought(users[Persona.OWNER], (product, tea, 1, 1980))
        destination = f"届け先 {uuid7()}"
        for each in (order, due.order):
            await make.order_address(each, recipient_name=destination, email=address_of(Persona.OWNER))
        back = {"order_item_id": item, "order_id": order, "seller_id": tea}
        sent_back = await make.row(tables.returns, **back, quantity=1, reason="unwanted")
        await make.refund(order, item, tea, 100)
        await _findable(settings, ProductId(product))
        yield Scene(
            clients,
            _viewers(users, tea, books),
            {
                "product": encode("Product", product),
                "brand": encode("Brand", brand),
                "category": encode("Category", category),
                "seller": encode("Seller", tea),
                "order": encode("Order", order),
                "orderItem": encode("OrderItem", item),
                "dueItem": encode("OrderItem", due.items[0]),
                "return": encode("Return", sent_back),
                "scarce": encode("Product", scarce),
            },
            order,
            {
                "mail address": "access-owner@example.com",
                "order number": number,
                "order": encode("Order", order),
                "recipient": recipient,
                "destination": destination,
                "cart line": f'"{carted}"',  # as a whole: the product itself is no secret
            },
            lambda persona: token_of(address_of(persona), GROUPS[persona]),
        )


def address_of(persona: Persona) -> str:
    return f"access-{persona.replace(' ', '-')}@example.com"


async def _shelf(make: Factory, seller: UUID) -> tuple[UUID, UUID, UUID]:
    """A product that every field of the catalogue has something to show of."""
    brand, parent = await make.brand(), await make.category()
    category = await make.category(parent_id=parent)
    product = await make.product(
        seller_id=seller, brand_id=brand, category_id=category, attributes={"産地": "宇治"}, shipping_info={}
    )
    await make.image(product)
    await make.variation(product)
    await make.review(product)
    return product, brand, category


async def _opened(client: Client, product: str) -> None:
    """Somebody opened the page of the product, and it is remembered."""
    await client.data("query ($id: ID!) { product(id: $id) { id } }", id=product)
    async with asyncio.timeout(60):
        while not (await client.data("{ recentlyViewed { product { id } } }"))["recentlyViewed"]:
            await asyncio.sleep(0.01)


async def _findable(settings: Settings, product: ProductId) -> None:
    async with open_jobs(settings) as opened, open_aws(settings, 10_000) as aws:
        await opened.search.reindex(opened.documents, lambda _: None)
        features = DynamoFeatures(aws, settings.dynamodb_table_prefix, SystemClock())
        await features.replace(Model("access", {}, [Scored(product, 1.0)]))


def _viewers(users: Mapping[Persona, UserId], tea: SellerId, books: SellerId) -> dict[Persona, Viewer]:
    shops = {Persona.SELLER: (tea,), Persona.OTHER_SELLER: (books,)}
    signed_in: dict[Persona, Any] = {
        persona: Viewer(
            Role.ADMIN if persona is Persona.ADMIN else Role.USER, user_id, seller_ids=shops.get(persona, ())
        )
        for persona, user_id in users.items()
    }
    return {Persona.ANONYMOUS: ANONYMOUS} | signed_in
