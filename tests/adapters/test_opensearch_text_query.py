"""What a query asks OpenSearch to look for: nothing that takes it a second."""

from typing import Any

import orjson
import pytest

from adapters.language.lexicon import NO_WORDS
from adapters.opensearch.text_query import LONGEST_PHRASE, text_clauses


def phrases(query: str) -> int:
    asked: Any = text_clauses(query, NO_WORDS.current())
    assert asked
    return orjson.dumps(asked).count(b"match_phrase")


@pytest.mark.parametrize("word", ["てぬぐい", "サーバー", "しろいしろい", "の" * 3])
def test_kana_are_looked_for_side_by_side(word: str) -> None:
    assert phrases(word) > 0


@pytest.mark.parametrize("word", ["の" * 200, "の" * 4, "のは" * (LONGEST_PHRASE // 2 + 1), "あーーーー"])
def test_kana_that_nobody_would_write_are_not(word: str) -> None:
    assert phrases(word) == 0
