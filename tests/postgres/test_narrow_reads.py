"""What is read by the attributes that are looked at is what is read whole, and there is no more of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.catalog import PostgresCategories, PostgresProducts
from adapters.postgres.columns import fields_behind
from adapters.postgres.database import Database
from adapters.postgres.reviews import PostgresReviews
from adapters.postgres.sellers import PostgresSellers
from domain.catalog.categories import Category
from domain.catalog.model import Image, Product, ProductFilter, ProductRef, ProductSort
from domain.reviews.model import REVIEWS_ORDER, Review
from domain.sellers.model import Seller
from domain.shared.ids import CategoryId, ProductId, SellerId
from domain.shared.needs import Needs
from domain.shared.paging import PageRequest
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from engine.declared.kinds import Attribute, Computed, Edge, kind_of
from schema.build import build_schema
from settings import Settings
from tests.postgres.shelf import Shelf

SHOWN = {"Product": Product, "ProductImage": Image, "Review": Review, "Seller": Seller, "Category": Category}
ADMIN = Viewer(Role.ADMIN)


def looked_at(type_name: str) -> list[str]:
    """Every attribute of values that the schema's fields of a type look at."""
    found: set[str] = set()
    for field in build_schema()._schema.type_map[type_name].fields.values():  # type: ignore[attr-defined]
        kind = kind_of(field)
        if isinstance(kind, Attribute):
            found.add(kind.name)
        elif isinstance(kind, Edge):
            found.add(kind.key)
        elif isinstance(kind, Computed):
            assert kind.of is not None, f"{type_name} has a field that does not say what it looks at"
            found.add(kind.of)
    return sorted(found)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    yield database
    await database.close()


class Reads:
    """Reads the same rows by whatever is looked at, of each type in each way."""

    def __init__(self, database: Database, shelf: Shelf, products: Sequence[UUID]) -> None:
        self._catalog, self._reviews = PostgresProducts(database), PostgresReviews(database)
        self._sellers, self._categories = PostgresSellers(database), PostgresCategories(database)
        self._shelf = shelf
        self._ids = [ProductId(each) for each in products]

    async def of(self, type_name: str, needs: Needs) -> list[Any]:
        match type_name:
            case "Product":
                return await self._products(needs)
            case "ProductImage":
                return [each for of_one in await self._catalog.images_of(self._ids, needs=needs) for each in of_one]
            case "Review":
                pages = await self._reviews.of_products(self._ids, PageRequest.of(REVIEWS_ORDER, first=2), needs=needs)
                once = [review for page in pages for review in page.nodes]
                assert all(page.edges for page in pages if page.nodes)  # whose cursors come from the rows, too
                return once + list(await self._reviews.by_ids([each.id for each in once], needs=needs))
            case "Seller":
                return list(await self._sellers.by_ids([SellerId(self._shelf.seller)], needs))
            case _:
                return list(await self._categories.by_ids([CategoryId(self._shelf.category)], needs))

    async def _products(self, needs: Needs) -> list[Any]:
        mine = ProductFilter(seller_id=SellerId(self._shelf.seller))
        found = list(await self._catalog.by_ids(self._ids, needs=needs))
        found += await self._catalog.by_ids(self._ids, ADMIN, needs)
        for sort in ProductSort:
            page = await self._catalog.page(ANONYMOUS, mine, sort, PageRequest(2), needs)
            assert len(page.edges) == 2
            found += page.nodes
        return [*found, await self._catalog.find(ANONYMOUS, ProductRef(id=self._ids[0]), needs)]


