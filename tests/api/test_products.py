"""The catalogue's queries, as a storefront sends them."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.postgres import tables
from composition.operators import open_jobs
from domain.catalog.model import Attribute
from domain.shared.ids import ProductId
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.factories import PUBLISHED, Factory

PAGE = """
query ($filter: ProductFilter, $sort: ProductSort! = NEWEST, $first: Int, $after: String, $last: Int, $before: String) {
  products(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    nodes { name }
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount { value precision }
  }
}
"""


def names(page: dict) -> list[str]:
    return [node["name"] for node in page["products"]["nodes"]]


class Shelf:
    """Five products of one seller, in two categories, one below the other."""

    async def fill(self, make: Factory) -> "Shelf":
        self.seller = await make.seller()
        self.food = await make.category(name="食品")
        self.tea = await make.category(name="お茶", parent_id=self.food)
        self.brand = await make.brand(name="一保")
        prices = {"A": 300, "B": 100, "C": 100, "D": 500, "E": 200}
        self.products = {
            name: await make.product(
                seller_id=self.seller,
                category_id=self.tea if name in "AB" else self.food,
                name=name,
                base_price=price,
                sale_price=price // 2 if name == "D" else None,
                brand_id=self.brand if name == "A" else None,
                attributes={"色": "緑" if name in "AC" else "茶", "産地": "宇治"},
                published_at=PUBLISHED + timedelta(days=days),
            )
            for days, (name, price) in enumerate(prices.items())
        }
        self.filter = {"sellerId": encode("Seller", self.seller)}
        return self


@pytest.fixture(scope="module")
async def shelf(make: Factory) -> Shelf:
    return await Shelf().fill(make)


@pytest.mark.parametrize(
    ("sort", "order"),
    [("NEWEST", "EDCBA"), ("PRICE_ASC", "BCEDA"), ("PRICE_DESC", "ADECB"), ("NAME", "ABCDE")],
)
async def test_each_sort_has_its_order_and_equal_prices_go_by_id(
    api: Client, shelf: Shelf, sort: str, order: str
) -> None:
    assert "".join(names(await api.data(PAGE, filter=shelf.filter, sort=sort))) == order


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        ({"categoryId": "food"}, "ABCDE"),
        ({"categoryId": "tea"}, "AB"),
        ({"brandIds": ["brand"]}, "A"),
        ({"price": {"min": "200", "max": "300"}}, "ADE"),
        ({"price": {"min": "1", "currencyCode": "USD"}}, ""),
        ({"onSale": True}, "D"),
        ({"onSale": False}, "ABCE"),
        ({"inStock": True}, "ABCDE"),
        ({"inStock": False}, ""),
        ({"text": "b"}, "B"),
        ({"attributes": [{"name": "色", "value": "緑"}, {"name": "産地", "value": "宇治"}]}, "AC"),
        ({"status": ["ACTIVE"]}, "ABCDE"),
        ({"status": ["DRAFT", "DISCONTINUED"]}, ""),
    ],
)
async def test_a_filter_narrows(api: Client, shelf: Shelf, narrow: dict, found: str) -> None:
    ids = {"food": encode("Category", shelf.food), "tea": encode("Category", shelf.tea)}
    if "categoryId" in narrow:
        narrow = {"categoryId": ids[narrow["categoryId"]]}
    if "brandIds" in narrow:
        narrow = {"brandIds": [encode("Brand", shelf.brand)]}
    page = await api.data(PAGE, filter=shelf.filter | narrow, sort="NAME")
    assert "".join(names(page)) == found
    assert page["products"]["totalCount"] == {"value": len(found), "precision": "EXACT"}


async def test_the_public_lists_hold_what_can_be_bought_whatever_else_is_asked_for(api: Client, make: Factory) -> None:
    seller = await make.seller()
    await make.product(seller_id=seller, name="ある")
    await make.product(seller_id=seller, name="ない", stock_quantity=0)
    which = {"sellerId": encode("Seller", seller), "status": ["ACTIVE", "OUT_OF_STOCK", "DRAFT"]}
    page = await api.data(PAGE, filter=which)
    assert names(page) == ["ある"]
    assert page["products"]["totalCount"]["value"] == 1


async def test_what_a_suspended_seller_offers_is_not_public_in_the_search_index(
    prepared: Settings, make: Factory
) -> None:
    suspended = await make.product(seller_id=await make.seller(status="suspended"))
    offered, empty = await make.product(), await make.product(stock_quantity=0)
    async with open_jobs(prepared) as jobs:
        public = {document.product_id: document.is_public async for document in jobs.documents.documents()}
    assert (public[suspended], public[offered], public[empty]) == (False, True, False)


async def test_properties_that_are_no_text_keep_neither_their_product_nor_the_shop_out_of_the_index(
    prepared: Settings, make: Factory
) -> None:
    odd = await make.product(attributes={"産地": "宇治", "寸法": {"高さ": 9}, "点": [1], "重さ": 3, "空": None})
    async with open_jobs(prepared) as jobs:
        found = {document.product_id: document.attributes async for document in jobs.documents.documents()}
    assert found[ProductId(odd)] == (Attribute("産地", "宇治"),)


async def test_pages_go_forward_and_back_and_inserts_in_between_move_nothing(
    api: Client, make: Factory, shelf: Shelf
) -> None:
    first = await api.data(PAGE, filter=shelf.filter, sort="NAME", first=2)
    info = first["products"]["pageInfo"]
    assert names(first) == ["A", "B"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)
    await make.product(seller_id=shelf.seller, category_id=shelf.food, name="AA", base_price=1)
    second = await api.data(PAGE, filter=shelf.filter, sort="NAME", first=2, after=info["endCursor"])
    assert names(second) == ["C", "D"]
    back = await api.data(
        PAGE, filter=shelf.filter, sort="NAME", last=2, before=second["products"]["pageInfo"]["startCursor"]
    )
    assert names(back) == ["AA", "B"]
    assert back["products"]["pageInfo"]["hasPreviousPage"]
    assert back["products"]["edges"][1]["cursor"] == info["endCursor"]
    tail = await api.data(PAGE, filter=shelf.filter, sort="NAME", last=1)
    assert names(tail) == ["E"]


@pytest.mark.parametrize("arguments", [{"first": 2}, {"first": 100}, {"last": 2}, {"first": 0}])
async def test_a_page_is_the_same_whether_somebody_asks_what_comes_after_it(
    api: Client, shelf: Shelf, arguments: dict
) -> None:
    lists = "query ($filter: ProductFilter, $first: Int, $last: Int) { SHOWN }"
    one = "products(filter: $filter, sort: NAME, first: $first, last: $last)"
    plain, asked = f"{one} {{ nodes {{ name }} }}", f"{one} {{ nodes {{ name }} pageInfo {{ hasNextPage }} }}"
    for _ in range(3):  # by graphql-core first, by a plan then
        found = await api.data(lists.replace("SHOWN", plain), filter=shelf.filter, **arguments)
        told = await api.data(lists.replace("SHOWN", asked), filter=shelf.filter, **arguments)
        both = await api.data(lists.replace("SHOWN", f"{plain} told: {asked}"), filter=shelf.filter, **arguments)
        assert names(found) == names(told) == names(both)
        assert both["told"] == told["products"]
        assert told["products"]["pageInfo"]["hasNextPage"] == (arguments.get("first", 100) < 100)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"first": 101}, "BAD_USER_INPUT"),
        ({"first": -1}, "BAD_USER_INPUT"),
        ({"first": 1, "last": 1}, "BAD_USER_INPUT"),
        ({"after": "nonsense"}, "INVALID_CURSOR"),
        ({"filter": {"price": {"min": "5", "max": "4"}}}, "BAD_USER_INPUT"),
        ({"filter": {"price": {"min": "1.5"}}}, "BAD_USER_INPUT"),
        ({"filter": {"price": {"min": "1_000"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"price": {"min": "１０００"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"price": {"min": "1e30"}}}, "BAD_USER_INPUT"),
        ({"filter": {"price": {"min": "1E+999999"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"price": {"min": "Infinity"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"price": {"min": "NaN"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"price": {"min": "1E-999999"}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"filter": {"attributes": [{"name": "\x00", "value": "a"}]}}, "BAD_USER_INPUT"),
        ({"filter": {"attributes": [{"name": "a", "value": "b"}] * 101}}, "BAD_USER_INPUT"),
        ({"after": "W1tb" * 400}, "INVALID_CURSOR"),
        ({"after": "W1tb" * 4000}, "INVALID_CURSOR"),
        ({"filter": {"text": "x" * 101}}, "BAD_USER_INPUT"),
        ({"filter": {"text": "a\x00"}}, "BAD_USER_INPUT"),
        ({"filter": {"sellerId": "nobody"}}, "NOT_FOUND"),
    ],
)
async def test_bad_arguments_get_a_clear_error(api: Client, arguments: dict, code: str) -> None:
    assert await api.codes(PAGE, **arguments) == [code]


async def test_a_cursor_of_another_sort_is_refused(api: Client, shelf: Shelf) -> None:
    page = await api.data(PAGE, filter=shelf.filter, sort="NAME", first=1)
    cursor = page["products"]["pageInfo"]["endCursor"]
    assert await api.codes(PAGE, filter=shelf.filter, sort="NEWEST", after=cursor) == ["INVALID_CURSOR"]


PRODUCT = """
query ($id: ID, $slug: String, $sellerId: ID, $sku: String) {
  product(id: $id, slug: $slug, sellerId: $sellerId, sku: $sku) {
    id sku slug name description status stockQuantity availability isOnSale publishedAt
    price { amount currencyCode } basePrice { amount } salePrice { amount }
    attributes { name value }
    shippingInfo { shipsFrom daysMin daysMax fee { amount } freeOver { amount } }
    images { url altText isPrimary }
    variations { id sku name price { amount } stockQuantity availability attributes { name value } }
    category { name path { name } parent { name } children { name } }
    brand { name }
    seller { name description }
    rating { average count }
    reviews { nodes { rating comment author { displayName } } totalCount { value } }
  }
}
"""


async def test_a_product_page_shows_everything(api: Client, make: Factory) -> None:
    food = await make.category(name="飲料")
    tea = await make.category(name="緑茶", parent_id=food)
    product = await make.product(
        category_id=tea,
        brand_id=await make.brand(name="宇治園"),
        name="玉露",
        base_price=2000,
        sale_price=1500,
        attributes={"産地": "宇治"},
        shipping_info={"ships_from": "京都府", "days_min": 1, "days_max": 3, "fee": 500, "free_over": 5000},
    )
    await make.image(product, alt_text="缶", is_primary=True)
    await make.variation(product, name="50 g", price_adjustment=-500, stock_quantity=3, attributes={"内容量": "50 g"})
    await make.variation(product, name="100 g", stock_quantity=40)
    await make.review(product, rating=4, comment="おいしい")
    await make.review(product, rating=5, user_id=await make.user())
    shown = (await api.data(PRODUCT, id=encode("Product", product)))["product"]
    assert shown["price"] == {"amount": "1500", "currencyCode": "JPY"}
    assert (shown["basePrice"], shown["salePrice"]) == ({"amount": "2000"}, {"amount": "1500"})
    assert shown["isOnSale"]
    assert shown["stockQuantity"] == 43
    assert shown["availability"] == "IN_STOCK"
    assert shown["publishedAt"] == "2026-10-01T09:00:00+00:00"
    assert shown["attributes"] == [{"name": "産地", "value": "宇治"}]
    assert shown["shippingInfo"] == {
        "shipsFrom": "京都府",
        "daysMin": 1,
        "daysMax": 3,
        "fee": {"amount": "500"},
        "freeOver": {"amount": "5000"},
    }
    assert shown["images"] == [{"url": f"/images/products/{product}/1.svg", "altText": "缶", "isPrimary": True}]
    small, large = sorted(shown["variations"], key=lambda each: Decimal(each["price"]["amount"]))
    assert (small["name"], small["price"], small["availability"]) == ("50 g", {"amount": "1000"}, "LOW_STOCK")
    assert (large["name"], large["price"], large["availability"]) == ("100 g", {"amount": "1500"}, "IN_STOCK")
    assert shown["category"] == {
        "name": "緑茶",
        "path": [{"name": "飲料"}, {"name": "緑茶"}],
        "parent": {"name": "飲料"},
        "children": [],
    }
    assert shown["brand"] == {"name": "宇治園"}
    assert shown["rating"] == {"average": 4.5, "count": 2}
    assert shown["reviews"]["totalCount"] == {"value": 2}
    newest, oldest = shown["reviews"]["nodes"]
    assert newest["author"] is None  # shows no name
    assert oldest == {"rating": 4, "comment": "おいしい", "author": {"displayName": "花子"}}


async def test_a_product_is_found_by_id_slug_and_sku_of_its_seller(api: Client, make: Factory) -> None:
    seller = await make.seller()
    product = await make.product(seller_id=seller, sku="茶-1", slug="cha-1")
    await make.product(sku="茶-1")  # another seller's
    expected = encode("Product", product)
    ways = [{"id": expected}, {"slug": "cha-1"}, {"sellerId": encode("Seller", seller), "sku": "茶-1"}]
    for way in ways:
        assert (
            await api.data(
                "query ($id: ID, $slug: String, $sellerId: ID, $sku: String) "
                "{ product(id: $id, slug: $slug, sellerId: $sellerId, sku: $sku) { id } }",
                **way,
            )
        ) == {"product": {"id": expected}}
    assert await api.codes(PRODUCT) == ["BAD_USER_INPUT"]
    assert await api.codes(PRODUCT, id=expected, slug="cha-1") == ["BAD_USER_INPUT"]
    assert await api.codes(PRODUCT, sku="茶-1") == ["BAD_USER_INPUT"]


async def test_a_product_out_of_stock_keeps_its_page_and_leaves_the_lists(api: Client, make: Factory) -> None:
    seller = await make.seller()
    product = await make.product(seller_id=seller)
    await make.change(tables.products, product, stock_quantity=0)
    shown = (await api.data(PRODUCT, id=encode("Product", product)))["product"]
    assert (shown["status"], shown["availability"]) == ("OUT_OF_STOCK", "OUT_OF_STOCK")
    assert names(await api.data(PAGE, filter={"sellerId": encode("Seller", seller)})) == []


@pytest.mark.parametrize("status", ["draft", "discontinued"])
async def test_what_is_not_shown_does_not_exist_for_the_public(api: Client, make: Factory, status: str) -> None:
    product = await make.product(status=status, slug=f"hidden-{status}")
    answer = await api.data(
        "query ($id: ID!, $slug: String) { product(id: $id) { id } bySlug: product(slug: $slug) { id } node(id: $id) { id } }",
        id=encode("Product", product),
        slug=f"hidden-{status}",
    )
    assert answer == {"product": None, "bySlug": None, "node": None}


async def test_node_finds_each_kind_and_nothing_else(api: Client, make: Factory) -> None:
    category, brand, product = await make.category(), await make.brand(), await make.product()
    review = await make.review(product)
    ids = [encode("Category", category), encode("Brand", brand), encode("Product", product), encode("Review", review)]
    nothing = [encode("Product", category), encode("Secret", product), "x", "", "💣", "A" * 5000]
    data = await api.data("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids + nothing)
    kinds = ["Category", "Brand", "Product", "Review"]
    assert data["nodes"] == [{"__typename": kind, "id": key} for kind, key in zip(kinds, ids, strict=True)] + [None] * 6


async def test_brands_and_categories_are_listed(api: Client, make: Factory) -> None:
    top = await make.category(name="本", sort_order=-1)
    below = await make.category(name="雑誌", parent_id=top, slug="zasshi")
    await make.brand(name="000 ブランド")
    query = """query ($id: ID) { categories { name children { name } } category(id: $id) { name path { name } }
        bySlug: category(slug: "zasshi") { name } brands(first: 1) { nodes { name } totalCount { value } } }"""
    async with asyncio.timeout(60):  # the tree may be cached, and the word that it changed be on its way
        while not (data := await api.data(query, id=encode("Category", below)))["bySlug"]:
            await asyncio.sleep(0)
    assert {"name": "本", "children": [{"name": "雑誌"}]} in data["categories"]
    assert data["category"] == {"name": "雑誌", "path": [{"name": "本"}, {"name": "雑誌"}]}
    assert data["bySlug"] == {"name": "雑誌"}
    assert data["brands"]["nodes"] == [{"name": "000 ブランド"}]


async def test_a_null_byte_finds_nothing(api: Client, make: Factory) -> None:
    seller = encode("Seller", await make.seller())
    query = "query ($seller: ID!, $s: String!) { product(sellerId: $seller, sku: $s) { id } bySlug: product(slug: $s) { id } }"
    assert await api.data(query, seller=seller, s="a\x00b") == {"product": None, "bySlug": None}


async def test_nodes_refuses_a_crowd_without_taking_the_rest_along(api: Client) -> None:
    answer = await api.answer("{ cart { version } nodes(ids: [" + '"x" ' * 101 + "]) { id } }")
    assert answer["data"] == {"cart": {"version": 0}, "nodes": None}
