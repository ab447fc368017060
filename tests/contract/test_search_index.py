"""What any search index must do, whatever it runs on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from adapters.tantivy.analysis import Analyzer
from adapters.tantivy.index import TantivyIndex
from domain.shared.paging import Count, PageRequest, encode_cursor
from domain.shared.refusals import InvalidCursor, InvalidInput
from tests.contract.search_shop import OPENED, Listed, Shopper, document, memory_folder, product


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture(params=["tantivy"])
async def shopper(request: pytest.FixtureRequest, analyzer: Analyzer) -> AsyncIterator[Shopper]:
    with memory_folder() as folder:
        index = TantivyIndex(folder / "search", analyzer, search_timeout_s=5)
        yield Shopper(index)
        await index.close()


class TestJapanese:
    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("手ぬぐい", "藍染めの手ぬぐい"),
            ("てぬぐい", "藍染めの手ぬぐい"),
            ("手拭い", "藍染めの手ぬぐい"),
            ("テヌグイ", "てぬぐい 二枚組"),
            ("とうきょう", "東京ばな菓子"),
            ("トウキョウ", "とうきょうの地図"),
            ("ﾏﾌﾗｰ", "ウールのマフラー"),
            ("まふらー", "ウールのマフラー"),
            ("くつした", "あったか靴下"),
            ("コーヒー メーカー", "全自動コーヒーメーカー"),
            ("コーヒーメーカー", "コーヒー用 メーカー純正フィルター"),
            ("いちご", "苺のジャム"),
            ("サーバ", "紅茶サーバー"),
            ("引越し", "引っ越し用の箱"),
            ("野菜", "有機野菜セット"),
            ("東京の手ぬぐい", "手ぬぐい 東京土産"),
            ("ＷＨＩＴＥ　シャツ", "white シャツ"),
            ("CAFE", "Café のマグ"),
            ("iphone 15", "iPhone15 ケース"),
            ("iPhone15", "ケース iPhone 15 用"),
            ("ab1234x", "部品 AB-1234-X"),
            ("ＡＢ－１２３４－Ｘ", "部品 AB-1234-X"),
            ("ab‐1234", "部品 AB-1234-X"),
        ],
    )
    async def test_query_finds_the_name_however_either_is_written(
        self, shopper: Shopper, query: str, name: str
    ) -> None:
        await shopper.stock(document(1, name), document(2, "水筒"))

        assert await shopper.finds(query) == [product(1)]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("京都", "東京都の地図"),
            ("都の", "京都の地図"),
            ("くつした", "靴を磨いた"),
            ("せーたー", "ショートケーキ"),
            ("ハム", "ハムスターの置物"),
            ("手ぬぐい 赤", "手ぬぐい 青"),
            ("AB-1234-X", "部品 AB-9999-X"),
        ],
    )
    async def test_query_does_not_find_what_only_looks_alike(self, shopper: Shopper, query: str, name: str) -> None:
        await shopper.stock(document(1, name))

        assert await shopper.finds(query) == []

    async def test_crumbs_of_unknown_kana_are_not_words_of_their_own(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "靴クリーム", "手入れをした靴に"), document(2, "靴の油", "お手入れする。しました")
        )

        assert await shopper.finds("くつした") == []

    async def test_exact_code_comes_before_its_parts(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "AB の 1234"), document(2, "部品", "型番は AB-1234"), document(3, "部品 ab1234")
        )

        assert await shopper.finds("AB-1234") == [product(3), product(1), product(2)]

    async def test_tokyo_to_and_kyoto_are_told_apart(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "東京都の地図"), document(2, "京都の地図"))

        assert await shopper.finds("京都") == [product(2)]
        assert await shopper.finds("東京都") == [product(1)]


class TestWhatIsSearched:
    async def test_words_may_match_in_different_texts_of_a_product(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "土鍋", "二合炊き", brand="山田窯", categories=("台所用品", "鍋"), sku="YM-77"),
            document(2, "土鍋", "三合炊き"),
        )

        for query in ("土鍋 山田窯", "台所用品 二合", "ym-77"):
            assert await shopper.finds(query) == [product(1)], query

    async def test_name_weighs_more_than_description(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "水筒", "急須のような注ぎ口"), document(2, "急須", "陶器です"))

        assert await shopper.finds("急須") == [product(2), product(1)]

    async def test_rare_mention_does_not_outrank_the_name_that_many_share(self, shopper: Shopper) -> None:
        shirts = [document(number, f"シャツ {number}号") for number in range(1, 60)]
        await shopper.stock(document(0, "物干し竿", "シャツに", popularity=1000), *shirts)

        assert (await shopper.finds("シャツ"))[-1] == product(0)

    async def test_like_matches_come_popular_first_then_newest(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "急須", created_at=OPENED),
            document(2, "急須", created_at=OPENED + timedelta(days=300)),
            document(3, "急須", popularity=20, created_at=OPENED - timedelta(days=300)),
        )

        assert await shopper.finds("急須") == [product(3), product(2), product(1)]

    @pytest.mark.parametrize("empty", ["", "  \t　\n"])
    async def test_empty_query_browses_popular_first_then_newest(self, shopper: Shopper, empty: str) -> None:
        await shopper.stock(
            document(1, "急須", created_at=OPENED),
            document(2, "水筒", created_at=OPENED + timedelta(days=1)),
            document(3, "土鍋", popularity=20),
            document(4, "下書き", is_public=False, popularity=99),
        )

        assert await shopper.finds(empty) == [product(3), product(2), product(1)]

    async def test_what_is_not_public_is_not_found(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", is_public=False), document(2, "急須"))

        assert await shopper.finds("急須") == [product(2)]

    async def test_very_long_description_is_searched_to_its_end(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", "陶器と" * 30_000 + "\n土鍋"))

        assert await shopper.finds("土鍋") == [product(1)]


class TestPaging:
    @pytest.mark.parametrize("query", ["急須", ""])
    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_have_no_gaps_and_no_doubles(self, shopper: Shopper, query: str, first: int) -> None:
        # equal scores throughout, given out of order, and more of them than one window of any adapter
        numbers = list(range(300 if first > 1 else 40))
        Random(7).shuffle(numbers)
        await shopper.stock(*[document(number, "急須") for number in numbers])

        found = await shopper.pages(query, first)

        assert found == sorted(found, key=lambda each: each.int)
        assert len(set(found)) == len(found) == len(numbers)

    async def test_pages_are_the_whole_ranking_cut(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(n, "急須 " + "青 " * (n % 9), popularity=n % 5) for n in range(90)])

        assert await shopper.pages("急須", 4) == await shopper.finds("急須")

    async def test_writes_in_between_move_nothing(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須", popularity=number % 4) for number in range(30)])
        expected = await shopper.finds("急須")
        numbers = iter(range(100, 200))

        async def write() -> None:
            await shopper.index.put([document(next(numbers), "急須 急須", popularity=50)])
            await shopper.index.remove([expected[-1]])

        assert await shopper.pages("急須", 7, write) == expected

    async def test_reindex_in_between_moves_nothing(self, shopper: Shopper) -> None:
        documents = [document(number, "急須", popularity=number % 4) for number in range(20)]
        await shopper.stock(*documents)
        expected = await shopper.finds("急須")

        assert await shopper.pages("急須", 7, lambda: shopper.stock(*documents[:3])) == expected

    async def test_page_goes_on_from_its_score_when_its_state_is_gone(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須") for number in range(10)])
        page = await shopper.page("急須", 4)
        (_, score, last), order = page.keys[-1], page.order

        rest = await shopper.page("急須", 20, encode_cursor(order, ("another state", score, last)))

        assert [hit.product_id for hit in rest.nodes] == [product(number) for number in range(4, 10)]

    async def test_page_info_tells_where_the_page_stands(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須") for number in range(3)])

        start = await shopper.page("急須", 2)
        end = await shopper.page("急須", 2, start.page_info.end_cursor)
        nothing = await shopper.page("急須", 0)

        assert (start.has_next, start.has_previous, len(start.nodes)) == (True, False, 2)
        assert (end.has_next, end.has_previous, len(end.nodes)) == (False, True, 1)
        assert (nothing.has_next, len(nothing.nodes)) == (True, 0)

    @pytest.mark.parametrize("key", [(), ("s", "1", "x"), ("s", 1.0, "x"), ("s", float("nan"), str(product(1))), (1,)])
    async def test_cursor_of_another_list_is_refused(self, shopper: Shopper, key: tuple[str | float, ...]) -> None:
        await shopper.stock(document(1, "急須"))

        with pytest.raises(InvalidCursor):
            await shopper.page("急須", 2, encode_cursor("search", key))

    async def test_backward_pages_are_refused(self, shopper: Shopper) -> None:
        with pytest.raises(InvalidInput) as refused:
            await shopper.search.search("急須", PageRequest.of("search", last=2))

        assert refused.value.field == ("last",)

    async def test_count_is_of_all_that_matches(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(n, "急須" if n % 3 else "水筒", is_public=n % 2 == 0) for n in range(60)])

        counts = [await shopper.count(text) for text in ("急須", "", "鍋", "!?")]

        assert counts == [Count(20), Count(30), Count(0), Count(0)]


class TestUpkeep:
    async def test_before_the_first_build_nothing_is_found(self, shopper: Shopper) -> None:
        assert not await shopper.search.is_built()
        assert await shopper.finds("急須") == []
        assert await shopper.count("") == Count(0)

    async def test_put_adds_and_overwrites(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))

        assert await shopper.index.put([document(1, "土瓶", version=2), document(2, "水筒")]) == 2

        assert await shopper.finds("急須") == []
        assert set(await shopper.finds("")) == {product(1), product(2)}

    async def test_older_version_is_ignored_and_the_same_is_written_again(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=5))

        assert await shopper.index.put([document(1, "土瓶", version=4)]) == 0
        assert await shopper.finds("急須") == [product(1)]
        assert await shopper.index.put([document(1, "鉄瓶", version=5)]) == 1
        assert await shopper.finds("鉄瓶") == [product(1)]

    async def test_of_one_product_in_a_batch_the_newest_counts(self, shopper: Shopper) -> None:
        await shopper.stock()

        await shopper.index.put([document(1, "急須", version=3), document(1, "土瓶", version=2)])

        assert await shopper.finds("急須") == [product(1)]
        assert await shopper.finds("土瓶") == []

    async def test_unpublished_product_is_gone_until_a_newer_version_is_public(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=1))
        await shopper.index.put([document(1, "急須", is_public=False, version=3)])

        await shopper.index.put([document(1, "急須", version=2)])
        assert await shopper.finds("急須") == []
        await shopper.index.put([document(1, "急須", version=4)])
        assert await shopper.finds("急須") == [product(1)]

    async def test_removed_product_does_not_come_back_with_a_late_event(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"), document(2, "急須"))

        await shopper.index.remove([product(1), product(3)])
        await shopper.index.put([document(1, "急須", version=9), document(3, "急須", version=1)])

        assert await shopper.finds("") == [product(2)]

    async def test_reindex_replaces_everything_and_reports_progress(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))
        progress: list[int] = []
        names = [document(number, "土鍋") for number in range(2, 1500)]

        assert await shopper.search.reindex(Listed(names), progress.append) == 1498

        assert progress == sorted(progress)
        assert progress[-1] == 1498
        assert await shopper.finds("急須") == []
        assert await shopper.search.is_built()
        assert "1,498 documents" in await shopper.search.check()

    async def test_search_during_a_reindex_sees_the_old_index_or_the_new_one(self, shopper: Shopper) -> None:
        old = [document(number, "急須") for number in range(20)]
        new = [document(number, "急須 新", version=2) for number in range(30)]
        await shopper.stock(*old)
        seen: set[int] = set()
        is_over = asyncio.Event()

        async def look() -> None:
            while not is_over.is_set():
                seen.add(len(await shopper.finds("急須")))
            seen.add(len(await shopper.finds("急須")))

        async def search_in_the_middle() -> None:
            seen.add(len(await shopper.finds("急須")))

        looking = asyncio.create_task(look())
        await shopper.search.reindex(Listed(new, before_each=search_in_the_middle), lambda done: None)
        is_over.set()
        await looking

        assert seen == {20, 30}

    async def test_failed_reindex_leaves_the_index_as_it_was(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))
        asked = 0

        async def fail_at_the_third() -> None:
            nonlocal asked
            asked += 1
            if asked == 3:
                raise ConnectionError("the database went away")

        source = Listed([document(number, "土鍋") for number in range(5)], before_each=fail_at_the_third)
        with pytest.raises(ConnectionError):
            await shopper.search.reindex(source, lambda done: None)

        assert await shopper.finds("") == [product(1)]
        await shopper.stock(document(2, "土鍋"))
        assert await shopper.finds("") == [product(2)]

    async def test_put_during_a_reindex_waits_and_is_not_lost(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=1))
        puts: list[asyncio.Task[int]] = []

        async def put_a_newer_one() -> None:
            puts.append(asyncio.create_task(shopper.index.put([document(1, "土瓶", version=2)])))

        await shopper.search.reindex(Listed([document(1, "急須")], before_each=put_a_newer_one), lambda done: None)
        await asyncio.gather(*puts)

        assert await shopper.finds("土瓶") == [product(1)]
        assert await shopper.finds("急須") == []


class TestHostileText:
    @pytest.mark.parametrize(
        "text",
        [
            "あ" * 201,
            "x" * 10_000,
            "(a+)+" * 2_000,
            "㍿" * 51 + "\ufdfa" * 12,
            "急須\x00",
            "急\x1b[31m須",
            "\ud800急須",
        ],
        ids=["long", "very long", "regexp bomb", "long once normalized", "null byte", "escape", "lone surrogate"],
    )
    async def test_what_is_no_query_is_refused_by_field(self, shopper: Shopper, text: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            await shopper.page(text)

        assert refused.value.field == ("query",)

    @pytest.mark.parametrize(
        "text",
        [
            "!!??…",
            "。、・「」",
            "🎉👍🏽",
            "***",
            "(",
            '"',
            "-",
            "\\",
            "%_",
            "〜ー",
            "\u202e\u200b",
            "' OR 1=1 --",
            "<script>",
        ],
    )
    async def test_text_without_a_known_word_finds_nothing(self, shopper: Shopper, text: str) -> None:
        await shopper.stock(document(1, "急須", "陶器です。"), document(2, "name foo"))

        assert await shopper.finds(text) == []

    @pytest.mark.parametrize(
        "text",
        [
            "name:急須",
            "急須 OR 水筒",
            "急須 AND (",
            "急須*",
            "急.*",
            "/急須|水筒/",
            "急須~2",
            "-急須",
            "+急須 -水筒",
            "*:*",
        ],
    )
    async def test_query_language_is_only_text(self, shopper: Shopper, text: str) -> None:
        await shopper.stock(document(1, "土瓶"), document(2, "水筒"), document(3, "急須"), document(4, "急な坂"))

        words = {"急須*": [3], "急須~2": [], "-急須": [3], "急.*": [4]}
        assert await shopper.finds(text) == [product(number) for number in words.get(text, [])]

    @pytest.mark.parametrize("name", ["כובע קש", "قبعة", "ネコ🐈缶", "e\u0301clair", "a\x00b", "\ud800 c", "ﷺ"])
    async def test_strange_names_are_indexed_and_found(self, shopper: Shopper, name: str) -> None:
        await shopper.stock(document(1, name, name * 50), document(2, "水筒"))
        asked = name.replace("\x00", " ").replace("\ud800", "")

        assert await shopper.finds(asked) == [product(1)]

    async def test_longest_query_answers(self, shopper: Shopper) -> None:
        words = "急須 土瓶 水筒 青い 赤い 白い まふらー くつした AB-12 京都 " * 5
        await shopper.stock(document(1, words.strip()[:200]), replace(document(2, "急須"), description=words[:30]))

        assert await shopper.finds(words.strip()[:200]) == [product(1)]
