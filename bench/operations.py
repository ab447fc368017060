"""What is measured: three queries that a storefront sends, and the floor under them."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PRODUCTS_SHOWN = 50
"""How many products the page is asked for in turn, so that no single one is all that is ever cached."""

PATIENCE_S = 10.0

Variables = Mapping[str, str | None]

KINDS = SQL, REDIS, DYNAMODB = "SQL", "Redis", "DynamoDB"
STATES = "cold", "warm"
Lookups = Mapping[str, Mapping[str, Mapping[str, int]]]
"""How often an operation, by its name, in a state of the cache, asks each kind of back end."""

PRODUCT = """
query Product($id: ID!) {
  product(id: $id) {
    id sku slug name description status stockQuantity availability isOnSale publishedAt updatedAt
    basePrice { amount currencyCode } salePrice { amount currencyCode } price { amount currencyCode }
    attributes { name value }
    shippingInfo { shipsFrom daysMin daysMax fee { amount currencyCode } freeOver { amount currencyCode } }
    images { url altText isPrimary }
    variations {
      id sku name stockQuantity availability price { amount currencyCode } attributes { name value }
    }
    category { id name slug iconUrl path { id name slug } children { id name slug } }
    brand { id name nameKana logoUrl }
    seller { id name nameKana description logoUrl bannerUrl approvedAt }
    rating { average count }
    reviews(first: 10) {
      nodes {
        id rating title comment helpfulCount isVerifiedPurchase createdAt author { displayName avatarUrl }
      }
      pageInfo { hasNextPage endCursor }
      totalCount { value precision }
    }
  }
}
"""

LIST = """
query List {
  products(first: 50) { nodes { id sku slug name availability stockQuantity isOnSale publishedAt } }
}
"""

SHOWN_IN_FEED = """
        id name slug availability price { amount currencyCode }
        images { url altText }
        seller { id name logoUrl }
        category { id name slug }
        brand { id name }
        rating { average count }
        reviews(first: 3) { nodes { id rating title createdAt author { displayName avatarUrl } } }
"""

FEED = """
query Feed {
  recommendations(first: 20) {
    nodes {
      score reason
      product {SHOWN}
    }
  }
}
""".replace("SHOWN", SHOWN_IN_FEED)

CHOICE = """
query Choice {
  products(first: 100) { nodes { id images { url } variations { id } brand { id } reviews(first: 1) { nodes { id } } } }
}
"""


class WrongAnswer(Exception):
    """The gateway answered, but not with what was asked for: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A request to repeat. `check` takes an answer's body and raises WrongAnswer. Without a `query` it is GET `path`."""

    title: str
    check: Callable[[bytes], None]
    query: str = ""
    path: str = "/graphql"

    def request(self, host: str, variables: Variables, path: str = "", bearer: str = "") -> bytes:
        """As it goes over the wire."""
        if not self.query:
            return f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        body = self.body(variables)
        headers = f"Host: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        token = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        return f"POST {path or self.path} HTTP/1.1\r\n{headers}{token}\r\n".encode() + body

    def body(self, variables: Variables) -> bytes:
        return json.dumps({"query": self.query, "variables": variables}).encode()


def variables_of(name: str, url: str) -> list[Variables]:
    """The variables with which an operation is sent in turn to the gateway at `url`. Raises WrongAnswer."""
    return [{"id": each} for each in choose_products(url)] if name == "product" else [{}]


def choose_products(url: str) -> list[str]:
    """Products whose page has most on it: images, variations, brand and reviews. Raises WrongAnswer."""
    nodes = data_of(answer_to(f"{url}/graphql", CHOICE))["products"]["nodes"]
    if not nodes:
        raise WrongAnswer("the marketplace has no products: run `torii seed`")
    edges = ("variations", "images", "brand")
    richest = sorted(
        nodes, key=lambda node: -sum(map(bool, (*(node[each] for each in edges), node["reviews"]["nodes"])))
    )
    return [node["id"] for node in richest[:PRODUCTS_SHOWN]]


def check_health(body: bytes) -> None:
    if json.loads(body) != {"status": "alive"}:
        raise WrongAnswer(f"/health said {body[:200]!r}")


def check_product(body: bytes) -> None:
    product = data_of(body)["product"]
    require(product, "name", "images", "category", "seller", "rating", "reviews")


def check_list(body: bytes) -> None:
    nodes = data_of(body)["products"]["nodes"]
    require_count("products", nodes, 50)
    for node in nodes:
        require(node, "id", "sku", "slug", "name", "availability", "publishedAt")


def check_feed(body: bytes) -> None:
    nodes = data_of(body)["recommendations"]["nodes"]
    require_count("recommendations", nodes, 20)
    for node in nodes:
        require(node, "product")
        require(node["product"], "name", "price", "images", "seller", "category", "rating", "reviews")
    reviews = [review for node in nodes for review in node["product"]["reviews"]["nodes"]]
    if not any(review["author"] for review in reviews):
        raise WrongAnswer("no product of the feed has a review with an author")


OPERATIONS: Mapping[str, Operation] = {
    "health": Operation("GET /health", check_health, path="/health"),
    "product": Operation("product page", check_product, PRODUCT),
    "list": Operation("list of 50", check_list, LIST),
    "feed": Operation("feed of 20", check_feed, FEED),
}


def data_of(body: bytes) -> Any:
    """Raises WrongAnswer where there are errors."""
    answer = json.loads(body)
    if "errors" in answer:
        raise WrongAnswer(f"the gateway answered with an error: {answer['errors'][0]}")
    return answer["data"]


def require(value: Any, *fields: str) -> None:
    """Raises WrongAnswer where one of them is null or an empty list."""
    missing = fields if value is None else [field for field in fields if value[field] in (None, [])]
    if missing:
        raise WrongAnswer(f"an answer has no {', '.join(missing)}")


def require_count(what: str, nodes: Sequence[Any], expected: int) -> None:
    if len(nodes) != expected:
        raise WrongAnswer(f"{len(nodes)} {what}, not {expected}: is the marketplace large enough?")


def answer_to(url: str, query: str, variables: Variables | None = None) -> bytes:
    """The body of the answer to a POST to `url`. Raises WrongAnswer, OSError."""
    request = urllib.request.Request(url, json.dumps({"query": query, "variables": variables or {}}).encode())
    request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise WrongAnswer(f"{url}: status {error.code}: {error.read()[:200]!r}") from error
