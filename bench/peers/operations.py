"""What all of them are asked. The feed is one whose list of ids is in PostgreSQL: products by name, a page at a time."""

from collections.abc import Mapping

from bench.operations import (
    LIST,
    SHOWN_IN_FEED,
    Operation,
    Variables,
    WrongAnswer,
    answer_to,
    check_list,
    data_of,
    require,
    require_count,
)

FEED, LISTING, SMALL = "peers-feed", "peers-list", "peers-small"
NAMES: Mapping[str, str] = {FEED: "feed", LISTING: "list", SMALL: "small"}
"""As whoever runs this says them, and the paths of the floors."""

PAGES = 20
"""Feeds that are asked for in turn, 400 products: a server that runs equal operations once has few at the same time."""

FEED_QUERY = """
query Feed($after: String) {
  products(first: 20, sort: NAME, after: $after) {
    nodes {SHOWN}
  }
}
""".replace("SHOWN", SHOWN_IN_FEED)

SMALL_QUERY = """
query Small($id: ID!) { product(id: $id) { id name } }
"""

CURSOR = """
query Cursor($after: String) {
  products(first: 20, sort: NAME, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}
"""


def check_feed(body: bytes) -> None:
    nodes = data_of(body)["products"]["nodes"]
    require_count("products", nodes, 20)
    for node in nodes:
        require(node, "name", "price", "seller", "category", "rating", "reviews")


def check_small(body: bytes) -> None:
    require(data_of(body)["product"], "id", "name")


OPERATIONS: Mapping[str, Operation] = {
    FEED: Operation("feed of 20", check_feed, FEED_QUERY),
    LISTING: Operation("list of 50 x 8", check_list, LIST),
    SMALL: Operation("{ product { id name } }", check_small, SMALL_QUERY),
}


def variables_of(url: str) -> Mapping[str, list[Variables]]:
    """With what each operation is sent in turn, by a gateway's address. Raises WrongAnswer, OSError."""
    cursors: list[str | None] = [None]
    ids: list[str] = []
    for _ in range(PAGES):
        page = data_of(answer_to(url, CURSOR, {"after": cursors[-1]}))["products"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        ids += [node["id"] for node in page["nodes"]]
        cursors.append(page["pageInfo"]["endCursor"])
    if not ids:
        raise WrongAnswer("the marketplace has fewer than two pages of products")
    return {
        FEED: [{"after": cursor} for cursor in cursors[: len(ids) // 20]],
        LISTING: [{}],
        SMALL: [{"id": each} for each in ids[::4]],
    }
