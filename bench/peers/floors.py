"""The same answers without GraphQL: by hand, from Redis, from memory. What a server costs before GraphQL begins.

    uvicorn bench.peers.floors:app

POST /sql/feed, /sql/list and /sql/small read the variables of the request and make the answer: Starlette, asyncpg, orjson, one
connection for all statements. Under /redis and /memory the bytes of that answer come back for the bytes of the request; the
first time they are made by hand. These two are bare ASGI, without Starlette.
"""

import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast
from uuid import UUID

import orjson
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers import views
from bench.peers.statements import STATEMENTS, make_pool

FEED_SIZE, REVIEWS, LIST_SIZE = 20, 3, 50
KEPT_S = 3600
JSON = (b"content-type", b"application/json")

Answer = Callable[[Any, Mapping[str, Any]], Awaitable[Any]]
"""Takes a connection and the variables of the request, and gives the data."""


class Rows:
    """A connection, by names of statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def of(self, statement: str, *values: Any) -> Sequence[Any]:
        rows: Sequence[Any] = await self._connection.fetch(STATEMENTS[statement], *values)
        return rows

    async def by_id(self, statement: str, ids: Iterable[UUID | None], key: str = "id") -> dict[UUID, Any]:
        return {row[key]: row for row in await self.of(statement, list({each for each in ids if each}))}


def grouped(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["product_id"], []).append(row)
    return found


async def feed(connection: Any, variables: Mapping[str, Any]) -> Any:
    rows = Rows(connection)
    statement, values = views.listed("NAME", FEED_SIZE, variables.get("after"))
    products = await rows.of(statement, *values)
    ids = [product["id"] for product in products]
    images = grouped(await rows.of("images", ids))
    sellers = await rows.by_id("sellers", (product["seller_id"] for product in products))
    categories = await rows.by_id("categories", (product["category_id"] for product in products))
    brands = await rows.by_id("brands", (product["brand_id"] for product in products))
    ratings = await rows.by_id("ratings", ids, "product_id")
    reviews = await rows.of("reviews", ids, REVIEWS)
    authors = await rows.by_id("authors", (review["user_id"] for review in reviews))
    of_product = grouped(reviews)
    nodes = [
        {
            "id": views.global_id("Product", product["id"]),
            "name": product["name"],
            "slug": product["slug"],
            "availability": views.availability(product),
            "price": {
                "amount": views.amount(views.price_of(product), product["currency"]),
                "currencyCode": product["currency"],
            },
            "images": [{"url": row["image_url"], "altText": row["alt_text"]} for row in images.get(product["id"], ())],
            "seller": _seller(sellers.get(product["seller_id"])),
            "category": _category(categories.get(product["category_id"])),
            "brand": _brand(brands.get(product["brand_id"])),
            "rating": _rating(ratings.get(product["id"])),
            "reviews": {
                "nodes": [_review(row, authors.get(row["user_id"])) for row in of_product.get(product["id"], ())]
            },
        }
        for product in products
    ]
    return {"products": {"nodes": nodes}}


async def listing(connection: Any, _variables: Mapping[str, Any]) -> Any:
    nodes = [
        {
            "id": views.global_id("Product", product["id"]),
            "sku": product["sku"],
            "slug": product["slug"],
            "name": product["name"],
            "availability": views.availability(product),
            "stockQuantity": product["stock_quantity"],
            "isOnSale": views.is_on_sale(product),
            "publishedAt": views.moment(product["published_at"]),
        }
        for product in await Rows(connection).of("products_newest", LIST_SIZE)
    ]
    return {"products": {"nodes": nodes}}


async def small(connection: Any, variables: Mapping[str, Any]) -> Any:
    found = await Rows(connection).of("products", [views.key_of(variables["id"], "Product")])
    product = found[0] if found else None
    return {"product": product and {"id": variables["id"], "name": product["name"]}}


def _seller(row: Any) -> Any:
    return row and {
        "id": views.global_id("Seller", row["id"]),
        "name": row["company_name"],
        "logoUrl": row["logo_url"],
    }


def _category(row: Any) -> Any:
    return row and {"id": views.global_id("Category", row["id"]), "name": row["name"], "slug": row["slug"]}


def _brand(row: Any) -> Any:
    return row and {"id": views.global_id("Brand", row["id"]), "name": row["name"]}


def _rating(row: Any) -> Any:
    return {"average": views.mean(row), "count": row["rating_count"] if row else 0}


def _review(row: Any, author: Any) -> Any:
    return {
        "id": views.global_id("Review", row["id"]),
        "rating": row["rating"],
        "title": row["title"],
        "createdAt": views.moment(row["created_at"]),
        "author": author and {"displayName": author["display_name"], "avatarUrl": author["avatar_url"]},
    }


ANSWERS: Mapping[str, Answer] = {"feed": feed, "list": listing, "small": small}


class Floors:
    """The ASGI application."""

    def __init__(self) -> None:
        self._pool: Any
        self._redis: Redis
        self._memory: dict[bytes, bytes] = {}
        self._by_hand = Starlette(
            routes=[Route(f"/sql/{name}", self._endpoint(name), methods=["POST"]) for name in ANSWERS],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kind, _, name = scope.get("path", "").strip("/").partition("/")
        if kind not in ("redis", "memory"):
            await self._by_hand(scope, receive, send)
            return
        body = await _body_of(receive)
        answer = await (self._from_redis if kind == "redis" else self._from_memory)(name, body)
        headers = [JSON, (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _endpoint(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return Response(await self._made(name, await request.body()), media_type="application/json")

        return endpoint

    async def _made(self, name: str, body: bytes) -> bytes:
        async with self._pool.acquire() as connection:
            return orjson.dumps({"data": await ANSWERS[name](connection, orjson.loads(body)["variables"])})

    async def _from_redis(self, name: str, body: bytes) -> bytes:
        key = b"bench:" + hashlib.sha256(body).digest()
        found = cast("bytes | None", await self._redis.get(key))
        if found is None:
            found = await self._made(name, body)
            await self._redis.set(key, found, ex=KEPT_S)
        return found

    async def _from_memory(self, name: str, body: bytes) -> bytes:
        found = self._memory.get(body)
        if found is None:
            found = self._memory[body] = await self._made(name, body)
        return found

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> Any:
        async with AsyncExitStack() as stack:
            self._pool = await stack.enter_async_context(make_pool())
            self._redis = await stack.enter_async_context(Redis.from_url(os.environ["REDIS_URL"]))
            yield


async def _body_of(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


app = Floors()
