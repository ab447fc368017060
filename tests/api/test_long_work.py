"""Operations within every limit hold up nobody: the most that one of them takes without a break, on the real schema."""

import gc
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from bench.hostile import longest_stretch
from resolvers.global_ids import encode
from tests.api.client import Client
from tests.factories import Factory
from tests.pace import times_as_long

LONGEST_S = 0.05
"""On a machine of the usual kind."""
TRIES = 6
FLAT = (
    "id sku slug name description status stockQuantity availability isOnSale publishedAt updatedAt "
    "basePrice { amount currencyCode } price { amount currencyCode } attributes { name value }"
)

TOO_MANY = f"""x: nodes(ids: [{'"x" ' * 101}]) {{ id }}"""


@pytest.fixture(autouse=True)
def without_what_tests_keep() -> Iterator[None]:
    """A collection walks what this operation made, and not what a whole suite has in memory: as in a gateway that has begun."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
async def shop(make: Factory) -> str:
    """A seller of a hundred products, each with fifty reviews."""
    seller = await make.seller()
    await make.well_reviewed(seller, await make.category(), 100, 50)
    return encode("Seller", seller)


def aliased(times: int, fields: str, first: int = 100) -> str:
    """Pages of the shop's products, under so many aliases."""
    page = f"products(first: {first}, filter: {{ sellerId: $shop }}) {{ nodes {{ {fields} }} }}"
    return "query ($shop: ID!) { " + " ".join(f"a{n}: {page}" for n in range(times)) + " }"


def nodes(times: int, fields: str) -> str:
    found = f"nodes(ids: $ids) {{ id ... on Product {{ {fields} }} }}"
    return "query ($ids: [ID!]!) { " + " ".join(f"a{n}: {found}" for n in range(times)) + " }"


LONG: Mapping[str, tuple[str, int]] = {
    "a megabyte": (aliased(8, FLAT + " " + " ".join(f"d{n}: description" for n in range(5))), 0),
    "thirteen pages": (aliased(13, FLAT), 0),
    "edges": (aliased(17, "seller { id name } category { id name }"), 0),
    "reviews": (aliased(2, "reviews(first: 50) { nodes { id rating comment createdAt author { displayName } } }", 25), 0),
    "ids of reviews": (aliased(3, "reviews(first: 100) { nodes { id } }"), 0),
    "nodes": (nodes(12, FLAT), 0),
    "ids of nodes": (nodes(20, "slug"), 0),
    "errors": (aliased(14, "reviews(first: -1) { nodes { id } }"), 1_400),
    "errors beside fields": (aliased(8, FLAT + " reviews(first: -1) { nodes { id } }"), 800),
    "an error beside all else": (aliased(12, FLAT).replace("{ a0", "{ " + TOO_MANY + " a0", 1), 1),
}  # fmt: skip


async def holds_up_nobody(client: Client, query: str, **variables: Any) -> None:
    longest: list[float] = []
    for number in range(TRIES):  # each a document that nobody has seen: it is read, and compiled
        took = await longest_stretch(client.post(f"{query} #{number}", **variables))
        longest.append(took / times_as_long())
        if longest[-1] < LONGEST_S:
            break
    assert min(longest) < LONGEST_S, longest


@pytest.mark.parametrize("name", LONG)
async def test_what_is_within_all_limits_holds_up_nobody(http: httpx.AsyncClient, shop: str, name: str) -> None:
    query, errors = LONG[name]
    client = Client(http)
    page = await client.data(aliased(1, "id reviews(first: 100) { nodes { id } }"), shop=shop)
    assert [len(node["reviews"]["nodes"]) for node in page["a0"]["nodes"]] == [50] * 100
    variables = {"shop": shop} if "$shop" in query else {"ids": [node["id"] for node in page["a0"]["nodes"]]}
    answer = await client.answer(query, **variables)
    assert "extensions" in answer, answer["errors"]  # it was run
    told = answer.get("errors", [])
    assert sum(error["extensions"].get("more", 1) for error in told) == errors
    await holds_up_nobody(client, query, **variables)


IN_PARTS = {
    "put off": aliased(5, f"id ... @defer {{ {FLAT} }}"),
    "put off as a whole": aliased(12, FLAT).replace(" }", " } }", 0).replace("a0: ", "__typename ... @defer { a0: ", 1)
    + " }",
    "one by one": aliased(5, FLAT).replace("nodes {", "nodes @stream(initialCount: 2) {"),
    "errors": aliased(6, "... @defer { reviews(first: -1) { nodes { id } } }"),
}


@pytest.mark.parametrize("name", IN_PARTS)
async def test_what_comes_in_parts_holds_up_nobody(http: httpx.AsyncClient, shop: str, name: str) -> None:
    client = Client(http)
    client.headers["accept"] = "multipart/mixed"
    answer = await client.post(IN_PARTS[name], shop=shop)
    assert answer.headers["content-type"].startswith("multipart/mixed")
    assert '"hasNext":true' in answer.text
    await holds_up_nobody(client, IN_PARTS[name], shop=shop)
