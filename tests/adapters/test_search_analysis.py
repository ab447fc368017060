"""How text becomes terms: forms of writing that meet, and those that must not."""

import threading
from pathlib import Path

import pytest

from adapters.folding import MAX_TERM, codes, fold, normalize
from adapters.language.analysis import Analyzer
from adapters.language.lexicon import LOOK_EVERY_S, FixedWords, Lexicon, LexiconFile, Unit
from adapters.language.reading import asked_keys


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
    assert set(analyzer.terms("有機野菜セット")) == {"有機", "野菜", "せっと"}
    assert "折り" in analyzer.terms("折りたたみ傘")
    assert "京都" not in analyzer.terms("東京都")


def test_words_are_kept_by_how_they_sound_alone_and_together(analyzer: Analyzer) -> None:
    keys = analyzer.keys("藍染めのほうじ茶")

    assert keys["あいぞめ"] == "藍染め"
    assert keys["hojicha"] == keys["ほうじちゃ"] == "ほうじ茶"
    assert "の" not in keys


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("弁当箱", "べんとうばこ"),
        ("本棚", "ほんだな"),
        ("万年筆", "まんねんひつ"),
        ("急須", "kyuusu"),
        ("風呂敷", "hurosiki"),
        ("キーボード", "きーぼど"),
        ("札幌味噌ラーメン", "misoramen"),
    ],
)
def test_what_is_typed_by_ear_has_a_key_of_what_is_written(analyzer: Analyzer, written: str, typed: str) -> None:
    assert set(asked_keys(typed)) & set(analyzer.keys(written))


@pytest.mark.parametrize(
    ("written", "typed"), [("サーバー", "さば"), ("橋", "箸"), ("おばあさん", "おば"), ("急須", "きゅう")]
)
def test_what_sounds_otherwise_or_is_written_with_kanji_has_none(analyzer: Analyzer, written: str, typed: str) -> None:
    assert not set(asked_keys(typed)) & set(analyzer.keys(written))


@pytest.mark.parametrize(
    ("compound", "parts"),
    [
        ("コーヒードリッパー", {"こーひー", "どりっぱー"}),
        ("ヨガマット", {"よが", "まっと"}),
        ("ハムスター", {"はむすたー"}),
        ("ドリッパー", {"どりっぱー"}),
    ],
)
def test_katakana_compound_is_cut_where_the_dictionary_knows_a_part(
    analyzer: Analyzer, compound: str, parts: set[str]
) -> None:
    assert parts <= set(analyzer.terms(compound)) <= parts | {fold(compound)}


def test_words_of_the_shop_are_cut_as_it_says() -> None:
    analyzer = Analyzer(FixedWords(Lexicon(dictionary={"綿毛布": (Unit("綿", "メン"), Unit("毛布", "モウフ"))})))

    assert analyzer.terms("冷感 綿毛布 セミダブル")[1:3] == ("綿", "毛布")
    assert analyzer.keys("綿毛布")["めんもうふ"] == "綿毛布"


def test_changed_words_count_at_once(tmp_path: Path) -> None:
    now, path = 0.0, tmp_path / "words.toml"
    path.write_text("")
    analyzer = Analyzer(LexiconFile(path, lambda: now))
    assert "毛布" not in analyzer.terms("冷感 綿毛布 ダブル")

    path.write_text('[dictionary]\n"綿毛布" = ["綿 メン", "毛布 モウフ"]\n')
    now += LOOK_EVERY_S
    assert "毛布" in analyzer.terms("冷感 綿毛布 ダブル")


def test_particles_count_only_when_there_is_nothing_else(analyzer: Analyzer) -> None:
    clauses = analyzer.clauses("東京の地図")

    assert [clause.ways[0].words[0].forms[0] for clause in clauses] == ["東京", "地図"]
    assert len(analyzer.clauses("の")) == 1


@pytest.mark.parametrize("text", ["", "   ", "!?…", "🎉", "ー", "\u200b"])
def test_text_without_words_has_no_clauses(analyzer: Analyzer, text: str) -> None:
    assert analyzer.clauses(text) == []
    assert analyzer.terms(text) == ()


@pytest.mark.parametrize("unit", ["a", "あ", "漢", "🎉", "東京都の手ぬぐい"])
def test_text_of_any_length_is_analysed(analyzer: Analyzer, unit: str) -> None:
    """SudachiPy refuses more than 49,149 bytes at once."""
    found = analyzer.terms(unit * 60_000 + "\n水筒")

    assert found[-1] == "水筒"


def test_threads_share_an_analyzer(analyzer: Analyzer) -> None:
    """One of SudachiPy's tokenizers refuses two threads at once."""
    expected = [analyzer.terms(f"{number}番の手ぬぐいを東京で") for number in range(300)]
    fresh, results = Analyzer(), []

    def analyse() -> None:
        results.append([fresh.terms(f"{number}番の手ぬぐいを東京で") for number in range(300)])

    threads = [threading.Thread(target=analyse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [expected] * 4
