"""What was asked for, cut into words: in bounded time, whatever was typed."""

import time

from adapters.language.asked import MAX_EDGES, parts
from adapters.language.lexicon import Lexicon

LEXICON = Lexicon(synonyms={"珈琲": ("コーヒー",), "長" * 64: ("短",)})


def test_a_word_with_synonyms_is_cut_out_where_it_stands_by_itself() -> None:
    assert [each.typed for each in parts("珈琲 豆", LEXICON)] == ["珈琲", "豆"]


def test_what_changes_its_script_at_every_letter_is_taken_as_it_is() -> None:
    text = "aあ" * 100
    assert len(text) > MAX_EDGES
    took = []
    for _ in range(3):
        began = time.process_time()
        [part] = parts(text, LEXICON)
        took.append(time.process_time() - began)
    assert part.wordings == (text,)
    assert min(took) < 0.05
