"""Search on the wire: filters, facets and their tokens, orders, and what is refused."""

from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette

from composition.operators import open_jobs
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.statements import counted
from tests.factories import Factory

SEARCH = """
query ($query: String! = "", $filter: SearchFilter, $sort: SearchSort! = RELEVANCE, $first: Int, $after: String) {
  search(query: $query, filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { score product { id } }
    totalCount { value precision } relaxed { words filters } didYouMean
    facets { kind name values {
      token count isSelected value category { name } brand { name } seller { name } priceMin { amount } priceMax { amount }
    } }
    pageInfo { hasNextPage endCursor }
    indexedAt isDegraded
  }
}
"""


class Shop:
    """A seller with two brands in two categories, one below the other."""

    def __init__(self, seller: UUID, brands: tuple[UUID, UUID], above: UUID, below: UUID, products: list[UUID]) -> None:
        self.brands = [encode("Brand", each) for each in brands]
        self.above, self.below = encode("Category", above), encode("Category", below)
        self.products = [encode("Product", each) for each in products]
        self.only = {"sellerIds": [encode("Seller", seller)]}


async def reindexed(settings: Settings) -> None:
    async with open_jobs(settings) as opened:
        await opened.search.reindex(opened.documents, lambda _: None)


@pytest.fixture(scope="module")
async def shop(prepared: Settings, make: Factory) -> Shop:
    seller = await make.seller(company_name="絞り込み商店")
    brands = await make.brand(name="山田窯"), await make.brand(name="佐藤窯")
    above = await make.category(name="台所")
    below = await make.category(name="鍋", parent_id=above)
    products = [
        await make.product(
            seller_id=seller,
            brand_id=brands[number % 2],
            category_id=(above, below, below)[number % 3],
            base_price=1_000 * (number + 1),
            attributes={"色": ("赤", "青")[number % 2]},
        )
        for number in range(6)
    ]
    await make.variation(products[0], attributes={"サイズ": "M"})
    await make.review(products[3], rating=5)
    await reindexed(prepared)
    return Shop(seller, brands, above, below, products)


async def found(api: Client, shop: Shop, /, sort: str = "PRICE_ASC", **more: Any) -> list[int]:
    """The numbers of the products that a search in the shop finds."""
    page = (await api.data(SEARCH, sort=sort, filter=shop.only | more))["search"]
    assert page["totalCount"] == {"value": len(page["nodes"]), "precision": "EXACT"}
    return [] if page["relaxed"] else [shop.products.index(node["product"]["id"]) for node in page["nodes"]]


def values_of(page: Any, kind: str, name: str | None = None) -> list[Any]:
    return next((facet["values"] for facet in page["facets"] if (facet["kind"], facet["name"]) == (kind, name)), [])


async def test_filters_narrow_to_what_fits_all_of_them(api: Client, shop: Shop) -> None:
    assert await found(api, shop) == [0, 1, 2, 3, 4, 5]
    assert await found(api, shop, categoryIds=[shop.above]) == [0, 1, 2, 3, 4, 5]
    assert await found(api, shop, categoryIds=[shop.below]) == [1, 2, 4, 5]
    assert await found(api, shop, brandIds=shop.brands[:1]) == [0, 2, 4]
    assert await found(api, shop, brandIds=shop.brands, price={"min": "2000", "max": "3000"}) == [1, 2]
    assert await found(api, shop, ratingMin=4.5) == [3]
    assert await found(api, shop, inStock=False) == []
    assert await found(api, shop, attributes=[{"name": "色", "value": "青"}], categoryIds=[shop.below]) == [1, 5]
    assert await found(api, shop, attributes=[{"name": "サイズ", "value": "M"}]) == [0]
    assert await found(api, shop, price={"min": "1", "currencyCode": "GBP"}) == []


async def test_orders_on_the_wire(api: Client, shop: Shop) -> None:
    assert await found(api, shop, "PRICE_DESC") == [5, 4, 3, 2, 1, 0]
    assert (await found(api, shop, "RATING"))[0] == 3
    assert (await found(api, shop, "POPULARITY"))[0] == 3
    assert (await found(api, shop, "RELEVANCE"))[0] == 3
    assert len(await found(api, shop, "NEWEST")) == 6


