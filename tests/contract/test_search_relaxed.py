"""What any index shows where nothing is found: the nearest results, and what was left out to find them."""

from dataclasses import replace

import pytest

from domain.catalog.model import Attribute
from domain.search.model import Relaxation
from domain.search.request import NO_FILTER, PriceRange, SearchFilter, SearchSort
from domain.shared.paging import encode_cursor
from tests.contract.search_shop import Shopper, document, product

RED = SearchFilter(attributes=(Attribute("色", "赤"),))


class TestSpelling:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("tenugi", "手ぬぐい"),
            ("tenguui", "手ぬぐい"),
            ("フィナンシエ", "フィナンシェ"),
            ("フイナンシェ", "フィナンシェ"),
            ("ほうじゃ茶", "ほうじ茶"),
            ("おりたたみがた", "折りたたみ傘"),
            ("tenugi 藍染め", "手ぬぐい 藍染め"),
            ("tenugi 手 tenugi", "手ぬぐい 手 手ぬぐい"),
        ],
    )
    async def test_nearest_word_of_the_shop_is_meant(self, shopper: Shopper, typed: str, meant: str) -> None:
        names = ("藍染めの手ぬぐい 手", "フィナンシェ", "ほうじ茶", "折りたたみ傘")
        await shopper.stock(*[document(number, name) for number, name in enumerate(names)])

        page = await shopper.near(typed)

        assert page.did_you_mean == meant
        assert page.relaxed == Relaxation(words=(typed.split()[0],))
        assert [hit.product_id for hit in page.nodes] == await shopper.finds(meant) != []

    async def test_word_inside_of_what_was_typed_without_a_space(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "無糖 コーヒー"), document(2, "無糖 ヨーグルト"))

        page = await shopper.near("無糖コーフィー")

        assert (page.did_you_mean, page.relaxed) == ("無糖コーヒー", Relaxation(words=("コーフィー",)))
        assert [hit.product_id for hit in page.nodes] == [product(1)]

    @pytest.mark.parametrize("typed", ["かさ", "はこ", "AB-1243", "zzzzzzzz", "赤い屋根", "!", "🎉"])
    async def test_what_is_short_or_a_code_or_far_from_all_is_not(self, shopper: Shopper, typed: str) -> None:
        await shopper.stock(document(1, "鯖"), document(2, "部品 AB-1234"), document(3, "箱庭の赤い絵"))

        page = await shopper.near(typed)

        assert page.did_you_mean is None

    async def test_what_is_not_public_is_not_told(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "フィナンシェ", is_public=False), document(2, "水筒"))

        page = await shopper.near("フィナンシエ")

        assert (page.did_you_mean, page.relaxed, len(page.nodes)) == (None, None, 0)


class TestLess:
    async def test_filter_is_left_out_and_named(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "手ぬぐい", attributes=(Attribute("色", "青"),)), document(2, "水筒"))

        page = await shopper.near("手ぬぐい", which=RED)

        assert [hit.product_id for hit in page.nodes] == [product(1)]
        assert page.relaxed is not None
        assert page.relaxed.words == ()
        assert [token.partition(":")[0] for token in page.relaxed.filters] == ["attribute"]
        assert (await shopper.search.count(page.scope)).value == 1  # type: ignore[arg-type]

    async def test_of_two_filters_only_the_one_that_stands_in_the_way(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "手ぬぐい", attributes=(Attribute("色", "赤"),)))
        cheap = replace(RED, prices=(PriceRange("JPY", None, 10),))

        page = await shopper.near("手ぬぐい", which=cheap)

        assert page.relaxed is not None
        assert [token.partition(":")[0] for token in page.relaxed.filters] == ["price"]

    @pytest.mark.parametrize("sort", [SearchSort.RELEVANCE, SearchSort.PRICE_ASC])
    async def test_word_is_left_out_and_what_names_a_product_stays(self, shopper: Shopper, sort: SearchSort) -> None:
        await shopper.stock(document(1, "手ぬぐい 青"), document(2, "手ぬぐい 白"), document(3, "水筒", "蓋は銀"))

        page = await shopper.near("手ぬぐい 銀", sort=sort)

        assert page.relaxed == Relaxation(words=("銀",))
        assert {hit.product_id for hit in page.nodes} == {product(1), product(2)}

    async def test_of_two_names_the_rarer_stays(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "手ぬぐい 青"), document(2, "手ぬぐい 白"), document(3, "青い水筒 銀"))

        page = await shopper.near("手ぬぐい 銀")

        assert page.relaxed == Relaxation(words=("手ぬぐい",))
        assert [hit.product_id for hit in page.nodes] == [product(3)]

    async def test_piece_of_what_was_typed_without_a_space_is_left_out(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "有機 緑茶"), document(2, "水筒"))

        page = await shopper.near("深海魚の緑茶")

        assert page.relaxed == Relaxation(words=("深海魚",))
        assert [hit.product_id for hit in page.nodes] == [product(1)]

    async def test_code_is_not_cut(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "部品 AB-9999"))

        page = await shopper.near("部品AB-1234")

        assert (page.relaxed, len(page.nodes)) == (None, 0)

    async def test_nearest_results_have_pages_too(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "手ぬぐい") for number in range(5)])

        first = await shopper.near("手ぬぐい 深海魚", 3)
        rest = await shopper.near("手ぬぐい 深海魚", 3, first.page_info.end_cursor)

        assert [hit.product_id for hit in (*first.nodes, *rest.nodes)] == [product(number) for number in range(5)]
        assert (rest.relaxed, rest.has_next) == (Relaxation(words=("深海魚",)), False)

    async def test_end_of_a_list_is_not_relaxed(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "手ぬぐい 銀"), document(2, "手ぬぐい"))
        [key] = (await shopper.near("手ぬぐい 銀", 1)).keys
        page = await shopper.near("手ぬぐい 銀", 1, encode_cursor("search", key))

        assert (len(page.nodes), page.relaxed) == (0, None)

    async def test_where_nothing_is_near_nothing_is_shown(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "手ぬぐい"))

        page = await shopper.near("深海魚 図鑑", which=NO_FILTER)

        assert (len(page.nodes), page.relaxed, page.did_you_mean) == (0, None, None)
