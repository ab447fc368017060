"""What somebody may have meant to type: the key next to theirs, by letters changed, left out, put in or swapped."""

from collections.abc import Iterable

from adapters.folding import fold
from adapters.language.sounds import sound

MOST_CHANGES = 2
LOOKED_AT = 20
"""Products in whose names the nearest key is looked for, those that stand out first."""


def spelling_key(word: str) -> str:
    """The key to compare by: how it sounds, or how it is written where that takes kanji."""
    return sound(word) or fold(word)


def changes_allowed(key: str) -> int:
    """More in a longer word; a letter of kanji or kana says more than one of romaji."""
    short, long = (4, 8) if key.isascii() else (3, 6)
    return 0 if len(key) < short or any(map(str.isdigit, key)) else 1 if len(key) < long else MOST_CHANGES


def closest(key: str, found: Iterable[tuple[str, str]]) -> str | None:
    """What is written for the nearest of the keys that were found, the first of equals; None where none is near."""
    allowed = changes_allowed(key)
    best: tuple[int, str] | None = None
    for other, written in found:
        if abs(len(other) - len(key)) <= allowed and other.isascii() == key.isascii():
            changes = distance(key, other)
            if changes <= allowed and (best is None or changes < best[0]):
                best = changes, written
    return None if best is None else best[1]


def distance(one: str, other: str) -> int:
    """Optimal string alignment: how many letters to change, leave out, put in or swap with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, last, row = row, before, [place]
        for column, letter_there in enumerate(other, 1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != letter_there))
            is_swap = place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == letter_there
            row.append(min(cost, last[column - 2] + 1) if is_swap else cost)
    return row[-1]
