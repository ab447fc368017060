"""What any search index must find, whatever it runs on. Its paging and upkeep: test_search_upkeep.py."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.shared.refusals import InvalidInput
from tests.contract.search_shop import OPENED, Shopper, document, product


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
            ("おちゃ", "お茶セット"),
            ("べんとうばこ", "曲げわっぱの弁当箱"),
            ("tenugui", "藍染めの手ぬぐい"),
            ("huroshiki", "ちりめんの風呂敷"),
            ("KYŪSU", "常滑焼の急須"),
            ("houji-cha", "ほうじ茶"),
            ("みそらーめん", "札幌味噌ラーメン"),
            ("コヒードリッパー", "コーヒードリッパー"),
            ("ドリッパー", "コーヒードリッパー"),
            ("バックパック", "軽いリュック"),
            ("coffee", "珈琲の豆"),
            ("猫", "ねこの置物"),
            ("折畳傘", "折りたたみ傘"),
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
            ("きょうと", "強炭酸水"),
            ("サーバー", "サウンドバー"),
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


MAY_DIFFER = [
    # Sudachi's dictionary writes these one way; IPADIC has no such forms
    ("附属品", "付属品", {"tantivy"}),
    ("ダイアモンド", "ダイヤモンドの指輪", {"tantivy"}),
    ("シュミレーション", "シミュレーションゲーム", {"tantivy"}),
    # on OpenSearch a word of kanji is also its reading, but not below three kana, nor where kuromoji cuts the kana up
    ("急須", "きゅうす", {"tantivy", "opensearch"}),
    ("卵", "たまご", {"tantivy"}),
]
"""What the dictionaries disagree about: query, name, and where the one finds the other."""


class TestWhatMayDiffer:
    @pytest.mark.parametrize(("query", "name", "where"), MAY_DIFFER)
    async def test_dictionaries_differ_as_listed(
        self, shopper: Shopper, query: str, name: str, where: set[str]
    ) -> None:
        await shopper.stock(document(1, name))

        assert await shopper.finds(query) == [product(1)] * (shopper.on in where)


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

    async def test_what_is_in_the_category_that_is_called_so_comes_first(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "コーヒーの図鑑", "豆のことも", popularity=50),
            document(2, "ブラジル サントス", categories=("飲料", "コーヒー豆・生豆")),
        )

        for query in ("コーヒー豆", "珈琲豆"):
            assert set(await shopper.finds(query)) == {product(1), product(2)}
        assert await shopper.finds("コーヒー豆") == [product(2), product(1)]

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
