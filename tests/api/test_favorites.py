"""Favourites, preferences and recently viewed products, as a storefront uses them."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.postgres import tables
from domain.accounts.favorites import MAX_FAVORITES
from resolvers.global_ids import encode
from tests.api.client import Client
from tests.api.statements import counted
from tests.api.test_account import mutation, signed_in
from tests.factories import Factory

ADD, REMOVE = (mutation(name, "favorite { createdAt product { id } }") for name in ("favoriteAdd", "favoriteRemove"))
FAVORITES = """query ($first: Int, $after: String) { viewer { favorites(first: $first, after: $after) {
  nodes { product { id } } pageInfo { hasNextPage endCursor } totalCount { value } } } }"""
PREFERENCES = """language currency version updatedAt notifications { orderUpdates restocks priceDrops promotions }
  privacy { keepsViewHistory } recommendations { isPersonalized }"""
UPDATE = mutation("preferencesUpdate", f"preferences {{ {PREFERENCES} }}")
PAGE = "query ($id: ID!) { product(id: $id) { id } }"
VIEWED = "query ($first: Int) { recentlyViewed(first: $first) { product { id } } }"


@pytest.fixture
async def buyer(http: httpx.AsyncClient, token_of: Any) -> Client:
    return await signed_in(http, token_of)


async def favorites(client: Client, **paging: Any) -> Any:
    return (await client.data(FAVORITES, **paging))["viewer"]["favorites"]


async def products(make: Factory, number: int) -> list[str]:
    seller = await make.seller()
    return [encode("Product", await make.product(seller_id=seller)) for _ in range(number)]


class TestFavorites:
    async def test_they_are_listed_newest_first_in_pages(self, buyer: Client, make: Factory) -> None:
        ids = await products(make, 3)
        for each in ids:
            added = (await buyer.data(ADD, input={"productId": each}))["favoriteAdd"]
            assert added["favorite"]["product"] == {"id": each}
        page = await favorites(buyer, first=2)
        assert [node["product"]["id"] for node in page["nodes"]] == ids[:0:-1]
        assert page["totalCount"] == {"value": 3}
        rest = await favorites(buyer, first=2, after=page["pageInfo"]["endCursor"])
        assert [node["product"]["id"] for node in rest["nodes"]] == ids[:1]
        assert not rest["pageInfo"]["hasNextPage"]

    async def test_adding_and_removing_twice_is_as_once(self, buyer: Client, make: Factory) -> None:
        [product] = await products(make, 1)
        added = await asyncio.gather(*(buyer.data(ADD, input={"productId": product}) for _ in range(4)))
        assert len({each["favoriteAdd"]["favorite"]["createdAt"] for each in added}) == 1
        removed = [(await buyer.data(REMOVE, input={"productId": product}))["favoriteRemove"] for _ in range(2)]
        assert [bool(each["favorite"]) for each in removed] == [True, False]
        assert [each["userErrors"] for each in removed] == [[], []]
        assert (await favorites(buyer))["totalCount"] == {"value": 0}

    async def test_what_is_not_shown_cannot_be_kept_and_what_is_hidden_later_stays(
        self, buyer: Client, make: Factory
    ) -> None:
        draft = encode("Product", await make.product(status="draft", published_at=None))
        for each in (draft, encode("Product", uuid4()), encode("Brand", uuid4()), "nonsense"):
            refused = (await buyer.data(ADD, input={"productId": each}))["favoriteAdd"]
            assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
        key = await make.product()
        await buyer.data(ADD, input={"productId": encode("Product", key)})
        await make.change(tables.products, key, status="discontinued")
        [node] = (await favorites(buyer))["nodes"]
        assert node["product"] is None

    async def test_each_has_their_own(
        self, buyer: Client, http: httpx.AsyncClient, token_of: Any, make: Factory
    ) -> None:
        [product] = await products(make, 1)
        await buyer.data(ADD, input={"productId": product})
        other = await signed_in(http, token_of)
        assert (await favorites(other))["nodes"] == []
        assert (await other.data(REMOVE, input={"productId": product}))["favoriteRemove"]["favorite"] is None
        assert len((await favorites(buyer))["nodes"]) == 1

    async def test_a_thousand_are_kept(self, buyer: Client, make: Factory) -> None:
        email = (await buyer.data("{ viewer { email } }"))["viewer"]["email"]
        user, seller = await make.user_id(email), await make.seller()
        category = await make.category()
        await make.many_favorites(user, seller, category, MAX_FAVORITES)
        [product] = await products(make, 1)
        refused = (await buyer.data(ADD, input={"productId": product}))["favoriteAdd"]
        assert refused["userErrors"][0]["code"] == "FAVORITE_LIMIT"

    async def test_their_number_costs_no_statements(self, buyer: Client, make: Factory) -> None:
        counts = []
        for number in (1, 4):
            for each in await products(make, number):
                await buyer.data(ADD, input={"productId": each})
            await favorites(buyer)
            with counted() as statements:
                await favorites(buyer)
            counts.append(len(statements))
        assert counts[0] == counts[1]

    async def test_signed_out_there_are_none(self, api: Client) -> None:
        assert await api.codes(ADD, input={"productId": "x"}) == ["UNAUTHENTICATED"]


class TestPreferences:
    async def test_what_is_given_is_changed(self, buyer: Client) -> None:
        query = f"{{ viewer {{ preferences {{ {PREFERENCES} }} }} }}"
        before = (await buyer.data(query))["viewer"]["preferences"]
        assert (before["language"], before["currency"], before["version"], before["updatedAt"]) == (
            "JA",
            "JPY",
            0,
            None,
        )
        change = {"expectedVersion": 0, "language": "EN", "notifications": {"promotions": True}}
        after = (await buyer.data(UPDATE, input=change))["preferencesUpdate"]["preferences"]
        assert (after["language"], after["version"]) == ("EN", 1)
        assert after["notifications"] == before["notifications"] | {"promotions": True}
        assert (await buyer.data(query))["viewer"]["preferences"] == after

    async def test_two_tabs_do_not_undo_each_others(self, buyer: Client) -> None:
        for codes in ([], ["VERSION_CONFLICT"]):
            answer = await buyer.data(UPDATE, input={"expectedVersion": 0, "currency": "USD"})
            assert [error["code"] for error in answer["preferencesUpdate"]["userErrors"]] == codes

    async def test_a_currency_that_is_not_traded_is_refused(self, buyer: Client) -> None:
        answer = await buyer.data(UPDATE, input={"expectedVersion": 0, "currency": "XXX"})
        assert answer["preferencesUpdate"]["userErrors"][0]["field"] == ["currency"]

    async def test_signed_out_there_are_none(self, api: Client) -> None:
        assert await api.codes(UPDATE, input={"expectedVersion": 0}) == ["UNAUTHENTICATED"]


async def until_viewed(client: Client, expected: list[str]) -> None:
    """Looks are written beside the request: until all of them are there."""
    async with asyncio.timeout(60):
        while await viewed(client) != expected:
            await asyncio.sleep(0.01)


async def viewed(client: Client, first: int | None = None) -> list[str]:
    found = (await client.data(VIEWED, first=first))["recentlyViewed"]
    return [each["product"]["id"] for each in found]


class TestRecentlyViewed:
    async def test_pages_that_were_opened_come_last_first_and_once(self, buyer: Client, make: Factory) -> None:
        first, second = await products(make, 2)
        for each in (first, second, first):
            await buyer.data(PAGE, id=each)
        await until_viewed(buyer, [first, second])
        assert await viewed(buyer, 1) == [first]
        shown = await buyer.data("{ viewer { recentlyViewed { product { id } } } }")
        assert [each["product"]["id"] for each in shown["viewer"]["recentlyViewed"]] == [first, second]

    async def test_a_guest_has_them_too(self, api: Client, make: Factory) -> None:
        [product] = await products(make, 1)
        add = "mutation ($id: ID!) { cartItemAdd(input: {productId: $id}) { userErrors { code } } }"
        guest = Client(api.http, guest=(await api.post(add, id=product)).headers["x-guest-token"])
        api.http.cookies.clear()
        assert await viewed(guest) == []
        await guest.data(PAGE, id=product)
        await until_viewed(guest, [product])

    async def test_who_is_known_by_nothing_has_none(self, api: Client, make: Factory) -> None:
        [product] = await products(make, 1)
        await api.data(PAGE, id=product)
        assert await viewed(api) == []

    async def test_who_turns_it_off_has_none_kept(self, buyer: Client, make: Factory) -> None:
        first, second = await products(make, 2)
        await buyer.data(PAGE, id=first)
        await until_viewed(buyer, [first])
        off = {"expectedVersion": 0, "privacy": {"keepsViewHistory": False}}
        assert not (await buyer.data(UPDATE, input=off))["preferencesUpdate"]["userErrors"]
        await buyer.data(PAGE, id=second)
        assert await viewed(buyer) == []
        on = {"expectedVersion": 1, "privacy": {"keepsViewHistory": True}}
        await buyer.data(UPDATE, input=on)
        [third] = await products(make, 1)
        await buyer.data(PAGE, id=third)
        async with asyncio.timeout(60):
            while third not in (shown := await viewed(buyer)):
                await asyncio.sleep(0.01)
        assert first not in shown

    @pytest.mark.parametrize("first", [-1, 51])
    async def test_at_most_fifty_are_shown(self, buyer: Client, first: int) -> None:
        assert await buyer.codes(VIEWED, first=first) == ["BAD_USER_INPUT"]
