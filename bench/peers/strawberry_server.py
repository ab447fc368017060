"""Stock Strawberry as its documentation has it: its own ASGI view, resolvers, a DataLoader a kind of thing.

uvicorn bench.peers.strawberry_server:app
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from bench.peers import views
from bench.peers.statements import STATEMENTS, make_pool

Load = Callable[[list[UUID]], Awaitable[Sequence[Any]]]


class Loaders:
    """New for each request."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.products = self._one("products")
        self.images = self._many("images")
        self.sellers = self._one("sellers")
        self.categories = self._one("categories")
        self.brands = self._one("brands")
        self.ratings = self._one("ratings", "product_id")
        self.authors = self._one("authors")
        self._reviews: dict[int, DataLoader[UUID, Any]] = {}

    def reviews(self, first: int) -> DataLoader[UUID, Any]:
        if first not in self._reviews:
            self._reviews[first] = self._many("reviews", first)
        return self._reviews[first]

    def _one(self, statement: str, key: str = "id") -> DataLoader[UUID, Any]:
        async def load(ids: list[UUID]) -> Sequence[Any]:
            rows = {row[key]: row for row in await self.pool.fetch(STATEMENTS[statement], ids)}
            return [rows.get(each) for each in ids]

        return DataLoader(load)

    def _many(self, statement: str, *values: int) -> DataLoader[UUID, Any]:
        async def load(ids: list[UUID]) -> Sequence[Any]:
            lists: dict[UUID, list[Any]] = {each: [] for each in ids}
            for row in await self.pool.fetch(STATEMENTS[statement], ids, *values):
                lists[row["product_id"]].append(row)
            return [lists[each] for each in ids]

        return DataLoader(load)


Info = strawberry.Info[dict[str, Any], None]
Hidden = strawberry.Private[Any]
"""A row that the resolvers of a type read."""


def loaders(info: Info) -> Loaders:
    found: Loaders = info.context["loaders"]
    return found


@strawberry.enum
class Availability(Enum):
    IN_STOCK = "IN_STOCK"
    LOW_STOCK = "LOW_STOCK"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    UNAVAILABLE = "UNAVAILABLE"


@strawberry.enum
class ProductSort(Enum):
    NEWEST = "NEWEST"
    NAME = "NAME"


@strawberry.type
class Money:
    amount: Decimal
    currency_code: str


@strawberry.type
class ProductImage:
    url: str
    alt_text: str


@strawberry.type
class Seller:
    id: strawberry.ID
    name: str
    logo_url: str | None


@strawberry.type
class Category:
    id: strawberry.ID
    name: str
    slug: str


@strawberry.type
class Brand:
    id: strawberry.ID
    name: str


@strawberry.type
class Rating:
    average: float | None
    count: int


@strawberry.type
class Author:
    display_name: str
    avatar_url: str | None


@strawberry.type
class Review:
    user_id: Hidden
    id: strawberry.ID
    rating: int
    title: str | None
    created_at: datetime

    @strawberry.field
    async def author(self, info: Info) -> Author | None:
        row = await loaders(info).authors.load(self.user_id) if self.user_id else None
        return row and Author(display_name=row["display_name"], avatar_url=row["avatar_url"])


@strawberry.type
class Reviews:
    nodes: list[Review]


@strawberry.type
class Product:
    row: Hidden
    id: strawberry.ID
    sku: str
    slug: str
    name: str
    availability: Availability
    stock_quantity: int
    is_on_sale: bool
    published_at: datetime | None
    price: Money

    @strawberry.field
    async def images(self, info: Info) -> list[ProductImage]:
        rows = await loaders(info).images.load(self.row["id"])
        return [ProductImage(url=row["image_url"], alt_text=row["alt_text"]) for row in rows]

    @strawberry.field
    async def seller(self, info: Info) -> Seller | None:
        row = await loaders(info).sellers.load(self.row["seller_id"])
        return row and Seller(id=_id("Seller", row["id"]), name=row["company_name"], logo_url=row["logo_url"])

    @strawberry.field
    async def category(self, info: Info) -> Category | None:
        row = await loaders(info).categories.load(self.row["category_id"])
        return row and Category(id=_id("Category", row["id"]), name=row["name"], slug=row["slug"])

    @strawberry.field
    async def brand(self, info: Info) -> Brand | None:
        row = await loaders(info).brands.load(self.row["brand_id"]) if self.row["brand_id"] else None
        return row and Brand(id=_id("Brand", row["id"]), name=row["name"])

    @strawberry.field
    async def rating(self, info: Info) -> Rating:
        row = await loaders(info).ratings.load(self.row["id"])
        return Rating(average=views.mean(row), count=row["rating_count"] if row else 0)

    @strawberry.field
    async def reviews(self, info: Info, first: int = 20) -> Reviews:
        rows = await loaders(info).reviews(first).load(self.row["id"])
        return Reviews(nodes=[_review(row) for row in rows])


@strawberry.type
class Products:
    nodes: list[Product]


@strawberry.type
class Query:
    @strawberry.field
    async def product(self, info: Info, id: strawberry.ID) -> Product | None:
        row = await loaders(info).products.load(views.key_of(id, "Product"))
        return row and _product(row)

    @strawberry.field
    async def products(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        sort: Annotated[ProductSort, strawberry.argument()] = ProductSort.NEWEST,
    ) -> Products:
        statement, values = views.listed(sort.value, first, after)
        rows = await loaders(info).pool.fetch(STATEMENTS[statement], *values)
        return Products(nodes=[_product(row) for row in rows])


def _id(kind: str, key: UUID) -> strawberry.ID:
    return strawberry.ID(views.global_id(kind, key))


def _product(row: Any) -> Product:
    return Product(
        row=row,
        id=_id("Product", row["id"]),
        sku=row["sku"],
        slug=row["slug"],
        name=row["name"],
        availability=Availability(views.availability(row)),
        stock_quantity=row["stock_quantity"],
        is_on_sale=views.is_on_sale(row),
        published_at=row["published_at"],
        price=Money(amount=Decimal(views.amount(views.price_of(row), row["currency"])), currency_code=row["currency"]),
    )


def _review(row: Any) -> Review:
    return Review(
        user_id=row["user_id"],
        id=_id("Review", row["id"]),
        rating=row["rating"],
        title=row["title"],
        created_at=row["created_at"],
    )


class View(GraphQL[dict[str, Any], None]):
    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:  # noqa: ARG002  (Strawberry's signature)
        return {"loaders": Loaders(request.app.state.pool)}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with make_pool() as pool:
        app.state.pool = pool
        yield


app = Starlette(
    routes=[Route("/graphql", View(strawberry.Schema(Query), graphql_ide=None))],
    lifespan=lifespan,
)
