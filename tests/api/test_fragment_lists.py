"""Lists behind the running gateway: out of fragments while nothing changes, and as PostgreSQL has them once something did."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette

from adapters.postgres import tables
from engine.fragments.store import Store
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of, until_live
from tests.api.statements import counted
from tests.factories import Factory

SHOWN = """
id name availability price { amount currencyCode } images { url } seller { id name } category { name } brand { name }
rating { average count } reviews(first: 3) { nodes { title author { displayName } } }
"""
LIST = f"""
query ($of: ID!, $after: String) {{
  products(first: 3, sort: NAME, after: $after, filter: {{sellerId: $of}}) {{
    nodes {{ {SHOWN} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""


@dataclass(frozen=True)
class Shop:
    """Products of one seller, and the gateway that shows them."""

    client: Client
    store: Store
    make: Factory
    seller: UUID
    products: list[UUID]
    author: UUID

    async def page(self, query: str = LIST, **variables: Any) -> Any:
        return (await self.client.data(query, of=encode("Seller", self.seller), **variables))["products"]

    async def names(self) -> list[str]:
        return [each["name"] for each in (await self.page())["nodes"]]

    async def warmed(self, query: str = LIST, **variables: Any) -> Any:
        """What is shown when all of it is kept."""
        for _ in range(3):  # seen, compiled and kept, put together
            shown = await self.page(query, **variables)
        return shown

    async def until(self, holds: Callable[[Any], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds(await self.page()):
                await asyncio.sleep(0)


@asynccontextmanager
async def shop_of(app: Starlette, make: Factory) -> AsyncIterator[Shop]:
    seller, author = await make.seller(), await make.user(name="太郎")
    category, brand = await make.category(name="茶"), await make.brand(name="銘")
    products = [
        await make.product(
            seller_id=seller, category_id=category, brand_id=brand, name=f"茶碗{n}", base_price=1000, stock_quantity=9
        )
        for n in range(5)
    ]
    for each in products:
        await make.image(each)
        await make.review(each, user_id=author, rating=4, title="良")
    async with app.router.lifespan_context(app), client_of(app) as http:
        await until_live(app)
        yield Shop(Client(http), app.state.fragments, make, seller, products, author)


@pytest.fixture
async def shop(prepared: Settings, make: Factory) -> AsyncIterator[Shop]:
    async with shop_of(create_app(prepared), make) as shop:
        yield shop


async def test_a_list_takes_no_statement_once_it_is_kept(shop: Shop) -> None:
    first = await shop.page()
    assert [each["name"] for each in first["nodes"]] == ["茶碗0", "茶碗1", "茶碗2"]
    assert await shop.warmed() == first
    with counted() as statements:
        assert await shop.page() == first
    assert statements == []
    with counted() as statements:  # another page: what it takes when its products are not kept either
        rest = await shop.page(after=first["pageInfo"]["endCursor"])
    assert [each["name"] for each in rest["nodes"]] == ["茶碗3", "茶碗4"]
    assert len(statements) == 4, statements  # products, pictures, ratings, reviews


async def test_one_statement_lists_what_is_kept(shop: Shop) -> None:
    await shop.warmed()
    others = LIST.replace("products(first: 3", "products(first: 2")
    with counted() as statements:
        for _ in range(2):  # interpreted, then compiled
            statements.clear()
            page = await shop.page(others)
    assert len(statements) == 1, statements
    assert len(page["nodes"]) == 2


async def test_a_change_of_one_product_loads_the_list_and_the_parts_of_that_one(shop: Shop) -> None:
    await shop.warmed()
    await shop.make.change(tables.products, shop.products[1], base_price=900)
    await shop.until(lambda page: page["nodes"][1]["price"]["amount"] == "900")
    await shop.warmed()
    with counted() as statements:
        await shop.page()
    assert statements == []


async def test_what_a_slug_finds_takes_one_statement(shop: Shop) -> None:
    query = f"query ($slug: String!) {{ product(slug: $slug) {{ slug {SHOWN} }} }}"
    by_id = f"query ($id: ID!) {{ product(id: $id) {{ slug {SHOWN} }} }}"
    whole = (await shop.client.data(by_id, id=encode("Product", shop.products[0])))["product"]
    for _ in range(3):
        with counted() as statements:
            assert (await shop.client.data(query, slug=whole["slug"]))["product"] == whole
    assert len(statements) == 1, statements


async def test_what_an_id_names_takes_one_statement_at_the_most(shop: Shop) -> None:
    query = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Product {{ {SHOWN} }} }} }}"
    for _ in range(3):
        with counted() as statements:
            shown = (await shop.client.data(query, id=encode("Product", shop.products[0])))["node"]
    assert len(statements) <= 1, statements
    assert shown["name"] == "茶碗0"


CHANGES: dict[str, tuple[dict[str, Any], Callable[[Any], bool]]] = {
    "price": ({"base_price": 900}, lambda page: page["nodes"][1]["price"]["amount"] == "900"),
    "stock": ({"stock_quantity": 0}, lambda page: [n["name"] for n in page["nodes"]] == ["茶碗0", "茶碗2", "茶碗3"]),
    "unpublished": ({"status": "draft"}, lambda page: [n["name"] for n in page["nodes"]][1] == "茶碗2"),
    "renamed": ({"name": "茶碗0a"}, lambda page: page["nodes"][1]["name"] == "茶碗0a"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_shown_in_lists_at_once(shop: Shop, name: str) -> None:
    values, is_shown = CHANGES[name]
    assert not is_shown(await shop.warmed())
    began = asyncio.get_running_loop().time()
    await shop.make.change(tables.products, shop.products[1], **values)
    await shop.until(is_shown)
    assert asyncio.get_running_loop().time() - began < 2  # the shortest promise


async def test_what_comes_into_being_is_listed(shop: Shop) -> None:
    await shop.warmed()
    await shop.make.product(seller_id=shop.seller, name="茶碗", base_price=1, stock_quantity=1)
    await shop.until(lambda page: page["nodes"][0]["name"] == "茶碗")


async def test_nothing_is_shown_of_a_seller_who_was_suspended(shop: Shop) -> None:
    await shop.warmed()
    await shop.make.change(tables.sellers, shop.seller, status="suspended")
    await shop.until(lambda page: page["nodes"] == [])


async def test_it_costs_the_same_and_tells_the_same(shop: Shop) -> None:
    told = []
    for _ in range(5):
        answer = await shop.client.answer(LIST, of=encode("Seller", shop.seller))
        told.append((answer["extensions"]["cost"]["actual"], answer["extensions"]["cost"]["requested"]))
        cache = answer["extensions"]["cache"]
    assert len(set(told)) == 1
    assert cache["scope"] == "PUBLIC"
    assert cache["maxAge"] == 2
    first, *rest = cache["tags"]
    assert first == "products"
    assert rest[:3] == [f"product:{each}" for each in shop.products[:3]]
    assert f"seller:{shop.seller}" in rest


async def test_private_viewers_are_listed_their_own(shop: Shop, token_of: Tokens) -> None:
    seller = Client(shop.client.http, token=await token_of("fragment-lists@example.com", "seller"))
    await seller.data("{ viewer { email } }")  # makes the user's row
    await shop.make.member(shop.seller, await shop.make.user_id("fragment-lists@example.com"))
    query = LIST.replace("filter: {sellerId: $of}", "filter: {sellerId: $of, status: [DRAFT, ACTIVE]}")
    await shop.make.change(tables.products, shop.products[1], status="draft")
    await shop.until(lambda page: page["nodes"][1]["name"] == "茶碗2")
    given = {"of": encode("Seller", shop.seller)}
    async with asyncio.timeout(60):
        while (await seller.data(query, **given))["products"]["nodes"][1]["name"] != "茶碗1":
            await asyncio.sleep(0.01)  # how a user stands is remembered for half a second
    for _ in range(3):
        own = {each["name"] for each in (await seller.data(query, **given))["products"]["nodes"]}
        shown = {each["name"] for each in (await shop.client.data(query, **given))["products"]["nodes"]}
        assert (own, shown) == ({"茶碗0", "茶碗1", "茶碗2"}, {"茶碗0", "茶碗2", "茶碗3"})
