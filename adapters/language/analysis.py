"""Text into terms, by SudachiPy's short units (A), so that 東京都 is 東京 and 都 and never holds 京都."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version

import sudachipy
import sudachipy.errors

from adapters.folding import codes, fold, is_kana, normalize, other_kana
from adapters.language.asked import Part, parts
from adapters.language.compounds import compound
from adapters.language.lexicon import NO_WORDS, Lexicon, Unit, Words
from adapters.language.reading import Spoken, asked_keys, asked_labels, keys_of, label_keys_of

DICTIONARY = "small"

CHUNK = 8_000
"""Characters given to Sudachi at once; it refuses more than 49,149 bytes."""

CRUMB = 2
"""Characters up to which a unit of unknown kana is taken for a crumb."""

CACHED_SENTENCES = 8_192
CACHED_WORDS = 65_536

_SENTENCE = re.compile(r"[^。！!？?\n]+")
_WRITTEN = re.compile(r"[^\W_ー]")
_FIELDS = {"surface", "pos", "normalized_form", "dictionary_form", "reading_form"}
_COMMON_NOUN = ("名詞", "普通名詞")
_PARTICLE = ("助詞",)
_GRAMMATICAL = [_PARTICLE, ("助動詞",)]


UNWRITABLE = (ValueError, ArithmeticError, sudachipy.errors.SudachiError)
"""What making an index's document of a product may raise, where something in it is beyond what can be written."""

Span = tuple[int, int]
"""From where to where in a text."""


