"""A query as parts that must all match, each in any of its wordings: what was typed, then synonyms of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.folding import codes, normalize
from adapters.language.lexicon import Lexicon, folded

MAX_PARTS = 24
"""More than that are asked for as they are, without synonyms."""
MAX_EDGES = 80
"""Places at which a word may begin or end. Who types more of them types no words: looking each pair up would take long."""

_SCRIPTS = (
    ("kanji", re.compile(r"[㐀-䶿一-鿿豈-﫿々〆]")),
    ("katakana", re.compile(r"[ァ-ヺヽヾ]")),
    ("hiragana", re.compile(r"[ぁ-ゖゝゞ]")),
    ("latin", re.compile(r"[^\W\d_]")),
    ("digit", re.compile(r"\d")),
)


@dataclass(frozen=True, slots=True)
class Part:
    """`wordings` begin with what was typed, normalized."""

    wordings: tuple[str, ...]

    @property
    def typed(self) -> str:
        return self.wordings[0]


def parts(query: str, lexicon: Lexicon) -> list[Part]:
    """Cut at spaces, and around words with synonyms where they stand by themselves: between them and what is next to
    them is a space, or another kind of character. No dictionary is needed for that."""
    text = " ".join(normalize(query).split())
    found = list(dict.fromkeys(_cut(text, lexicon)))
    return found if len(found) <= MAX_PARTS else [Part((chunk,)) for chunk in dict.fromkeys(text.split())]


def _cut(text: str, lexicon: Lexicon) -> Iterator[Part]:
    longest = max(map(len, lexicon.synonyms), default=0) + 2  # folding may shorten a little
    edges = [place for place in range(len(text) + 1) if _is_edge(text, place)]
    inside = {place for start, end, _ in codes(text) for place in range(start + 1, end)}
    edges = [place for place in edges if place not in inside]
    if len(edges) > MAX_EDGES:
        yield from _plain(text)
        return
    done = 0
    for number, start in enumerate(edges):
        if start < done or start == len(text) or text[start] == " ":
            continue
        for end in reversed(edges[number + 1 :]):
            known = folded(text[start:end]) if end - start <= longest and text[end - 1] != " " else ""
            if known in lexicon.synonyms:
                yield from _plain(text[done:start])
                yield Part((text[start:end], *lexicon.synonyms[known]))
                done = end
                break
    yield from _plain(text[done:])


def _plain(text: str) -> Iterator[Part]:
    return (Part((chunk,)) for chunk in text.split())


def _is_edge(text: str, place: int) -> bool:
    """Between kanji and hiragana there is none, for 赤い is one word: but の is a word of its own."""
    if place in (0, len(text)):
        return True
    before, after = _script(text[place - 1]), _script(text[place])
    if {before, after} == {"kanji", "hiragana"}:
        return "の" in text[place - 1 : place + 1]
    return before != after or before == "space"


def _script(character: str) -> str | None:
    if character == " ":
        return "space"
    if character == "ー":
        return "katakana"
    return next((name for name, pattern in _SCRIPTS if pattern.match(character)), None)
