"""What words are found by beside their forms: keys of how they, and a few of them together, are written and sound."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.folding import fold, is_kana
from adapters.language.sounds import sound, voiced

TOGETHER = 4
"""Words that make one key at most: 札幌 / 味噌 / ラーメン."""

MAX_KEY = 32
MIN_LOOSE = 5
"""Letters of a key by which kana find what only sounds alike: さば is not サーバー, but きーぼど is キーボード."""

WHOLE = "="

_WRITTEN = re.compile(r"[^\W_]")
_KANJI = re.compile(r"[㐀-䶿一-鿿豈-﫿々〆]")
_JOINTS = frozenset("-・/'&")
"""Marks that words may stand together across."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word of a text, its reading in katakana, and whether it is a particle or the like."""

    surface: str
    reading: str
    is_grammatical: bool = False


def keys_of(words: Sequence[Spoken]) -> dict[str, str]:
    """The keys of each word that is no particle, alone and with up to three that follow it, to what is written there."""
    found: dict[str, str] = {}
    for run in _runs(words):
        for start, first in enumerate(run):
            if first.is_grammatical:
                continue
            for end in range(start + 1, min(len(run), start + TOGETHER) + 1):
                if not run[end - 1].is_grammatical:
                    together = run[start:end]
                    written = "".join(each.surface for each in together)
                    found |= dict.fromkeys(_keys(together, written), written)
    return found


def asked_keys(typed: str) -> tuple[str, ...]:
    """The keys that kana or Latin letters are looked for by, exact ones first; none for what is written with kanji."""
    folded, loose = fold(typed), sound(typed)
    if is_kana(typed):
        return (folded, loose) if loose and len(loose) >= MIN_LOOSE else (folded,) if len(folded) > 1 else ()
    return (loose,) if loose and folded.isascii() else ()


def label_keys_of(words: Sequence[Spoken]) -> dict[str, str]:
    """The keys of a whole label, marked as such: what asks for all of it asks for it by name."""
    written = "".join(each.surface for each in words)
    return {f"{WHOLE}{key}": written for key in _keys(words, written)} if written else {}


def asked_labels(typed: str) -> tuple[str, ...]:
    """The same of what was typed."""
    loose = sound(typed)
    return tuple(f"{WHOLE}{key}" for key in dict.fromkeys((fold(typed), loose)) if key)


def _runs(words: Sequence[Spoken]) -> Iterator[list[Spoken]]:
    run: list[Spoken] = []
    for word in words:
        if _WRITTEN.search(word.surface):
            run.append(word)
        elif word.surface not in _JOINTS:
            yield run
            run = []
    yield run


def _keys(words: Sequence[Spoken], written: str) -> Iterator[str]:
    if len(written) > MAX_KEY:
        return
    yield fold(written)
    spoken = [each.reading if _KANJI.search(each.surface) else each.surface for each in words]
    yield fold("".join(spoken))
    for each in ("".join(spoken), *_compounded(words, spoken)):
        loose = sound(each)
        if loose:
            yield loose


def _compounded(words: Sequence[Spoken], spoken: Sequence[str]) -> Iterator[str]:
    """弁当 and 箱 are read べんとうばこ together, which the parts' own readings do not say."""
    for place in range(1, len(words)):
        begun = sound(spoken[place]) if _KANJI.search(words[place].surface) else None
        changed = voiced(begun) if begun else None
        if changed:
            yield "".join((*spoken[:place], changed, *spoken[place + 1 :]))