@dataclass(frozen=True, slots=True)
class Word:
    """A unit of text: its forms, any of which may match (as written, as the dictionary has it, normalized), folded.

    `parts` are those of a compound that the dictionary does not know, which may match in its place, all of them. A crumb
    is hardly a word: it is no reading of another. Particles are grammatical, and so are auxiliary verbs.
    """

    forms: tuple[str, ...]
    parts: tuple[str, ...] = ()
    is_grammatical: bool = False
    is_particle: bool = False
    is_crumb: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """Words that must all match. A synonym only means the same as what was typed."""

    words: tuple[Word, ...]
    is_synonym: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a query that must match: in any of its ways, or by one of its keys, which say how it sounds.

    What has a whole label (the name of a brand, of a category) that is the part comes first.
    """

    ways: tuple[Way, ...]
    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class _OwnWords:
    """Words with their units, and what finds them in a text, the longest first."""

    def __init__(self, units: Mapping[str, Sequence[Unit]]) -> None:
        self.units = units
        self.pattern = re.compile("|".join(map(re.escape, sorted(units, key=len, reverse=True))) or r"(?!)")


def dictionary_version(dictionary: str = DICTIONARY) -> str:
    """What terms depend on, and an index with them."""
    return f"sudachidict_{dictionary} {version(f'sudachidict_{dictionary}')}"


class Analyzer:
    """Cuts the shop's texts into terms and a shopper's query into clauses, alike. May be used from any thread."""

    def __init__(self, words: Words = NO_WORDS, dictionary: str = DICTIONARY) -> None:
        """`words` are the shop's own. `dictionary` is small, core or full, as the package sudachidict_… is installed."""
        self._dictionary = sudachipy.Dictionary(dict=dictionary)
        self._is_grammatical = self._dictionary.pos_matcher(_GRAMMATICAL)
        self._is_particle = self._dictionary.pos_matcher([_PARTICLE])
        self._threads = threading.local()
        self._words_file = words
        self._own = _OwnWords({})
        self._compound = lru_cache(CACHED_WORDS)(lambda text: compound(text, self._is_noun))
        self._word = lru_cache(CACHED_WORDS)(_folded_word)
        self._sentence_terms = lru_cache(CACHED_SENTENCES)(self._analyzed)
        self._keys = lru_cache(CACHED_SENTENCES)(self._sounded)
        self._label_keys = lru_cache(CACHED_SENTENCES)(self._labelled)
        self.version = dictionary_version(dictionary)

    def terms(self, text: str) -> tuple[str, ...]:
        """The terms of a text of any length: the forms of its words, and its codes.

        Sentences repeat from product to product, so that theirs are kept.
        """
        self._lexicon()
        return tuple(term for each in _sentences(normalize(text)) for term in self._sentence_terms(each))

    def placed(self, text: str) -> Iterator[tuple[Span, tuple[str, ...]]]:
        """Where the words of a normalized text of at most CHUNK characters stand, with their forms; not particles."""
        self._lexicon()
        return ((span, (*word.forms, *word.parts)) for span, word in self._placed(text) if not word.is_grammatical)

    def keys(self, text: str) -> Mapping[str, str]:
        """Words, and up to four that stand together, by how they are written and how they sound: key to what is written."""
        self._lexicon()
        found: dict[str, str] = {}
        for each in _sentences(normalize(text)):
            found |= self._keys(each)
        return found

    def labels(self, texts: Sequence[str]) -> Mapping[str, str]:
        """The keys of labels, and those of each as a whole. Those of a label are kept: thousands of products share it."""
        self._lexicon()
        found: dict[str, str] = {}
        for text in texts:
            found |= self._label_keys(text)
        return found

    def clauses(self, query: str) -> list[Clause]:
        """What must match for a query to match; empty when it holds no word. はの and their like count only alone."""
        clauses = [clause for part in parts(query, self._lexicon()) for clause in self._part_clauses(part)]
        telling = [each for each in clauses if not all(word.is_grammatical for word in each.ways[0].words)]
        return telling or clauses

    def _lexicon(self) -> Lexicon:
        """The present one. What was cut by another dictionary is forgotten."""
        lexicon = self._words_file.current()
        if lexicon.dictionary != self._own.units:
            self._own = _OwnWords(lexicon.dictionary)
            self._sentence_terms.cache_clear()
            self._keys.cache_clear()
            self._label_keys.cache_clear()
        return lexicon

    def _part_clauses(self, part: Part) -> Iterator[Clause]:
        if len(part.wordings) == 1:
            yield from self._chunk_clauses(part.typed)
            return
        typed, *synonyms = (tuple(self._telling(wording)) for wording in part.wordings)
        ways = [Way(_kana_way(list(typed)) if is_kana(part.typed) else typed), *(Way(each, True) for each in synonyms)]
        yield from _clause(ways, part.typed)

    def _telling(self, text: str) -> list[Word]:
        words = list(self._words(text))
        return [word for word in words if not word.is_grammatical] or words

    def _chunk_clauses(self, chunk: str) -> Iterator[Clause]:
        if is_kana(chunk):
            kinds = (chunk, other_kana(chunk))
            yield from _clause([Way(_kana_way(list(self._words(each)))) for each in kinds], chunk)
            return
        done = 0
        for start, end, code in codes(chunk):
            yield from self._word_clauses(chunk[done:start])
            yield from _clause([Way((Word((code,)),)), Way(tuple(self._words(chunk[start:end])))], chunk[start:end])
            done = end
        yield from self._word_clauses(chunk[done:])

    def _word_clauses(self, text: str) -> Iterator[Clause]:
        words = list(self._words(text))
        labels = asked_labels(text) if text else ()
        for word in words:
            yield Clause((Way((word,)),), asked_keys(word.forms[0]), labels)

    def _analyzed(self, sentence: str) -> tuple[str, ...]:
        forms = (form for word in self._words(sentence) for form in (*word.forms, *word.parts))
        return (*forms, *(code for _, _, code in codes(sentence)))

    def _sounded(self, sentence: str) -> Mapping[str, str]:
        short = [each for piece, units in self._pieces(sentence) for each in units or self._spoken(piece, "A")]
        long = [each for piece, units in self._pieces(sentence) for each in units or self._spoken(piece, "C")]
        return keys_of(long) | keys_of(short)

    def _labelled(self, text: str) -> Mapping[str, str]:
        found = dict(self.keys(text))
        for part in (text, *text.split("・")):
            spoken = [each for piece in _sentences(normalize(part)) for each in self._spoken(piece, "C")]
            found |= label_keys_of(spoken)
        return found

    def _spoken(self, text: str, mode: str) -> tuple[Spoken, ...]:
        return tuple(
            spoken
            for each in self._tokenizer(mode).tokenize(text)
            for spoken in (
                [Spoken(part, part) for part in self._parts(each)]
                or [Spoken(each.surface(), each.reading_form(), self._is_grammatical(each))]
            )
        )

    def _parts(self, morpheme: sudachipy.Morpheme) -> tuple[str, ...]:
        return self._compound(morpheme.surface()) if morpheme.is_oov() else ()

    def _is_noun(self, text: str) -> bool:
        return any(each.part_of_speech()[:2] == _COMMON_NOUN for each in self._dictionary.lookup(text))

    def _pieces(self, text: str) -> Iterator[tuple[str, tuple[Spoken, ...]]]:
        """The text in pieces: words of our own with their units, and what is between them without."""
        done = 0
        own = self._own
        for match in own.pattern.finditer(text):
            yield text[done : match.start()], ()
            yield match.group(), tuple(Spoken(each.text, each.reading) for each in own.units[match.group()])
            done = match.end()
        yield text[done:], ()

    def _words(self, text: str) -> Iterator[Word]:
        return (word for _, word in self._placed(text))

    def _placed(self, text: str) -> Iterator[tuple[Span, Word]]:
        done = 0
        for piece, units in self._pieces(text):
            place = done
            for unit in units:
                yield (place, place + len(unit.surface)), Word((fold(unit.surface),))
                place += len(unit.surface)
            if not units:
                for (start, end), word in self._dictionary_words(piece):
                    yield (done + start, done + end), word
            done += len(piece)

    def _dictionary_words(self, text: str) -> Iterator[tuple[Span, Word]]:
        for each in self._tokenizer().tokenize(text):
            word = self._word(
                each.surface(),
                each.normalized_form(),
                each.dictionary_form(),
                self._is_grammatical(each),
                self._is_particle(each),
            )
            if word is not None:
                parts = self._parts(each)
                word = replace(word, parts=tuple(map(fold, parts))) if parts else word
                yield (each.begin(), each.end()), word

    def _tokenizer(self, mode: str = "A") -> sudachipy.Tokenizer:
        # a tokenizer refuses to be used by two threads at once; the dictionary behind it is shared
        if not hasattr(self._threads, mode):
            setattr(self._threads, mode, self._dictionary.tokenizer(mode=mode, fields=_FIELDS))
        tokenizer: sudachipy.Tokenizer = getattr(self._threads, mode)
        return tokenizer


