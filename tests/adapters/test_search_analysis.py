"""How text becomes terms: forms of writing that meet, and those that must not."""

import threading

import pytest

from adapters.folding import MAX_TERM, codes, fold, normalize
from adapters.tantivy.analysis import Analyzer


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ﾃｨｰｼｬﾂ", "てぃーしゃつ"),
        ("ヴィンテージ", "ゔぃんてーじ"),
        ("ガガ", "がが"),
        ("ＡｂＣ１", "abc1"),
        ("Crème Brûlée", "cremebrulee"),
        ("Straße", "strasse"),
        ("한글", "한글"),
        ("x" * 500, "x" * MAX_TERM),
    ],
)
def test_fold_writes_one_way(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(folded) == folded
    assert not any(map(str.isspace, fold(written)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("部品 AB-1234-X です", ["ab1234x"]),
        ("型番ＡＢＣ－１２３の", ["abc123"]),
        ("iPhone15とT-shirt", ["iphone15", "tshirt"]),
        ("ab‐12 / cd−34", ["ab12", "cd34"]),
        ("plain words and 2024", []),
        ("手ぬぐい", []),
    ],
)
def test_codes_are_kept_whole_without_their_separators(text: str, found: list[str]) -> None:
    assert [code for _, _, code in codes(normalize(text))] == found


def test_compound_is_cut_into_short_units(analyzer: Analyzer) -> None:
    assert set(analyzer.terms("有機野菜セット").forms) == {"有機", "野菜", "せっと"}
    assert "折り" in analyzer.terms("折りたたみ傘").forms
    assert "京都" not in analyzer.terms("東京都").forms


def test_readings_are_kept_of_kanji_only(analyzer: Analyzer) -> None:
    assert analyzer.terms("東京のマフラー").readings == ("とうきょう",)


def test_particles_count_only_when_there_is_nothing_else(analyzer: Analyzer) -> None:
    assert [clause.ways[0][0].forms[0] for clause in analyzer.clauses("東京の地図")] == ["東京", "地図"]
    assert len(analyzer.clauses("の")) == 1


@pytest.mark.parametrize("text", ["", "   ", "!?…", "🎉", "ー", "\u200b"])
def test_text_without_words_has_no_clauses(analyzer: Analyzer, text: str) -> None:
    assert analyzer.clauses(text) == []
    assert analyzer.terms(text).forms == ()


@pytest.mark.parametrize("unit", ["a", "あ", "漢", "🎉", "東京都の手ぬぐい"])
def test_text_of_any_length_is_analysed(analyzer: Analyzer, unit: str) -> None:
    """SudachiPy refuses more than 49,149 bytes at once."""
    found = analyzer.terms(unit * 60_000 + "\n水筒").forms

    assert found[-1] == "水筒"


def test_threads_share_an_analyzer(analyzer: Analyzer) -> None:
    """One of SudachiPy's tokenizers refuses two threads at once."""
    expected = [analyzer.terms(f"{number}番の手ぬぐいを東京で").forms for number in range(300)]
    fresh, results = Analyzer(), []

    def analyse() -> None:
        results.append([fresh.terms(f"{number}番の手ぬぐいを東京で").forms for number in range(300)])

    threads = [threading.Thread(target=analyse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [expected] * 4
