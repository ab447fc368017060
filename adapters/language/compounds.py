"""Katakana compounds that no dictionary has: コーヒードリッパー is コーヒー and ドリッパー."""

import re
from collections.abc import Callable

MIN_KNOWN, MIN_UNKNOWN = 2, 3
"""Letters of a part that the dictionary knows where it knows both, and of each part where it knows but one."""

_KATAKANA = re.compile(r"[ァ-ヺー]{5,24}")


def compound(word: str, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """The parts of a word that the dictionary does not have; none where it is no compound as far as one can see."""
    if not _KATAKANA.fullmatch(word):
        return ()
    place = _best_cut(word, is_known)
    if place is None:
        return ()
    head, rest = word[:place], word[place:]
    return (head, *((rest,) if is_known(rest) else compound(rest, is_known) or (rest,)))


def _best_cut(word: str, is_known: Callable[[str], bool]) -> int | None:
    """The longest known head wins; one with a known rest before all others."""
    places = [
        place
        for place in range(len(word) - MIN_KNOWN, MIN_KNOWN - 1, -1)
        if word[place] not in "ーァィゥェォャュョッンヮ"
    ]
    heads = [place for place in places if is_known(word[:place])]
    both = [place for place in heads if is_known(word[place:])]
    if both:
        return both[0]
    long = range(MIN_UNKNOWN, len(word) - MIN_UNKNOWN + 1)
    one = [place for place in heads if place in long] or [
        place for place in reversed(places) if place in long and is_known(word[place:])
    ]
    return one[0] if one else None
