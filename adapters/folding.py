"""Ways of writing that mean the same to a shopper, written one way."""

import re
import unicodedata
from collections.abc import Iterator

MAX_TERM = 64
"""Characters of a term; longer ones are cut alike when indexing and when asking, so that they still meet."""

_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58], "-")
_HIRAGANA = {katakana: katakana - 0x60 for katakana in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_KATAKANA = {hiragana: katakana for katakana, hiragana in _HIRAGANA.items()}
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))
_KANA = re.compile(r"[ぁ-ゖゝゞァ-ヺヽヾー]+")
_CODE = re.compile(r"[A-Za-z0-9]+(?:[-_./+&'][A-Za-z0-9]+)*")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]")


def normalize(text: str) -> str:
    """One width and one kind of dash; what the dictionary looks up. Lone surrogates, which no encoder takes, go."""
    return unicodedata.normalize("NFKC", text).translate(_DASHES).encode("utf-8", "ignore").decode()


def fold(word: str) -> str:
    """A term as it is indexed: one width, one case, one kana, no Latin accents, no white space."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    if not plain.isascii():
        # the kana's voicing marks are U+3099 and U+309A: composing puts them back
        bare = unicodedata.normalize("NFD", plain).translate(_ACCENTS)
        plain = unicodedata.normalize("NFC", bare).translate(_HIRAGANA)
    return "".join(plain.split())[:MAX_TERM]


def is_kana(text: str) -> bool:
    return _KANA.fullmatch(text) is not None


def katakana(text: str) -> str:
    """Hiragana as katakana; the rest as it is."""
    return text.translate(_KATAKANA)


def other_kana(text: str) -> str:
    """Hiragana as katakana; text without hiragana the other way round. The dictionary often knows but one of them."""
    flipped = katakana(text)
    return text.translate(_HIRAGANA) if flipped == text else flipped


def codes(text: str) -> Iterator[tuple[int, int, str]]:
    """Product codes in normalized text, as start, end and term: AB-1234, iPhone15, T-shirt; without their separators.

    Plain words and plain numbers are not codes: the dictionary's units serve them as well.
    """
    for match in _CODE.finditer(text):
        joined = _SEPARATORS.sub("", match.group())
        if len(joined) < len(match.group()) or not (joined.isalpha() or joined.isdigit()):
            yield match.start(), match.end(), fold(joined)