async def test_tokens_of_facets_narrow_to_as_many_as_they_say(api: Client, shop: Shop) -> None:
    page = (await api.data(SEARCH, filter=shop.only))["search"]

    brands = {value["brand"]["name"]: value for value in values_of(page, "BRAND")}
    assert {name: value["count"] for name, value in brands.items()} == {"山田窯": 3, "佐藤窯": 3}
    assert {each["category"]["name"]: each["count"] for each in values_of(page, "CATEGORY")} == {"台所": 6, "鍋": 4}
    [seller] = [value for value in values_of(page, "SELLER") if value["isSelected"]]
    assert (seller["seller"]["name"], seller["count"]) == ("絞り込み商店", 6)
    assert [(each["priceMin"], each["priceMax"]) for each in values_of(page, "PRICE")] == [
        ({"amount": "1000"}, {"amount": "2999"}),
        ({"amount": "3000"}, {"amount": "4999"}),
        ({"amount": "5000"}, {"amount": "9999"}),
    ]
    red = next(each for each in values_of(page, "ATTRIBUTE", "色") if each["value"] == "赤")
    narrowed = await found(api, shop, tokens=[brands["山田窯"]["token"], red["token"]])
    assert narrowed == [0, 2, 4]
    page = (await api.data(SEARCH, filter=shop.only | {"tokens": [red["token"]]}))["search"]
    assert [(each["value"], each["count"], each["isSelected"]) for each in values_of(page, "ATTRIBUTE", "色")] == [
        ("赤", 3, True),
        ("青", 3, False),
    ]
    assert page["indexedAt"] is not None
    assert page["isDegraded"] is False


async def test_facets_cost_a_constant_number_of_statements(
    api: Client, app: Starlette, shop: Shop, make: Factory, prepared: Settings
) -> None:
    async def statements(filter: dict[str, Any], brands: int) -> int:
        await api.data(SEARCH, filter=filter)  # what Redis keeps is there
        app.state.fragments.drop()
        with counted() as sent:
            page = (await api.data(SEARCH, filter=filter))["search"]
        assert len(values_of(page, "BRAND")) == brands
        return len(sent)

    two = await statements(shop.only, 2)
    seller = await make.seller()
    for _ in range(9):
        await make.product(seller_id=seller, brand_id=await make.brand())
    await reindexed(prepared)

    assert await statements({"sellerIds": [encode("Seller", seller)]}, 9) == two == 2  # brands and sellers


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tokens": ["colour:red"]}, ["filter", "tokens"]),
        ({"tokens": ["stock:in"] * 101}, ["filter", "tokens"]),
        ({"brandIds": ["x"] * 101}, ["filter"]),
        ({"price": {"min": "-1"}}, ["filter", "price"]),
        ({"price": {"min": "2", "max": "1"}}, ["filter", "price"]),
        ({"price": {"currencyCode": "XXX"}}, ["filter", "price", "currencyCode"]),
        ({"ratingMin": 5.1}, ["filter", "ratingMin"]),
        ({"attributes": [{"name": "色", "value": "\x00"}]}, ["filter", "attributes"]),
    ],
)
async def test_what_is_no_filter_is_refused_by_its_field(api: Client, given: dict[str, Any], field: list[str]) -> None:
    answer = await api.answer(SEARCH, filter=given)

    assert answer["data"] == {"search": None}
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["field"] == field


async def test_id_of_another_type_names_nothing(api: Client, shop: Shop) -> None:
    assert await api.codes(SEARCH, filter={"brandIds": [shop.above]}) == ["NOT_FOUND"]


async def test_cursor_of_one_order_is_refused_in_another(api: Client, shop: Shop) -> None:
    page = (await api.data(SEARCH, filter=shop.only, sort="NEWEST", first=1))["search"]
    after = page["pageInfo"]["endCursor"]

    assert await api.codes(SEARCH, filter=shop.only, sort="PRICE_ASC", after=after) == ["INVALID_CURSOR"]


async def test_older_clients_that_give_words_alone_are_answered_as_before(api: Client, shop: Shop) -> None:
    query = '{ search(query: "", first: 1) { nodes { score product { id } } edges { cursor } totalCount { value } } }'

    page = (await api.data(query))["search"]

    assert page["totalCount"]["value"] >= 6
    assert page["nodes"][0]["score"] > 0
