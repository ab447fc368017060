"""Fragments behind the running gateway: what changes in PostgreSQL is seen at once, and what did not is not asked for again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from starlette.applications import Starlette

from adapters.postgres import tables
from engine.fragments.store import Store
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of, until_live
from tests.api.statements import counted
from tests.factories import Factory, open_factory

CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'torii changes'")
PRODUCT = """
query ($id: ID!) {
  product(id: $id) {
    id name price { amount } stockQuantity images { url } variations { name } rating { average count }
    seller { name description } brand { name } category { name parent { name } path { name } }
    reviews(first: 2) { nodes { title author { displayName } } totalCount { value } }
  }
}
"""


@dataclass(frozen=True)
class Shop:
    """A product with everything around it, and the gateway that shows it."""

    client: Client
    store: Store
    make: Factory
    product: UUID
    seller: UUID
    brand: UUID
    category: UUID
    author: UUID

    async def shown(self) -> Any:
        return (await self.client.data(PRODUCT, id=encode("Product", self.product)))["product"]

    async def until(self, holds: Callable[[Any], bool]) -> Any:
        """What is shown once the condition holds."""
        async with asyncio.timeout(60):
            while not holds(shown := await self.shown()):
                await asyncio.sleep(0)
        return shown

    async def warmed(self) -> Any:
        """What is shown when all of it is kept."""
        for _ in range(3):  # seen, compiled and kept, put together
            shown = await self.shown()
        return shown


@asynccontextmanager
async def shop_of(app: Starlette, make: Factory) -> AsyncIterator[Shop]:
    seller, category = await make.seller(), await make.category(parent_id=await make.category(name="上"), name="茶")
    brand, author = await make.brand(name="銘"), await make.user(name="太郎")
    product = await make.product(
        seller_id=seller, category_id=category, brand_id=brand, name="茶碗", base_price=1000, stock_quantity=3
    )
    await make.image(product)
    await make.review(product, user_id=author, rating=4, title="良")
    async with app.router.lifespan_context(app), client_of(app) as http:
        await until_live(app)
        yield Shop(Client(http), app.state.fragments, make, product, seller, brand, category, author)


@pytest.fixture
async def shop(prepared: Settings, make: Factory) -> AsyncIterator[Shop]:
    async with shop_of(create_app(prepared), make) as shop:
        yield shop


async def test_what_is_kept_takes_no_statement_and_reads_the_same(shop: Shop) -> None:
    first = await shop.shown()
    again = await shop.warmed()
    with counted() as statements:
        kept = await shop.client.post(PRODUCT, id=encode("Product", shop.product))
    assert statements == []
    assert kept.json()["data"]["product"] == again == first
    assert list(kept.json()["data"]["product"]) == list(first)
    assert shop.store.counts.hits > 0


async def test_what_it_costs_is_told_the_same(shop: Shop) -> None:
    costs = []
    for _ in range(4):
        answer = await shop.client.answer(PRODUCT, id=encode("Product", shop.product))
        costs.append(answer["extensions"]["cost"]["actual"])
    assert len(set(costs)) == 1


Change = Callable[[Shop], Awaitable[Any]]
CHANGES: dict[str, tuple[Change, Callable[[Any], bool]]] = {
    "price": (
        lambda shop: shop.make.change(tables.products, shop.product, base_price=900),
        lambda shown: shown["price"]["amount"] == "900",
    ),
    "stock": (
        lambda shop: shop.make.change(tables.products, shop.product, stock_quantity=1),
        lambda shown: shown["stockQuantity"] == 1,
    ),
    "sale": (
        lambda shop: shop.make.change(tables.products, shop.product, sale_price=800),
        lambda shown: shown["price"]["amount"] == "800",
    ),
    "unpublished": (
        lambda shop: shop.make.change(tables.products, shop.product, status="draft"),
        lambda shown: shown is None,
    ),
    "image": (lambda shop: shop.make.image(shop.product), lambda shown: len(shown["images"]) == 2),
    "variation": (lambda shop: shop.make.variation(shop.product), lambda shown: len(shown["variations"]) == 1),
    "review": (
        lambda shop: shop.make.review(shop.product, rating=2),
        lambda shown: shown["rating"] == {"average": 3.0, "count": 2} and shown["reviews"]["totalCount"]["value"] == 2,
    ),
    "seller renamed": (
        lambda shop: shop.make.change(tables.sellers, shop.seller, company_name="新"),
        lambda shown: shown["seller"]["name"] == "新",
    ),
    "seller suspended": (
        lambda shop: shop.make.change(tables.sellers, shop.seller, status="suspended"),
        lambda shown: shown is None,
    ),
    "brand": (
        lambda shop: shop.make.change(tables.brands, shop.brand, name="新"),
        lambda shown: shown["brand"]["name"] == "新",
    ),
    "brand hidden": (
        lambda shop: shop.make.change(tables.brands, shop.brand, is_active=False),
        lambda shown: shown["brand"] is None,
    ),
    "category": (
        lambda shop: shop.make.change(tables.categories, shop.category, name="新"),
        lambda shown: shown["category"]["name"] == "新" and shown["category"]["path"][-1]["name"] == "新",
    ),
    "author": (
        lambda shop: shop.make.rows(
            update(tables.user_profiles)
            .where(tables.user_profiles.c.user_id == shop.author)
            .values(display_name=None)
            .returning(tables.user_profiles.c.id)
        ),
        lambda shown: shown["reviews"]["nodes"][-1]["author"] is None,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_shown_at_once(shop: Shop, name: str) -> None:
    change, is_shown = CHANGES[name]
    assert not is_shown(await shop.warmed())
    began = asyncio.get_running_loop().time()
    await change(shop)
    await shop.until(is_shown)
    assert asyncio.get_running_loop().time() - began < 2  # the shortest promise


async def test_a_change_of_the_seller_loads_nothing_but_the_seller(shop: Shop) -> None:
    await shop.warmed()
    await shop.make.change(tables.sellers, shop.seller, company_name="新")
    with counted() as statements:
        await shop.until(lambda shown: shown["seller"]["name"] == "新")
    of_gateway = [each for each in statements if "UPDATE" not in each]
    assert len(of_gateway) == 1
    assert "public_profiles" in of_gateway[0]


async def test_a_product_that_comes_into_being_is_found(shop: Shop) -> None:
    await shop.warmed()
    other = await shop.make.product(name="新")
    for _ in range(2):
        assert (await shop.client.data(PRODUCT, id=encode("Product", other)))["product"]["name"] == "新"
    entries = shop.store.counts.entries
    for number in range(20):
        assert (await shop.client.data(PRODUCT, id=encode("Product", UUID(int=number))))["product"] is None
    assert shop.store.counts.entries == entries  # what clients make up is not kept


async def test_while_the_channel_is_cut_nothing_kept_is_shown(shop: Shop, settings: Settings) -> None:
    await shop.warmed()
    async with open_factory(settings.database_url.get_secret_value()) as same_role:
        await same_role.rows(CUT)
    async with asyncio.timeout(60):
        while shop.store.is_live(shop.store.clock()):
            await asyncio.sleep(0)
    assert shop.store.counts.entries == 0
    hits = shop.store.counts.hits
    assert (await shop.warmed())["name"] == "茶碗"
    assert shop.store.counts.hits == hits
    async with asyncio.timeout(60):
        while not shop.store.is_live(shop.store.clock()):
            await asyncio.sleep(0.01)
    await shop.warmed()
    assert shop.store.counts.hits > hits


async def test_without_redis_fragments_go_on(prepared: Settings, make: Factory) -> None:
    gone = prepared.model_copy(update={"redis_url": "redis://127.0.0.1:1", "redis_timeout_ms": 50})
    async with shop_of(create_app(Settings.model_validate(gone.model_dump())), make) as shop:
        await shop.warmed()
        assert shop.store.counts.hits > 0
        await make.change(tables.products, shop.product, name="後")
        await shop.until(lambda shown: shown["name"] == "後")


async def test_who_looked_is_told_of_what_was_kept(shop: Shop) -> None:
    add = "mutation ($id: ID!) { cartItemAdd(input: {productId: $id}) { cart { totalQuantity } } }"
    added = await shop.client.post(add, id=encode("Product", shop.product))
    guest = Client(shop.client.http, guest=added.headers["x-guest-token"])
    await shop.warmed()
    await guest.data(PRODUCT, id=encode("Product", shop.product))
    async with asyncio.timeout(60):
        while not (seen := (await guest.data("{ recentlyViewed { product { name } } }"))["recentlyViewed"]):
            await asyncio.sleep(0.001)
    assert seen == [{"product": {"name": "茶碗"}}]


async def test_sellers_and_admins_are_shown_nothing_kept(shop: Shop, make: Factory, token_of: Tokens) -> None:
    seller = Client(shop.client.http, token=await token_of("fragments-seller@example.com", "seller"))
    await seller.data("{ viewer { email } }")  # makes the user's row
    await make.member(shop.seller, await make.user_id("fragments-seller@example.com"))
    admin = Client(shop.client.http, token=await token_of("fragments-admin@example.com", "admin"))
    await shop.warmed()
    await make.change(tables.products, shop.product, status="draft")
    await shop.until(lambda shown: shown is None)
    query = "query ($id: ID!) { product(id: $id) { name status } }"
    async with asyncio.timeout(60):
        while (await seller.data(query, id=encode("Product", shop.product)))["product"] is None:
            await asyncio.sleep(0.01)  # how a user stands is remembered for half a second
    for who in (seller, admin) * 2:
        shown = (await who.data(query, id=encode("Product", shop.product)))["product"]
        assert shown == {"name": "茶碗", "status": "DRAFT"}
        assert (await shop.client.data(query, id=encode("Product", shop.product)))["product"] is None
