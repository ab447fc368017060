"""Suggestions out of the database: by what is written, of what is public alone, and never more than a look at some of it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from adapters.postgres.database import Database
from adapters.postgres.search_text import PostgresTextSearch
from domain.search.suggesting import NO_SUGGESTIONS, PRODUCTS, Suggestions
from domain.shared.ids import uuid7
from settings import Settings
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop


@pytest.fixture
async def search(settings: Settings) -> AsyncIterator[PostgresTextSearch]:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=30_000)
    yield PostgresTextSearch(database)
    await database.close()


@pytest.fixture
def mark() -> str:
    """In the names of this test's rows, for others are in the same database: letters that begin no other."""
    return uuid7().hex[-12:].translate(str.maketrans("0123456789", "ghijklmnop"))


async def test_names_that_begin_so_come_first_then_words_then_what_is_within(
    search: PostgresTextSearch, shelf: Shelf, mark: str
) -> None:
    within = await shelf.product(name=f"藍染めの手ぬぐい{mark}")
    word = await shelf.product(name=f"藍染めの 手ぬぐい{mark}")
    first = await shelf.product(name=f"手ぬぐい{mark}")

    for typed in (f"手ぬぐい{mark}", f"手ヌグイ{mark}", f"手ぬぐい{mark[:8]}"):
        assert (await search.complete(typed)).products == (first, word, within), typed


async def test_of_several_words_the_last_may_be_unfinished_and_latin_ones_begin(
    search: PostgresTextSearch, shelf: Shelf, mark: str
) -> None:
    key = await shelf.product(name=f"Tea {mark} キャニスター")
    for typed in (mark[:6], f"tea {mark[:6]}", f"{mark} tea", f"{mark} きゃに"):
        assert (await search.complete(typed)).products == (key,), typed
    for typed in (mark[1:], f"coffee {mark}", f"{mark} ea"):
        assert await search.complete(typed) == NO_SUGGESTIONS, typed


async def test_brands_and_categories_come_with_their_products_as_far_as_they_are_public(
    search: PostgresTextSearch, shop: Shop, shelf: Shelf, mark: str
) -> None:
    root = await shop.category(name=f"{mark}食器")
    leaf = await shop.category(name="皿", parent_id=root)
    brand = await shop.brand(name=f"{mark}窯", name_kana="カマ")
    other = await shop.brand(name=f"{mark}堂")
    hidden = await shop.seller(status="suspended")
    await shelf.product(category_id=leaf, brand_id=brand, name="青い皿")
    await shop.product(hidden, shelf.category, brand_id=other, name="赤い皿")

    found = await search.complete(mark)

    assert (found.brands, found.categories, found.products) == ((brand,), (root,), ())


async def test_only_what_the_public_sees_is_suggested(
    search: PostgresTextSearch, shop: Shop, shelf: Shelf, mark: str
) -> None:
    await shop.product(await shop.seller(status="suspended"), shelf.category, name=mark)
    await shelf.product(name=mark, status="draft")
    assert await search.complete(mark) == NO_SUGGESTIONS


async def test_no_more_come_than_are_shown(search: PostgresTextSearch, shelf: Shelf, mark: str) -> None:
    keys: set[UUID] = {await shelf.product(name=f"{mark} {number}") for number in range(PRODUCTS + 2)}
    found = (await search.complete(mark)).products
    assert len(found) == PRODUCTS
    assert set(found) <= keys


@pytest.mark.parametrize("typed", ["?!", "%", "_", "\\", "' OR 1=1 --", "(a+)+$", "🍵🍵", "\u202eאבג", "あ" * 50, "*"])
async def test_whatever_is_typed_is_answered(search: PostgresTextSearch, shelf: Shelf, typed: str) -> None:
    await shelf.product(name="急須")
    assert isinstance(await search.complete(typed), Suggestions)