def _folded_word(surface: str, normalized: str, dictionary: str, grammatical: bool, particle: bool) -> Word | None:
    """None for spaces, punctuation, emoji and a lone long-vowel mark."""
    if not _WRITTEN.search(surface):
        return None
    forms = tuple(dict.fromkeys(filter(None, map(fold, (surface, normalized, dictionary)))))
    return Word(forms, is_grammatical=grammatical, is_particle=particle) if forms else None


def _kana_way(words: list[Word]) -> tuple[Word, ...]:
    """The words of a query in kana alone, where Sudachi cuts what it does not know to crumbs (くつした: くつ, し, た).

    Crumbs match as written only, else し would find every する and た every 田, and particles among them are no particles.
    Neither is what begins a query, or a particle that ends one: きょうと is not きょう, さーばー not ばー.
    """
    if len(words) > 1 and (words[0].is_grammatical or words[-1].is_particle):
        return tuple(Word(word.forms[:1], is_crumb=True) for word in words)
    content = [word for word in words if not word.is_grammatical]
    if content and all(len(word.forms[0]) >= CRUMB for word in content):
        words = content
    if len(words) > 1:
        words = [Word(word.forms[:1], is_crumb=True) if len(word.forms[0]) <= CRUMB else word for word in words]
    return tuple(words)


def _clause(ways: Sequence[Way], typed: str) -> Iterator[Clause]:
    distinct = tuple({way.words: way for way in reversed(ways) if way.words}.values())[::-1]
    if distinct:
        yield Clause(distinct, asked_keys(typed), asked_labels(typed))


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        for start in range(0, len(sentence), CHUNK):
            yield sentence[start : start + CHUNK]
