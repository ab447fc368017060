"""Text into terms, by SudachiPy's short units (A), so that 東京都 is 東京 and 都 and never holds 京都."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version

import sudachipy

from adapters.folding import codes, fold, is_kana, normalize, other_kana

DICTIONARY = "small"

CHUNK = 8_000
"""Characters given to Sudachi at once; it refuses more than 49,149 bytes."""

CRUMB = 2
"""Characters up to which a unit of unknown kana is taken for a crumb."""

CACHED_SENTENCES = 8_192
CACHED_WORDS = 65_536

_SENTENCE = re.compile(r"[^。！!？?\n]+")
_WRITTEN = re.compile(r"[^\W_ー]")
_KANJI = re.compile(r"[㐀-䶿一-鿿豈-﫿々〆]")
_FIELDS = {"surface", "pos", "normalized_form", "dictionary_form", "reading_form"}
_GRAMMATICAL = [("助詞",), ("助動詞",)]


@dataclass(frozen=True, slots=True)
class Word:
    """A unit of text: its forms, any of which may match (as written, as the dictionary has it, normalized), folded.

    `reading` is its hiragana where it is written with kanji. A crumb is hardly a word: it is no reading of another.
    """

    forms: tuple[str, ...]
    reading: str | None = None
    is_grammatical: bool = False
    is_crumb: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a query that must match, in any of its ways; a way matches when all of its words do."""

    ways: tuple[tuple[Word, ...], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is indexed of a text: the forms of its words and its codes, and the readings of its kanji."""

    forms: tuple[str, ...]
    readings: tuple[str, ...]


def dictionary_version(dictionary: str = DICTIONARY) -> str:
    """What terms depend on, and an index with them."""
    return f"sudachidict_{dictionary} {version(f'sudachidict_{dictionary}')}"


class Analyzer:
    """Cuts the shop's texts into terms and a shopper's query into clauses, alike. May be used from any thread."""

    def __init__(self, dictionary: str = DICTIONARY) -> None:
        """`dictionary` is small, core or full, as the package sudachidict_… is installed."""
        self._dictionary = sudachipy.Dictionary(dict=dictionary)
        self._is_grammatical = self._dictionary.pos_matcher(_GRAMMATICAL)
        self._threads = threading.local()
        self._word = lru_cache(CACHED_WORDS)(_folded_word)
        self._sentence_terms = lru_cache(CACHED_SENTENCES)(self._analyzed)
        self.version = dictionary_version(dictionary)

    def terms(self, text: str) -> Terms:
        """The terms of a text of any length. Sentences repeat from product to product, so that theirs are kept."""
        found = [self._sentence_terms(sentence) for sentence in _sentences(normalize(text))]
        return Terms(
            tuple(form for terms in found for form in terms.forms),
            tuple(reading for terms in found for reading in terms.readings),
        )

    def clauses(self, query: str) -> list[Clause]:
        """What must match for a query to match; empty when it holds no word. はの and their like count only alone."""
        clauses = [clause for chunk in normalize(query).split() for clause in self._chunk_clauses(chunk)]
        telling = [clause for clause in clauses if not all(word.is_grammatical for word in clause.ways[0])]
        return telling or clauses

    def _chunk_clauses(self, chunk: str) -> Iterator[Clause]:
        if is_kana(chunk):
            yield from _alternatives(
                _kana_way(list(self._words(chunk))), _kana_way(list(self._words(other_kana(chunk))))
            )
            return
        done = 0
        for start, end, code in codes(chunk):
            yield from (Clause(((word,),)) for word in self._words(chunk[done:start]))
            yield from _alternatives((Word((code,)),), tuple(self._words(chunk[start:end])))
            done = end
        yield from (Clause(((word,),)) for word in self._words(chunk[done:]))

    def _analyzed(self, sentence: str) -> Terms:
        words = list(self._words(sentence))
        return Terms(
            (*(form for word in words for form in word.forms), *(code for _, _, code in codes(sentence))),
            tuple(word.reading for word in words if word.reading is not None),
        )

    def _words(self, text: str) -> Iterator[Word]:
        for each in self._tokenizer().tokenize(text):
            word = self._word(
                each.surface(),
                each.normalized_form(),
                each.dictionary_form(),
                each.reading_form(),
                self._is_grammatical(each),
            )
            if word is not None:
                yield word

    def _tokenizer(self) -> sudachipy.Tokenizer:
        # a tokenizer refuses to be used by two threads at once; the dictionary behind it is shared
        if not hasattr(self._threads, "tokenizer"):
            self._threads.tokenizer = self._dictionary.tokenizer(mode="A", fields=_FIELDS)
        tokenizer: sudachipy.Tokenizer = self._threads.tokenizer
        return tokenizer


def _folded_word(surface: str, normalized: str, dictionary: str, reading: str, is_grammatical: bool) -> Word | None:
    """None for spaces, punctuation, emoji and a lone long-vowel mark."""
    if not _WRITTEN.search(surface):
        return None
    forms = tuple(dict.fromkeys(filter(None, map(fold, (surface, normalized, dictionary)))))
    return Word(forms, fold(reading) if _KANJI.search(surface) else None, is_grammatical) if forms else None


def _kana_way(words: list[Word]) -> tuple[Word, ...]:
    """The words of a query in kana alone, where Sudachi cuts what it does not know to crumbs (くつした: くつ, し, た).

    Crumbs match as written only, else し would find every する and た every 田, and particles among them are no particles.
    """
    content = [word for word in words if not word.is_grammatical]
    if content and all(len(word.forms[0]) >= CRUMB for word in content):
        words = content
    if len(words) > 1:
        words = [Word(word.forms[:1], is_crumb=True) if len(word.forms[0]) <= CRUMB else word for word in words]
    return tuple(words)


def _alternatives(*ways: tuple[Word, ...]) -> Iterator[Clause]:
    distinct = tuple(dict.fromkeys(way for way in ways if way))
    if distinct:
        yield Clause(distinct)


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        for start in range(0, len(sentence), CHUNK):
            yield sentence[start : start + CHUNK]
