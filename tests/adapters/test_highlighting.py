"""What of a product's texts is shown as what was asked for."""

import pytest

from adapters.language.highlighting import AROUND, DictionaryHighlighter
from domain.search.model import Highlight
from tests.contract.search_shop import words


@pytest.fixture(scope="module")
def highlighter() -> DictionaryHighlighter:
    return DictionaryHighlighter(words())


def shown(highlight: Highlight) -> str:
    return "".join(f"[{part.text}]" if part.is_match else part.text for part in highlight.parts)


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        ("手ぬぐい", "藍染めの手ぬぐい 麻の葉", "藍染めの[手ぬぐい] 麻の葉"),
        ("手拭い", "藍染めの手ぬぐい 麻の葉", "藍染めの[手ぬぐい] 麻の葉"),
        ("てぬぐい", "藍染めの手ぬぐい 麻の葉", "藍染めの[手ぬぐい] 麻の葉"),
        ("tenugui", "藍染めの手ぬぐい 麻の葉", "藍染めの[手ぬぐい] 麻の葉"),
        ("べんとうばこ", "二段弁当箱 白", "二段[弁当箱] 白"),
        ("珈琲", "コーヒー ブラジル", "[コーヒー] ブラジル"),
        ("ドリッパー", "コーヒードリッパー", "[コーヒードリッパー]"),
        ("京都", "東京都の地図と京都の地図", "東京都の地図と[京都]の地図"),
        ("ab1234", "部品 AB-1234 銀", "部品 [AB-1234] 銀"),
        ("手ぬぐい 麻の葉", "手ぬぐい 麻の葉", "[手ぬぐい] [麻の葉]"),
        ("tシャツ", "Ｔシャツ 白", "[Tシャツ] 白"),
        ("の", "私の本", "私の本"),
        ("<b>", "<b>太い</b>ペン", "<[b]>太い</[b]>ペン"),
    ],
)
async def test_match_in_a_name_is_cut_out(
    highlighter: DictionaryHighlighter, query: str, name: str, expected: str
) -> None:
    [found] = await highlighter.highlights(query, [(name, "")])

    assert [shown(each) for each in found] == ([expected] if "[" in expected else [])
    assert all(each.field == "name" for each in found)


async def test_description_is_cut_to_the_first_match(highlighter: DictionaryHighlighter) -> None:
    text = "あ" * 300 + "。陶器の急須です。" + "茶こしが付いています。" * 30 + "急須"

    [[found]] = await highlighter.highlights("急須", [("茶器", text)])

    assert found.field == "description"
    assert "。陶器の[急須]です。" in shown(found)
    assert len("".join(part.text for part in found.parts)) == AROUND


@pytest.mark.parametrize(
    "text", ["", "あ" * 100_000, "\ud800\x00", "👍🏽" * 3_000, "急須" * 5_000, "㌖" * 4_000, "ﷺ" * 4_000]
)
async def test_any_text_is_looked_at_within_bounds(highlighter: DictionaryHighlighter, text: str) -> None:
    [found] = await highlighter.highlights("急須 AB-1", [(text, text)])

    assert all("".join(part.text for part in each.parts) for each in found)
