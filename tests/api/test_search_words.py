"""Words on the wire: what is suggested while somebody types, and what is shown where nothing is found."""

import pytest
from starlette.applications import Starlette

from adapters.postgres import tables
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.statements import counted
from tests.api.test_search import reindexed
from tests.factories import Factory

SUGGEST = """
query ($prefix: String!) { searchSuggestions(prefix: $prefix) {
  kind product { id name } category { name } brand { name }
} }
"""
NEAR = """
query ($query: String!, $filter: SearchFilter) { search(query: $query, filter: $filter) {
  didYouMean relaxed { words filters } totalCount { value } nodes { product { id } }
} }
"""


@pytest.fixture(scope="module")
async def lamp(prepared: Settings, make: Factory) -> str:
    category, brand = await make.category(name="石灯籠・庭"), await make.brand(name="蛍雪庵", name_kana="ケイセツアン")
    shown = await make.product(name="蛍雪庵 春日灯籠 大", category_id=category, brand_id=brand)
    await make.product(name="春日灯籠 下書き", status="draft")
    await reindexed(prepared)
    return encode("Product", shown)


@pytest.mark.parametrize("prefix", ["春日灯", "かすがとう", "kasugato", "ｋａｓｕｇａ"])
async def test_product_is_suggested_however_its_name_is_begun(api: Client, lamp: str, prefix: str) -> None:
    [found] = (await api.data(SUGGEST, prefix=prefix))["searchSuggestions"]

    assert found == {
        "kind": "PRODUCT",
        "product": {"id": lamp, "name": "蛍雪庵 春日灯籠 大"},
        "category": None,
        "brand": None,
    }


async def test_categories_and_brands_are_suggested_by_their_readings(api: Client, lamp: str) -> None:
    for prefix, kind, name in (("いしどう", "category", "石灯籠・庭"), ("keisetsu", "brand", "蛍雪庵")):
        [found] = (await api.data(SUGGEST, prefix=prefix))["searchSuggestions"]
        assert (found["kind"], found[kind]) == (kind.upper(), {"name": name})


@pytest.mark.parametrize("prefix", ["", " ", "\x00", "春日灯籠 大 小", "*", "x" * 3_000])
async def test_what_begins_nothing_suggests_nothing(api: Client, lamp: str, prefix: str) -> None:
    assert await api.data(SUGGEST, prefix=prefix) == {"searchSuggestions": []}


async def test_product_that_is_hidden_after_it_was_indexed_is_not_suggested(
    api: Client, make: Factory, prepared: Settings
) -> None:
    hidden = await make.product(name="朧月燭台")
    await reindexed(prepared)
    await make.change(tables.products, hidden, status="draft")

    assert await api.data(SUGGEST, prefix="朧月燭") == {"searchSuggestions": []}


async def test_suggestions_take_the_same_statements_whatever_they_show(
    app: Starlette, api: Client, lamp: str, make: Factory, prepared: Settings
) -> None:
    async def statements() -> int:
        await api.data(SUGGEST, prefix="春日灯籠")  # what Redis keeps is there
        app.state.fragments.drop()
        with counted() as sent:
            await api.data(SUGGEST, prefix="春日灯籠")
        return len(sent)

    one = await statements()
    for number in range(4):
        await make.product(name=f"春日灯籠 {number}号")
    await reindexed(prepared)

    assert await statements() == one


async def test_what_was_asked_for_is_highlighted_in_what_is_shown(api: Client, lamp: str) -> None:
    query = """{ search(query: "かすが", first: 1) { nodes { product { id } highlights { field parts { text isMatch } } } }
        browse: search(first: 1) { nodes { highlights { field } } } }"""

    data = await api.data(query)

    [node] = data["search"]["nodes"]
    [name] = [each for each in node["highlights"] if each["field"] == "name"]
    assert {"text": "春日", "isMatch": True} in name["parts"]
    assert data["browse"]["nodes"][0]["highlights"] is None


async def test_mistyped_word_is_spelled_and_the_nearest_results_are_shown(api: Client, lamp: str) -> None:
    page = (await api.data(NEAR, query="kasugadoro"))["search"]
    assert lamp in [node["product"]["id"] for node in page["nodes"]]

    page = (await api.data(NEAR, query="春日打籠"))["search"]
    assert page["didYouMean"] == "春日灯籠"
    assert page["relaxed"] == {"words": ["春日打籠"], "filters": []}
    assert page["totalCount"]["value"] == len(page["nodes"]) >= 1


async def test_filter_in_the_way_is_named_by_its_token(api: Client, lamp: str) -> None:
    page = (await api.data(NEAR, query="春日灯籠 大", filter={"tokens": ["stock:out"]}))["search"]

    assert page["relaxed"] == {"words": [], "filters": ["stock:out"]}
    assert [node["product"]["id"] for node in page["nodes"]] == [lamp]
