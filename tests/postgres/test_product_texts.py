"""The folded text and n-grams that products are found by while the search index is away: kept by the database itself."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.shared.ids import uuid7
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop


async def text_of(shelf: Shelf, product: UUID) -> tuple[str, str] | None:
    row = await shelf.shop.connection.fetchrow(
        "SELECT name, labels FROM catalog.product_texts WHERE product_id = $1", product
    )
    return None if row is None else tuple(row)


async def found(connection: Any, word: str, pieces: Sequence[str] = ()) -> set[UUID]:
    rows = await connection.fetch(
        "SELECT product_id FROM catalog.found_by_text($1, $2)", [word], list(pieces or (word,))
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＷＨＩＴＥ　シャツ", "white しゃつ"),
        ("Café  のマグ", "cafe のまぐ"),
        ("ﾏﾌﾗｰ", "まふら"),
        ("サーバー", "さーば"),
        ("バー", "ばー"),
        ("AB‐1234-X", "ab1234x"),
        ("ガギグ", "がぎぐ"),
        ("100% シルク_布", "100% しるく_布"),
        ("②㍑", "2りっとる"),
        ("", ""),
    ],
)
async def test_ways_of_writing_are_folded_to_one(app: Any, written: str, folded: str) -> None:
    assert await app.fetchval("SELECT catalog.folded($1)", written) == folded


async def test_grams_are_letters_and_pairs_of_them(app: Any) -> None:
    assert set(await app.fetchval("SELECT catalog.grams('お茶 缶')")) == {"お", "茶", "缶", "お茶"}


async def test_a_text_has_name_code_brand_and_categories(shelf: Shelf) -> None:
    above = await shelf.shop.category(name="台所")
    below = await shelf.shop.category(name="急須", parent_id=above)
    brand = await shelf.shop.brand(name="藍窯", name_kana="アイガマ")
    key = await shelf.shop.product(shelf.seller, below, name="白い急須", brand_id=brand, sku="KY-01")
    text = await text_of(shelf, key)
    assert text is not None
    assert text[0] == "白い急須"
    assert set(text[1].split()) == {"ky01", "藍窯", "あいがま", "急須", "台所"}


async def test_it_follows_the_product_its_brand_and_its_categories(shelf: Shelf) -> None:
    connection = shelf.shop.connection
    mark = str(uuid7().int)[-12:]
    above = await shelf.shop.category(name="台所")
    below = await shelf.shop.category(name="急須", parent_id=above)
    brand = await shelf.shop.brand(name="藍窯")
    key = await shelf.shop.product(shelf.seller, below, name=f"急須 甲{mark}", brand_id=brand)
    assert await found(connection, f"甲{mark}") == {key}

    await shelf.change("products", key, name=f"急須 乙{mark}")
    await shelf.change("brands", brand, name=f"丙{mark}")
    await shelf.change("categories", above, name=f"丁{mark}")

    assert await found(connection, f"甲{mark}") == set()
    for word in (f"乙{mark}", f"丙{mark}", f"丁{mark}"):
        assert await found(connection, word) == {key}


@pytest.mark.parametrize("status", ["draft", "discontinued"])
async def test_what_is_not_shown_has_no_text(shelf: Shelf, status: str) -> None:
    key = await shelf.product(status=status)
    assert await text_of(shelf, key) is None
    await shelf.change("products", key, status="active")
    assert await text_of(shelf, key) is not None
    await shelf.change("products", key, status=status)
    assert await text_of(shelf, key) is None


async def test_selling_and_pricing_write_no_text(shelf: Shelf) -> None:
    key = await shelf.product(stock_quantity=1)
    where = "SELECT xmin::text, ctid::text FROM catalog.product_texts WHERE product_id = $1"
    before = await shelf.shop.connection.fetchrow(where, key)
    await shelf.change("products", key, stock_quantity=0)
    await shelf.change("products", key, base_price=900)
    assert await shelf.shop.connection.fetchrow(where, key) == before


async def test_a_text_goes_with_its_product(shelf: Shelf) -> None:
    key = await shelf.product()
    await shelf.delete("products", key)
    assert await text_of(shelf, key) is None


async def test_better_matches_score_more(shop: Shop, shelf: Shelf) -> None:
    mark = str(uuid7().int)[-12:]
    category = await shop.category(name=f"抹茶{mark}")
    name = f"抹茶{mark}"
    exact = await shelf.product(name=name)
    within = await shelf.product(name=f"宇治{name}セット")
    scattered = await shelf.product(name=f"{mark} の 抹茶")
    labelled = await shop.product(shelf.seller, category, name="茶筅")
    rows = await shop.connection.fetch("SELECT * FROM catalog.found_by_text($1, $2)", [name], ["抹茶", mark])
    assert {row["product_id"]: row["score"] for row in rows} == {exact: 4, within: 3, scattered: 2, labelled: 1}


@pytest.mark.parametrize("word", ["", " ", "%", "\\", "_", "' OR true --", "*", "‪‮", "🍵", "\ufeff", "a" * 200])
async def test_whatever_is_asked_is_text(app: Any, word: str) -> None:
    assert await found(app, word) == set()


async def test_the_gateway_reads_no_text_and_finds_by_it(app: Any, shelf: Shelf) -> None:
    mark = str(uuid7().int)[-12:]
    key = await shelf.product(name=f"盆 {mark}")
    assert await found(app, mark) == {key}
    assert not await app.fetchval("SELECT has_table_privilege('catalog.product_texts', 'SELECT')")


async def test_the_index_of_grams_is_used(owner: Any) -> None:
    await owner.execute("SET enable_seqscan = off")
    plan = await owner.fetch(
        "EXPLAIN SELECT product_id FROM catalog.product_texts WHERE grams @> (SELECT ARRAY['抹茶'])"
    )
    assert "idx_product_texts_grams" in str(plan)
