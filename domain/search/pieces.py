"""What was typed, cut to pieces that texts must hold: without a dictionary, by the kinds of letters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HIRAGANA = "ぁ-ゖゝゞ"
_KATAKANA = "ァ-ヺヽヾ"
_KANJI = "一-鿿㐀-䶿豈-﫿𠀀-𲎯々〇"
_RUN = re.compile(
    f"(?P<hiragana>[{_HIRAGANA}][{_HIRAGANA}ー]*)"
    f"|(?P<katakana>[{_KATAKANA}][{_KATAKANA}ー]*)"
    f"|(?P<kanji>[{_KANJI}]+)"
    r"|(?P<digits>\d+)"
    f"|(?P<letters>(?:(?![{_HIRAGANA}{_KATAKANA}{_KANJI}ー])[^\\W\\d_])+)"
    "|(?P<signs>[\u2600-\u27bf\U0001f000-\U0001faff])"
)
_PARTICLES = frozenset("のはがをにへとでもや")
_HONORIFICS = frozenset("おご")


@dataclass(frozen=True, slots=True)
class Pieces:
    """`words` as they were typed, apart by spaces; `needed` is what of them every text must hold. Neither is folded."""

    words: tuple[str, ...]
    needed: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Pieces":
        """東京の手ぬぐい needs 東京 and 手ぬぐい, お茶碗セット needs お茶碗 and セット, iPhone15 needs iPhone and 15."""
        words = tuple(text.split())
        found = [piece for word in words for piece in _pieces(word)]
        telling = [piece for piece in found if piece not in _PARTICLES] or found
        return cls(words, tuple(dict.fromkeys(telling)))


def _pieces(word: str) -> Sequence[str]:
    """Runs of one kind; of hiragana, what ends a word that begins with kanji, or honours it, stays with it."""
    found: list[str] = []
    before, end = "", 0
    for match in _RUN.finditer(word):
        kind, run = str(match.lastgroup), match.group()
        is_ending = kind == "hiragana" and before == "kanji" and run not in _PARTICLES
        is_honoured = kind == "kanji" and before == "hiragana" and found[-1] in _HONORIFICS
        if match.start() == end and (is_ending or is_honoured):
            found[-1] += run
        else:
            found.append(run)
        before, end = kind, match.end()
    return found
