"""The file of the shop's own words: what it means for a query, how it is changed, and what is said of a broken one."""

import os
from pathlib import Path

import pytest

from adapters.language.asked import parts
from adapters.language.lexicon import DEFAULT, LOOK_EVERY_S, Lexicon, LexiconBroken, LexiconFile

WORDS = """
[synonyms]
same = [["コーヒー", "珈琲", "coffee"], ["Tシャツ", "t-shirt"], ["アイス", "ice cream"]]
[synonyms.narrower]
"餅" = ["大福"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "words.toml"
    path.write_text(WORDS)
    return path


@pytest.mark.parametrize(
    ("query", "wordings"),
    [
        ("珈琲", [{"珈琲", "コーヒー", "coffee"}]),
        ("ＣＯＦＦＥＥ", [{"COFFEE", "コーヒー", "珈琲"}]),
        ("アイスコーヒー", [{"アイスコーヒー"}]),
        ("ice cream 白", [{"ice cream", "アイス"}, {"白"}]),
        ("珈琲フィルター", [{"珈琲", "コーヒー", "coffee"}, {"フィルター"}]),
        ("白いTシャツ", [{"白い"}, {"Tシャツ", "t-shirt"}]),
        ("AB-coffee", [{"AB-coffee"}]),
        ("餅", [{"餅", "大福"}]),
        ("大福", [{"大福"}]),
        ("尻餅", [{"尻餅"}]),
        ("お餅つき", [{"お餅つき"}]),
    ],
)
def test_words_with_synonyms_are_found_where_they_stand_by_themselves(
    file: Path, query: str, wordings: list[set[str]]
) -> None:
    assert [set(part.wordings) for part in parts(query, Lexicon.read(file))] == wordings


def test_longest_query_has_few_parts(file: Path) -> None:
    assert len(parts("珈琲 a" * 50, Lexicon.read(file))) <= 51


def test_change_counts_once_the_file_is_looked_at(file: Path) -> None:
    now = 0.0
    words = LexiconFile(file, lambda: now)
    file.write_text('[synonyms]\nsame = [["湯呑", "湯飲み"]]\n')
    assert "珈琲" in words.current().synonyms

    now += LOOK_EVERY_S
    assert set(words.current().synonyms) == {"湯呑", "湯飲み"}


def test_broken_change_is_told_and_the_last_good_words_stay(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    words = LexiconFile(file, lambda: now)
    for broken in ("[synonyms", "[other]", None):
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken)
        now += LOOK_EVERY_S
        assert "珈琲" in words.current().synonyms
    assert caplog.text.count("search goes on with the words it has") == 3


def test_file_put_back_as_it_was_is_read_again(file: Path) -> None:
    now = 0.0
    words = LexiconFile(file, lambda: now)
    file.write_text("[synonyms")
    now += LOOK_EVERY_S
    words.current()
    file.write_text(WORDS + "\n")
    os.utime(file, ns=(1, 1))
    now += LOOK_EVERY_S

    assert "coffee" in words.current().synonyms


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[synonyms", "Expected"),
        ("[words]", "unknown part 'words'"),
        ("[synonyms]\nsimilar = []", "unknown synonyms.similar"),
        ('[synonyms]\nsame = ["a"]', "not a list of words"),
        ('[synonyms]\nsame = [["a", 1]]', "not a list of words"),
        ('[synonyms]\nsame = [["a", " "]]', "from 1 to 64 characters"),
        ('[synonyms]\nsame = [["a", "' + "x" * 65 + '"]]', "from 1 to 64 characters"),
        ('[synonyms]\nsame = [["' + '", "'.join(map(str, range(30))) + '"]]', "more than 16 synonyms"),
        ('[dictionary]\n"東京都" = ["東京", "都 ト"]', "a text and its reading"),
        ('[dictionary]\n"東京都" = ["東京 トウキョウ"]', "are not the word"),
        ("#" + "x" * 1_000_001, "more than 1,000,000 bytes"),
    ],
)
def test_broken_file_is_refused_with_the_reason(file: Path, content: str, why: str) -> None:
    file.write_text(content)

    with pytest.raises(LexiconBroken, match=why) as refused:
        LexiconFile(file)
    assert str(file) in str(refused.value)


def test_words_that_come_with_torii_are_good() -> None:
    lexicon = Lexicon.read(DEFAULT)

    assert "珈琲" in lexicon.synonyms["coffee"]
    assert "東京都産" in lexicon.dictionary
