"""Search in the database: what is found without an index, in which order, page by page, and how it can be narrowed."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.database import Database
from adapters.postgres.search_text import PostgresTextSearch
from adapters.search_ranking import prominence
from domain.catalog.model import Attribute
from domain.search.model import SearchDocument, SearchPage, SearchScope
from domain.search.pieces import Pieces
from domain.search.ports import IN_DATABASE
from domain.search.request import NO_FILTER, PriceRange, SearchFilter, SearchRequest, SearchSort
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId, uuid7
from domain.shared.money import Money
from domain.shared.paging import PageRequest, Precision
from domain.shared.refusals import InvalidCursor
from settings import Settings
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop


@pytest.mark.parametrize(
    ("typed", "needed"),
    [
        ("東京の手ぬぐい", ("東京", "手ぬぐい")),
        ("お茶碗セット", ("お茶碗", "セット")),
        ("iPhone15", ("iPhone", "15")),
        ("AB-1234-X", ("AB", "1234", "X")),
        ("引越し 箱", ("引越し", "箱")),
        ("コーヒーメーカー", ("コーヒーメーカー",)),
        ("らーめん", ("らーめん",)),
        ("の", ("の",)),
        ("?! …", ()),
        ("🍵", ("🍵",)),
        ("سلام", ("سلام",)),
    ],
)
def test_what_is_typed_is_cut_by_the_kinds_of_letters(typed: str, needed: Sequence[str]) -> None:
    assert Pieces.of(typed).needed == needed


class Shopper:
    def __init__(self, search: PostgresTextSearch) -> None:
        self.search = search

    async def page(
        self,
        text: str,
        which: SearchFilter = NO_FILTER,
        sort: SearchSort = SearchSort.RELEVANCE,
        first: int = 100,
        after: str | None = None,
    ) -> SearchPage:
        request = SearchRequest.of(text, which, sort)
        return await self.search.search(request, PageRequest.of(sort.order, first, after))

    async def finds(self, text: str, *options: Any, **more: Any) -> list[UUID]:
        return [hit.product_id for hit in (await self.page(text, *options, **more)).nodes]


@pytest.fixture
async def shopper(settings: Settings) -> AsyncIterator[Shopper]:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=30_000)
    yield Shopper(PostgresTextSearch(database))
    await database.close()


@pytest.fixture
def mark() -> str:
    """In the names of this test's products, for others are in the same database."""
    return uuid7().hex[-12:].translate(str.maketrans("0123456789", "ghijklmnop"))


async def test_words_find_names_however_either_is_written(shopper: Shopper, shelf: Shelf, mark: str) -> None:
    key = await shelf.product(name=f"藍染めのﾏﾌﾗｰ {mark} AB‐1234", sku=f"KX/{mark}/9")
    for typed in ("まふらー", "マフラ", "藍染め", "染", "ab1234", "AB-1234", "ＡＢ　1234", f"kx{mark}9"):
        assert await shopper.finds(f"{typed} {mark}") == [key], typed
    for typed in ("青染め", "マフラー 赤", "AB-9999"):
        assert await shopper.finds(f"{typed} {mark}") == [], typed


async def test_nothing_typed_but_marks_finds_nothing(shopper: Shopper, shelf: Shelf) -> None:
    await shelf.product()
    assert await shopper.finds("?!%_*") == []


async def test_only_what_the_public_sees_is_found(shopper: Shopper, shop: Shop, shelf: Shelf, mark: str) -> None:
    suspended = await shop.seller(status="suspended")
    await shop.product(suspended, shelf.category, name=mark)
    await shelf.product(name=mark, status="draft")
    await shelf.product(name=mark, stock_quantity=0)
    shown = await shelf.product(name=mark)
    assert await shopper.finds(mark) == [shown]


async def test_pages_hold_each_once_and_say_what_they_are(shopper: Shopper, shelf: Shelf, mark: str) -> None:
    keys = {await shelf.product(name=f"{mark} {number}") for number in range(5)}
    for sort in SearchSort:
        found: list[UUID] = []
        after: str | None = None
        while True:
            page = await shopper.page(mark, sort=sort, first=2, after=after)
            assert page.is_degraded
            assert page.indexed_at is None
            assert page.scope == SearchScope(SearchRequest.of(mark, sort=sort), IN_DATABASE)
            found += [hit.product_id for hit in page.nodes]
            if not page.has_next:
                break
            after = page.page_info.end_cursor
        assert len(found) == 5, sort
        assert set(found) == keys, sort


