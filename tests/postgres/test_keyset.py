"""Keyset pages: every row once and in order, whatever is inserted in between; and cursors of others, which are refused."""

import base64
import json
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adapters.postgres.catalog import PostgresProducts
from adapters.postgres.catalog_lists import SORTS
from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from domain.catalog.model import Product, ProductFilter, ProductSort, ProductStatus
from domain.shared.ids import ProductId, SellerId, UserId, uuid7
from domain.shared.paging import Page, PageRequest, encode_cursor
from domain.shared.refusals import InvalidCursor
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from tests.postgres.shop import Shop

DAY = datetime(2026, 4, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Few different values, so that most rows are equal to others in everything but their id.
NAMES = ("茶碗", "湯呑", "Ａ", "a", "B", "")
PRICES = (0, 1000, 2**62)
CURRENCIES = ("JPY", "USD")
TIMES = (DAY, DAY + MICROSECOND, DAY + 2 * MICROSECOND)
ROWS = 40


@pytest.fixture
def products(database: Database) -> PostgresProducts:
    return PostgresProducts(database)


@pytest.fixture
async def which(shop: Shop) -> ProductFilter:
    """The list of one seller's active products: forty, alike in all sorts of ways."""
    seller, category = await shop.seller(), await shop.category()
    for number in range(ROWS):
        await shop.product(seller, category, **alike(number))
    return ProductFilter(seller_id=SellerId(seller), statuses=(ProductStatus.ACTIVE,))


def alike(number: int) -> dict[str, Any]:
    return {
        "name": NAMES[number % len(NAMES)],
        "base_price": PRICES[number % len(PRICES)],
        "currency": CURRENCIES[number // 4 % len(CURRENCIES)],
        "published_at": TIMES[number // 2 % len(TIMES)],
    }


def in_order(some: Sequence[Product], sort: ProductSort) -> list[Product]:
    """As the list must be: by its sort, then by id in the same direction. Names by code point, as the database collates."""
    key = {
        ProductSort.NEWEST: lambda product: (product.published_at, product.id),
        ProductSort.PRICE_ASC: lambda product: (product.price.currency, product.price.minor, product.id),
        ProductSort.PRICE_DESC: lambda product: (product.price.currency, product.price.minor, product.id),
        ProductSort.NAME: lambda product: (product.name, product.id),
    }[sort]
    return sorted(some, key=key, reverse=sort in (ProductSort.NEWEST, ProductSort.PRICE_DESC))


async def walk(
    products: PostgresProducts,
    which: ProductFilter,
    sort: ProductSort,
    size: int,
    *,
    backward: bool,
    between: Any = None,
    viewer: Viewer = ANONYMOUS,
) -> list[Product]:
    """All pages from one end to the other, put together in the order of the list."""
    walked: list[Product] = []
    cursor = None
    while True:
        ends = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = await products.page(viewer, which, sort, PageRequest.of(sort, **ends))  # type: ignore[arg-type]
        walked = [*page.nodes, *walked] if backward else [*walked, *page.nodes]
        assert (page.has_next if backward else page.has_previous) is (cursor is not None)
        if not (page.has_previous if backward else page.has_next):
            return walked
        cursor = page.page_info.start_cursor if backward else page.page_info.end_cursor
        if between is not None:
            await between()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("size", [0, 3, ROWS])
async def test_a_page_that_does_not_look_ahead_has_the_same_rows_and_does_not_say_what_comes_after(
    products: PostgresProducts, which: ProductFilter, backward: bool, size: int
) -> None:
    request = PageRequest(size, backward=backward)
    whole = await products.page(ANONYMOUS, which, ProductSort.NAME, request)
    plain = await products.page(ANONYMOUS, which, ProductSort.NAME, replace(request, looks_ahead=False))
    assert [product.id for product in plain.nodes] == [product.id for product in whole.nodes]
    assert [edge.cursor for edge in plain.edges] == [edge.cursor for edge in whole.edges]
    assert (whole.page_info.has_previous_page if backward else whole.page_info.has_next_page) == (size < ROWS)
    with pytest.raises(AttributeError):
        _ = plain.page_info


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("sort", list(ProductSort))
class TestProducts:
    @pytest.mark.parametrize("size", [1, 7, ROWS - 1, ROWS, ROWS + 1])
    async def test_every_row_comes_once_and_in_order(
        self, products: PostgresProducts, which: ProductFilter, sort: ProductSort, size: int, backward: bool
    ) -> None:
        walked = await walk(products, which, sort, size, backward=backward)
        assert len({product.id for product in walked}) == len(walked) == ROWS
        assert walked == in_order(walked, sort)

    async def test_inserts_and_deletes_in_between_move_nothing(
        self, products: PostgresProducts, which: ProductFilter, shop: Shop, sort: ProductSort, backward: bool
    ) -> None:
        assert which.seller_id is not None
        before = {product.id for product in await walk(products, which, sort, ROWS, backward=backward)}
        category = await shop.category()
        added: list[UUID] = []

        async def between() -> None:
            if added:
                await shop.connection.execute("DELETE FROM catalog.products WHERE id = $1", added[-1])
            added.append(await shop.product(which.seller_id, category, **alike(len(added))))  # type: ignore[arg-type]

        walked = await walk(products, which, sort, 3, backward=backward, between=between)
        keys = [product.id for product in walked]
        assert len(added) > 10
        assert len(set(keys)) == len(keys)
        assert before <= set(keys)
        assert walked == in_order(walked, sort)

    async def test_the_row_of_a_cursor_may_be_gone(
        self, products: PostgresProducts, which: ProductFilter, shop: Shop, sort: ProductSort, backward: bool
    ) -> None:
        whole = await walk(products, which, sort, ROWS, backward=backward)
        page = await products.page(ANONYMOUS, which, sort, PageRequest(5, backward=backward))
        key = page.keys[0 if backward else -1]
        await shop.connection.execute("DELETE FROM catalog.products WHERE id = $1", UUID(str(key[-1])))
        following = await products.page(ANONYMOUS, which, sort, PageRequest(5, key, backward))
        expected = whole[-10:-5] if backward else whole[5:10]
        assert [product.id for product in following.nodes] == [product.id for product in expected]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("sort", list(ProductSort))
async def test_a_seller_pages_through_drafts_that_were_never_published(
    products: PostgresProducts, shop: Shop, sort: ProductSort, backward: bool
) -> None:
    clerk = await shop.user()
    seller, category = await shop.seller(member=clerk), await shop.category()
    for number in range(12):
        unpublished = {"status": "draft", "published_at": None} if number % 3 == 0 else {}
        await shop.product(seller, category, **alike(number) | unpublished)
    viewer = Viewer(Role.USER, UserId(clerk), seller_ids=(SellerId(seller),))
    which = ProductFilter(seller_id=SellerId(seller))
    walked = await walk(products, which, sort, 2, backward=backward, viewer=viewer)
    assert len({product.id for product in walked}) == len(walked) == 12


async def test_a_clerk_who_asks_for_what_is_sold_gets_the_order_of_its_index(
    products: PostgresProducts, shop: Shop
) -> None:
    """By when it was published, whatever is listed; drafts come in by when they were made, and only if asked for."""
    clerk = await shop.user()
    seller, category = await shop.seller(member=clerk), await shop.category()
    for number in range(6):
        await shop.product(seller, category, **alike(number))
    await shop.product(seller, category, status="draft", published_at=None)
    viewer = Viewer(Role.USER, UserId(clerk), seller_ids=(SellerId(seller),))
    which = ProductFilter(seller_id=SellerId(seller), statuses=(ProductStatus.ACTIVE,))
    walked = await walk(products, which, ProductSort.NEWEST, 2, backward=False, viewer=viewer)
    assert walked == in_order(walked, ProductSort.NEWEST)
    assert len(walked) == 6
    both = replace(which, statuses=(ProductStatus.ACTIVE, ProductStatus.DRAFT))
    assert len(await walk(products, both, ProductSort.NEWEST, 2, backward=False, viewer=viewer)) == 7


@pytest.mark.parametrize(("sort", "order"), [(ProductSort.PRICE_ASC, "abcd"), (ProductSort.PRICE_DESC, "dcba")])
async def test_minor_units_of_two_currencies_are_never_compared(
    products: PostgresProducts, shop: Shop, sort: ProductSort, order: str
) -> None:
    """900 yen are less than 100 dollars, but 900 more than 100 cents: within a currency by price, and one after the other."""
    seller, category = await shop.seller(), await shop.category()
    for name, price, currency in (("c", 100, "USD"), ("a", 500, "JPY"), ("d", 700, "USD"), ("b", 900, "JPY")):
        await shop.product(seller, category, name=name, base_price=price, currency=currency)
    which = ProductFilter(seller_id=SellerId(seller), statuses=(ProductStatus.ACTIVE,))
    assert "".join(product.name for product in await walk(products, which, sort, 1, backward=False)) == order


async def test_a_page_of_nothing_tells_that_there_is_more(products: PostgresProducts, which: ProductFilter) -> None:
    page = await products.page(ANONYMOUS, which, ProductSort.NAME, PageRequest(0))
    assert (list(page.nodes), page.has_next) == ([], True)


async def test_orders_come_newest_first_and_once(database: Database, shop: Shop) -> None:
    """Across the months' partitions, many of them made in the same millisecond."""
    user = await shop.user()
    moments = [datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5)]
    placed = [await shop.order(user, moment) for moment in moments for _ in range(7)]
    viewer, orders = Viewer(Role.USER, UserId(user)), PostgresOrders(database)
    for backward in (False, True):
        walked: list[UUID] = []
        page: Page[Any] | None = None
        while page is None or (page.has_previous if backward else page.has_next):
            key = None if page is None else page.keys[0 if backward else -1]
            page = await orders.page(viewer, PageRequest(4, key, backward))
            some = [order.id for order in page.nodes]
            walked = [*some, *walked] if backward else [*walked, *some]
        assert walked == sorted(placed, reverse=True)


ID = str(ProductId(uuid7()))
REFUSED: dict[str, tuple[ProductSort, Any]] = {
    "no parts": (ProductSort.NAME, []),
    "too few": (ProductSort.NAME, ["茶碗"]),
    "too many": (ProductSort.NAME, ["茶碗", ID, ID]),
    "a null": (ProductSort.NAME, [None, ID]),
    "a null id": (ProductSort.NAME, ["茶碗", None]),
    "a number for a name": (ProductSort.NAME, [1, ID]),
    "a null byte": (ProductSort.NAME, ["a\x00b", ID]),
    "half of a surrogate pair": (ProductSort.NAME, ["\ud800", ID]),
    "a damaged id": (ProductSort.NAME, ["茶碗", ID[:-1]]),
    "a number for an id": (ProductSort.NAME, ["茶碗", 7]),
    "a name for a price": (ProductSort.PRICE_ASC, ["JPY", "1000", ID]),
    "a float for a price": (ProductSort.PRICE_ASC, ["JPY", 1000.0, ID]),
    "not a number": (ProductSort.PRICE_ASC, ["JPY", float("nan"), ID]),
    "infinity": (ProductSort.PRICE_DESC, ["JPY", float("inf"), ID]),
    "a price without its currency": (ProductSort.PRICE_ASC, [1000, ID]),
    "a number for a currency": (ProductSort.PRICE_ASC, [392, 1000, ID]),
    "true for a price": (ProductSort.PRICE_ASC, ["JPY", True, ID]),
    "a price beyond bigint": (ProductSort.PRICE_ASC, ["JPY", 2**63, ID]),
    "a price far beyond bigint": (ProductSort.PRICE_DESC, ["JPY", -(10**4000), ID]),
    "a word for a time": (ProductSort.NEWEST, ["yesterday", ID]),
    "a number for a time": (ProductSort.NEWEST, [0, ID]),
    "a time without a zone": (ProductSort.NEWEST, ["2026-04-01T00:00:00", ID]),
    "a time before the year 1": (ProductSort.NEWEST, ["0001-01-01T00:00:00+14:00", ID]),
    "a time after the year 9999": (ProductSort.NEWEST, ["9999-12-31T23:59:59-14:00", ID]),
    "a list in a list": (ProductSort.NAME, [["茶碗"], ID]),
    "an object": (ProductSort.NAME, [{"name": "茶碗"}, ID]),
}


def cursor_of(order: str, parts: Sequence[Any]) -> str:
    """As `encode_cursor` would write it, if it wrote such things."""
    return base64.urlsafe_b64encode(json.dumps([order, *parts]).encode()).decode()


class TestCursorsOfOthers:
    @pytest.mark.parametrize(("sort", "parts"), REFUSED.values(), ids=REFUSED)
    async def test_are_refused(self, products: PostgresProducts, sort: ProductSort, parts: Sequence[Any]) -> None:
        with pytest.raises(InvalidCursor):
            await products.page(ANONYMOUS, ProductFilter(), sort, PageRequest.of(sort, after=cursor_of(sort, parts)))

    @pytest.mark.parametrize("made_for", list(ProductSort))
    @pytest.mark.parametrize("sort", list(ProductSort))
    def test_a_cursor_of_another_sort_is_refused(self, sort: ProductSort, made_for: ProductSort) -> None:
        cursor = encode_cursor(made_for, (1, ID))
        if made_for is sort:
            assert PageRequest.of(sort, after=cursor).key == (1, ID)
        else:
            with pytest.raises(InvalidCursor):
                PageRequest.of(sort, after=cursor)

    @given(
        st.text(string.printable, max_size=60)
        | st.binary(max_size=60).map(lambda sent: base64.urlsafe_b64encode(sent).decode())
    )
    def test_noise_is_refused(self, noise: str) -> None:
        with pytest.raises(InvalidCursor):
            PageRequest.of(ProductSort.NAME, after=noise)

    @hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        sort=st.sampled_from(ProductSort),
        parts=st.lists(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(st.characters(), max_size=20)
            | st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat)
            | st.uuids().map(str),
            min_size=1,
            max_size=4,
        ),
        backward=st.booleans(),
    )
    async def test_whatever_is_in_them_the_database_never_fails(
        self, products: PostgresProducts, sort: ProductSort, parts: list[Any], backward: bool
    ) -> None:
        cursor = cursor_of(sort, parts)
        try:
            request = PageRequest.of(sort, **{"before" if backward else "after": cursor})  # type: ignore[arg-type]
            await products.page(ANONYMOUS, ProductFilter(), sort, request)
        except InvalidCursor:
            return
        assert len(parts) == len(SORTS[sort][0])  # what was taken had at least the right shape
