"""How a word sounds, loosely: one key for kana of either kind, romaji of any school, and long or short vowels.

きゅうす, キュウス, kyūsu, kyuusu and kyusu are all "kyusu". Keys are Hepburn romaji (ISO 3602 and its Kunrei spellings are
written as Hepburn would), without what people leave out or put in: long vowels, small っ, apostrophes.
"""

import re
from functools import lru_cache

from adapters.folding import fold

MIN_SOUND = 3
"""Letters of a key that says something: き and は sound like too much."""

_ROWS = {
    "": "あ い う え お",
    "k": "か き く け こ",
    "s": "さ _ す せ そ",
    "t": "た _ _ て と",
    "n": "な に ぬ ね の",
    "h": "は ひ _ へ ほ",
    "m": "ま み む め も",
    "y": "や _ ゆ _ よ",
    "r": "ら り る れ ろ",
    "w": "わ ゐ _ ゑ _",
    "g": "が ぎ ぐ げ ご",
    "z": "ざ _ ず ぜ ぞ",
    "d": "だ _ _ で ど",
    "b": "ば び ぶ べ ぼ",
    "p": "ぱ ぴ ぷ ぺ ぽ",
}
_IRREGULAR = {
    "し": "shi", "ち": "chi", "つ": "tsu", "ふ": "fu", "じ": "ji", "ぢ": "ji", "づ": "zu", "を": "o", "ん": "n", "ー": "",
    "ぁ": "a", "ぃ": "i", "ぅ": "u", "ぇ": "e", "ぉ": "o", "ゃ": "ya", "ゅ": "yu", "ょ": "yo", "ゎ": "wa", "っ": "",
    "ゔ": "bu", "ゔぁ": "ba", "ゔぃ": "bi", "ゔぇ": "be", "ゔぉ": "bo", "ゔゅ": "byu",
    "ふぁ": "fa", "ふぃ": "fi", "ふぇ": "fe", "ふぉ": "fo", "ふゅ": "fyu",
    "うぃ": "wi", "うぇ": "we", "うぉ": "wo", "つぁ": "tsa", "つぇ": "tse", "つぉ": "tso",
    "しぇ": "she", "じぇ": "je", "ちぇ": "che", "てぃ": "ti", "でぃ": "di", "てゅ": "tyu", "でゅ": "dyu",
    "とぅ": "tu", "どぅ": "du",
}  # fmt: skip
_YOON = {"し": "sh", "ち": "ch", "じ": "j", "ぢ": "j"} | {
    kana: first + "y" for first, kana in zip("knhmrgbp", "きにひみりぎびぴ", strict=True)
}
_SMALL = {"ゃ": "a", "ゅ": "u", "ょ": "o"}


def _syllables() -> dict[str, str]:
    known = dict(_IRREGULAR)
    for first, row in _ROWS.items():
        known |= {kana: first + vowel for kana, vowel in zip(row.split(), "aiueo", strict=True) if kana != "_"}
    known |= {kana + small: first + vowel for kana, first in _YOON.items() for small, vowel in _SMALL.items()}
    return known


_KANA = _syllables()
_SYLLABLE = re.compile("|".join(sorted(_KANA, key=len, reverse=True)))

_LOOSE = [
    (re.compile(pattern), written)
    for pattern, written in (
        (r"l", "r"),
        (r"v", "b"),
        (r"(?<![sct])h(?=u)", "f"),
        (r"s(?=i)|sy", "sh"),
        (r"t(?=i)|ty|tch|cch|c(?=y)", "ch"),
        (r"chy", "ch"),
        (r"t(?=u)", "ts"),
        (r"(?:[zd](?=i)|[zj]y)", "j"),
        (r"dzu|du", "zu"),
        (r"m(?=[bp])", "n"),
        (r"ou", "o"),
        (r"ei", "e"),
        (r"(.)\1+", r"\1"),
    )
]
_VOICED = {"k": "g", "sh": "j", "s": "z", "ch": "j", "ts": "z", "t": "d", "h": "b", "f": "b"}
_UNVOICED_START = re.compile("k|sh|s|ch|ts|t|h|f")


@lru_cache(16_384)
def sound(text: str) -> str | None:
    """The key of a word in kana or Latin letters, or of a reading; None of what has other letters, or says too little."""
    spoken = loosened(text)
    return spoken if spoken and len(spoken) >= MIN_SOUND and not spoken.isdigit() else None


def loosened(text: str) -> str | None:
    """The same of any length, as of what is still being typed."""
    spoken = _SYLLABLE.sub(lambda match: _KANA[match.group()], fold(text)).replace("'", "").replace("-", "")
    if not (spoken.isascii() and spoken.isalnum()):
        return None
    for pattern, written in _LOOSE:
        spoken = pattern.sub(written, spoken)
    return spoken


def voiced(spoken: str) -> str | None:
    """As a word begins when it stands behind another (rendaku): hako as bako. None of what has no such form."""
    match = _UNVOICED_START.match(spoken)
    return None if match is None else _VOICED[match.group()] + spoken[match.end() :]