async def test_browsing_shows_what_is_new(shopper: Shopper, shop: Shop, shelf: Shelf) -> None:
    category = await shop.category()
    first, second = [await shop.product(shelf.seller, category) for _ in range(2)]
    assert await shopper.finds("", SearchFilter(category_ids=(CategoryId(category),))) == [second, first]


async def test_sorts_go_by_the_database(shopper: Shopper, shop: Shop, shelf: Shelf, mark: str) -> None:
    cheap = await shelf.product(name=mark, base_price=500, published_at=datetime(2024, 1, 1, tzinfo=UTC))
    dear = await shelf.product(name=mark, base_price=900)
    await shop.review(await shop.user(), cheap, rating=5)
    assert await shopper.finds(mark, sort=SearchSort.PRICE_ASC) == [cheap, dear]
    assert await shopper.finds(mark, sort=SearchSort.PRICE_DESC) == [dear, cheap]
    assert await shopper.finds(mark, sort=SearchSort.NEWEST) == [dear, cheap]


async def test_filters_narrow_as_the_index_does(shopper: Shopper, shop: Shop, shelf: Shelf, mark: str) -> None:
    below = await shop.category(parent_id=shelf.category)
    brand = await shop.brand()
    key = await shop.product(
        shelf.seller, below, name=mark, brand_id=brand, base_price=1500, attributes={"色": "赤", "形": "丸"}
    )
    await shop.variation(key, attributes={"大きさ": "M"})
    await shelf.product(name=mark, base_price=5000, attributes={"色": "青"})

    def only(**which: Any) -> SearchFilter:
        return SearchFilter(**which)

    for which in (
        only(category_ids=(CategoryId(below),)),
        only(brand_ids=(BrandId(brand),)),
        only(prices=(PriceRange("JPY", 1000, 2000), PriceRange("USD"))),
        only(attributes=(Attribute("色", "赤"), Attribute("色", "白"), Attribute("形", "丸"))),
        only(attributes=(Attribute("大きさ", "M"),)),
        only(in_stock=True, prices=(PriceRange("JPY", None, 1500),)),
    ):
        assert await shopper.finds(mark, which) == [key], which
    for which in (
        only(seller_ids=(SellerId(uuid7()),)),
        only(rating_min=1.0),
        only(in_stock=False),
        only(attributes=(Attribute("色", "赤"), Attribute("形", "角"))),
        only(prices=(PriceRange("JPY", 2**62, 2**70),)),
    ):
        assert await shopper.finds(mark, which) == [], which
    assert len(await shopper.finds(mark, only(category_ids=(CategoryId(shelf.category),)))) == 2


async def test_count_is_of_what_is_found(shopper: Shopper, shelf: Shelf, mark: str) -> None:
    for _ in range(3):
        await shelf.product(name=mark)
    page = await shopper.page(mark, first=1)
    assert isinstance(page.scope, SearchScope)
    count = await shopper.search.count(page.scope)
    assert (count.value, count.precision) == (3, Precision.EXACT)


async def test_a_cursor_of_the_index_goes_on_behind_its_product(shopper: Shopper, shelf: Shelf, mark: str) -> None:
    keys = [await shelf.product(name=mark) for _ in range(3)]
    order = await shopper.finds(mark)
    request = SearchRequest.of(mark)
    of_index = PageRequest(10, ("some-state", 3.25, str(order[0])))
    assert [hit.product_id for hit in (await shopper.search.search(request, of_index)).nodes] == order[1:]
    unknown = PageRequest(10, ("some-state", 3.25, str(uuid7())))
    assert {hit.product_id for hit in (await shopper.search.search(request, unknown)).nodes} == set(keys)


@pytest.mark.parametrize("key", [(IN_DATABASE,), (IN_DATABASE, "x", "y"), (IN_DATABASE, 1.5, "none"), ("s", 1.0, 7)])
async def test_a_damaged_cursor_is_refused(shopper: Shopper, key: Any) -> None:
    with pytest.raises(InvalidCursor):
        await shopper.search.search(SearchRequest.of("茶"), PageRequest(10, key))


async def test_products_that_match_alike_go_by_what_the_index_goes_by(
    shopper: Shopper, shop: Shop, shelf: Shelf, mark: str
) -> None:
    old = datetime.now(UTC) - timedelta(days=900)
    key = await shelf.product(name=mark, published_at=old)
    [hit] = (await shopper.page(mark)).nodes
    document = SearchDocument(
        ProductId(key), mark, "", None, (), Money(1000, "JPY"), True, 0.0, old, 1, published_at=old
    )
    assert hit.score == pytest.approx(2 * 4 + prominence(document))
