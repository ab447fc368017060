"""What any index suggests while somebody types."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.search.suggesting import NO_SUGGESTIONS, PRODUCTS, Suggestions
from domain.shared.ids import BrandId, CategoryId, uuid7
from tests.contract.search_shop import Shopper, document, product

SWEETS, TEA, KAGETSU, KAZE = (uuid7(entropy=number) for number in range(4))


async def suggested(shopper: Shopper, typed: str) -> Suggestions:
    return await shopper.search.suggestions(typed)


class TestProducts:
    @pytest.mark.parametrize(
        "typed",
        [
            "手",
            "手ぬ",
            "て",
            "てぬぐ",
            "テヌ",
            "ﾃﾇ",
            "tenu",
            "TENUGU",
            "t",
            "藍",
            "あいぞ",
            "aizo",
            "aizomeno",
            "手ぬぐい 麻",
            "麻の葉 tenu",
        ],
    )
    async def test_word_begins_with_what_was_typed(self, shopper: Shopper, typed: str) -> None:
        await shopper.stock(document(1, "藍染めの手ぬぐい 麻の葉"), document(2, "水筒"))

        assert (await suggested(shopper, typed)).products == (product(1),)

    @pytest.mark.parametrize(
        "typed",
        ["ぬぐい", "enu", "手ぬぐい 水", "水 手", "", " ", "!", "*", ".*", "手|水", "[", "\\", "x" * 500, "手\x00"],
    )
    async def test_nothing_else_does(self, shopper: Shopper, typed: str) -> None:
        await shopper.stock(document(1, "藍染めの手ぬぐい 麻の葉"), document(2, "水筒"))

        assert await suggested(shopper, typed) == NO_SUGGESTIONS

    async def test_what_stands_out_comes_first_and_no_more_than_are_shown(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "手ぬぐい", popularity=number) for number in range(1, PRODUCTS + 3)])

        assert (await suggested(shopper, "てぬ")).products == tuple(
            product(number) for number in range(PRODUCTS + 2, 2, -1)
        )

    async def test_what_is_not_public_any_more_is_not_suggested(self, shopper: Shopper) -> None:
        ids = {"category_ids": (CategoryId(SWEETS),), "brand_id": BrandId(KAGETSU)}
        labelled = document(1, "手ぬぐい", brand="花月堂", categories=("布もの",), **ids)
        await shopper.stock(labelled, replace(document(2, "手ぬぐい"), is_public=False))
        assert (await suggested(shopper, "てぬ")).products == (product(1),)
        assert (await suggested(shopper, "はな")).brands == ()
        assert (await suggested(shopper, "花")).brands == (BrandId(KAGETSU),)

        await shopper.index.put([replace(labelled, is_public=False, version=2)])

        for typed in ("てぬ", "花", "布"):
            assert await suggested(shopper, typed) == NO_SUGGESTIONS


class TestLabels:
    @pytest.fixture
    async def stocked(self, shopper: Shopper) -> Shopper:
        ids = (CategoryId(SWEETS), CategoryId(TEA))
        names = ("和菓子・甘味", "ほうじ茶・紅茶")
        kagetsu = {"brand": "花月堂", "brand_kana": "カゲツドウ", "brand_id": BrandId(KAGETSU)}
        kaze = {"brand": "KAZE", "brand_kana": "カゼ", "brand_id": BrandId(KAZE)}
        await shopper.stock(
            document(1, "本練羊羹", categories=names, category_ids=ids, **kagetsu),
            document(2, "扇風機", categories=names[:1], category_ids=ids[:1], **kaze),
        )
        return shopper

    @pytest.mark.parametrize(
        ("typed", "categories", "brands"),
        [
            ("わが", [SWEETS], []),
            ("wagashi", [SWEETS], []),
            ("和", [SWEETS], []),
            ("甘", [SWEETS], []),
            ("houji", [TEA], []),
            ("こうち", [TEA], []),
            ("か", [SWEETS], [KAZE, KAGETSU]),
            ("かげつ", [], [KAGETSU]),
            ("KAGE", [], [KAGETSU]),
            ("kaz", [], [KAZE]),
            ("ｋａｚｅ", [], [KAZE]),
        ],
    )
    async def test_categories_and_brands_begin_so(
        self, stocked: Shopper, typed: str, categories: Sequence[object], brands: Sequence[object]
    ) -> None:
        found = await suggested(stocked, typed)

        assert (list(found.categories), set(found.brands)) == (categories, set(brands))

    async def test_category_of_more_products_comes_first(self, stocked: Shopper) -> None:
        assert (await suggested(stocked, "k")).categories == (SWEETS, TEA)