@pytest.fixture
async def reads(database: Database, shelf: Shelf) -> Reads:
    """Products and reviews of which no two are alike."""
    plain = await shelf.product(name="茶碗")
    sold_out = await shelf.product(name="皿", stock_quantity=0, status="out_of_stock", base_price=5)
    rich = await shelf.product(
        name="鉢",
        description="青い",
        currency="GBP",
        base_price=1980,
        sale_price=1500,
        stock_quantity=3,
        attributes={"色": "藍"},
        shipping_info={"fee": 300, "days_min": 2},
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    for number, alt_text in enumerate(("表", "裏")):
        await shelf.shop.image(rich, alt_text=alt_text, sort_order=number, is_primary=not number)
    for product in (plain, rich):
        for rating in (1, 5):
            user = await shelf.shop.user()
            if rating == 5:
                await shelf.shop.profile(user, avatar_url=f"https://example.com/{user}")
            await shelf.shop.review(user, product, rating=rating, title="良い", comment="また買います")
    return Reads(database, shelf, [rich, plain, sold_out])


@pytest.mark.parametrize("type_name", SHOWN)
async def test_each_attribute_that_the_schema_looks_at_can_be_read_by_itself(reads: Reads, type_name: str) -> None:
    whole = await reads.of(type_name, None)
    assert whole
    assert {type(each) for each in whole} == {SHOWN[type_name]}
    for name in looked_at(type_name):
        narrow = await reads.of(type_name, frozenset({name}))
        assert [getattr(each, name) for each in narrow] == [getattr(each, name) for each in whole], name
        assert all(isinstance(each, SHOWN[type_name]) for each in narrow)


@pytest.mark.parametrize("needs", [None, frozenset({"rating"}), frozenset({"user_id", "id"})])
@pytest.mark.parametrize("viewer", [ANONYMOUS, ADMIN])
async def test_reviews_are_the_same_with_their_authors(
    reads: Reads, database: Database, shelf: Shelf, viewer: Viewer, needs: Needs
) -> None:
    board, request = PostgresReviews(database), PageRequest.of(REVIEWS_ORDER, first=2)
    ids = [review.product_id for review in await reads.of("Review", None)]
    pages, authors = await board.signed(ids, request, viewer, needs)
    plain = await board.of_products(ids, request, viewer, None if needs is None else needs | {"user_id"})
    for page, other in zip(pages, plain, strict=True):
        assert (len(page.nodes), page.has_next) == (2, other.has_next)
        assert [edge.cursor for edge in page.edges] == [edge.cursor for edge in other.edges]
        for name in needs or [field.name for field in fields(Review)]:
            assert [getattr(each, name) for each in page.nodes] == [getattr(each, name) for each in other.nodes]
    wrote = [user_id for user_id in authors if user_id is not None]
    assert [authors[each] for each in wrote] == await PostgresUsers(database).authors(wrote)
    assert set(map(bool, authors.values())) == {True, False}
    assert set(authors) == {review.user_id for page in plain for review in page.nodes}


@pytest.mark.parametrize("type_name", SHOWN)
async def test_all_attributes_together_are_the_whole_value(reads: Reads, type_name: str) -> None:
    everything = frozenset(field.name for field in fields(SHOWN[type_name]))  # type: ignore[arg-type]
    assert await reads.of(type_name, everything) == await reads.of(type_name, None)


async def test_what_was_not_asked_for_is_not_there(reads: Reads) -> None:
    for product in await reads.of("Product", frozenset({"is_on_sale"})):
        assert product.is_on_sale in (True, False)
        with pytest.raises(AttributeError):
            _ = product.description
        with pytest.raises(AttributeError):
            _ = product.availability
        with pytest.raises(FrozenInstanceError):
            product.name = "別の名"
        assert product == product
        assert "description" not in repr(product)


async def test_an_attribute_that_nobody_knows_makes_all_be_read(reads: Reads) -> None:
    assert await reads.of("Seller", frozenset({"name", "is_new"})) == await reads.of("Seller", None)


def test_a_property_comes_to_the_fields_that_its_code_names() -> None:
    assert fields_behind(Product, ["is_on_sale"]) == {"base_price", "sale_price"}
    assert fields_behind(Product, ["availability", "name"]) == {"status", "stock_quantity", "name"}
    assert fields_behind(Product, []) == frozenset()
    assert fields_behind(Product, ["nobody"]) is None
