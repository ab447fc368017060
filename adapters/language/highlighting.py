"""Which parts of a text are what was asked for."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adapters.folding import codes, is_kana, normalize
from adapters.language.lexicon import Words
from domain.search.model import Highlight, HighlightPart

if TYPE_CHECKING:  # it loads SudachiPy, which a gateway on OpenSearch may never need
    from adapters.language.analysis import Analyzer, Clause, Span

LOOKED_AT = 4_000
"""Characters of a description in which words are looked for."""

BEFORE, AROUND = 20, 120
"""Characters of a description that are shown: before the first match, and in all."""


class DictionaryHighlighter:
    """The port `Highlighter`. Loads the dictionary when it is asked first."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._analyzer: Analyzer | None = None
        self._lock = threading.Lock()

    async def highlights(self, query: str, texts: Sequence[tuple[str, str]]) -> Sequence[Sequence[Highlight]]:
        return await asyncio.to_thread(self._highlights, query, texts)

    def _highlights(self, query: str, texts: Sequence[tuple[str, str]]) -> list[list[Highlight]]:
        analyzer = self.analyzer()
        clauses = analyzer.clauses(query)
        return [list(_of_product(analyzer, clauses, name, description)) for name, description in texts]

    def analyzer(self) -> "Analyzer":
        """Loaded when it is asked for first, some tenth of a second. For any thread."""
        from adapters.language.analysis import Analyzer

        with self._lock:
            if self._analyzer is None:
                self._analyzer = Analyzer(self._words)
            return self._analyzer


def _of_product(analyzer: "Analyzer", clauses: "Sequence[Clause]", name: str, description: str) -> Iterator[Highlight]:
    # cut once more: one character may be written out as eighteen, and the dictionary takes only so many bytes
    name, description = (normalize(text[:LOOKED_AT])[:LOOKED_AT] for text in (name, description))
    spans = matched(analyzer, clauses, name, by_sound=True)
    if spans:
        yield Highlight("name", _parts(name, spans, 0, len(name)))
    spans = matched(analyzer, clauses, description, by_sound=False)
    if spans:
        start = max(0, spans[0][0] - BEFORE)
        yield Highlight("description", _parts(description, spans, start, start + AROUND))


def matched(analyzer: "Analyzer", clauses: "Sequence[Clause]", text: str, *, by_sound: bool) -> "list[Span]":
    """Where words of the clauses stand in a normalized text, in order, none overlapping another."""
    words = [word for clause in clauses for way in clause.ways for word in way.words if not word.is_crumb]
    forms = {form for word in words for form in (*word.forms, *word.parts)}
    keys = {key for clause in clauses for key in clause.keys} | {form for form in forms if is_kana(form)}
    found = [span for span, of_word in analyzer.placed(text) if forms.intersection(of_word)]
    found += [(start, end) for start, end, code in codes(text) if code in forms]
    if by_sound and keys:
        for written in {written for key, written in analyzer.keys(text).items() if key in keys}:
            found += _places(text, written)
    return _merged(found)


def _places(text: str, written: str) -> "Iterator[Span]":
    start = text.find(written)
    while start >= 0:
        yield start, start + len(written)
        start = text.find(written, start + len(written))


def _merged(spans: "Sequence[Span]") -> "list[Span]":
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _parts(text: str, spans: "Sequence[Span]", start: int, stop: int) -> tuple[HighlightPart, ...]:
    """The text from start to stop, cut where a match begins or ends."""
    parts, place = [], start
    for begin, end in spans:
        begin, end = max(begin, place), min(end, stop)
        if begin >= stop:
            break
        parts += [(text[place:begin], False), (text[begin:end], True)]
        place = end
    parts.append((text[place:stop], False))
    return tuple(HighlightPart(piece, is_match) for piece, is_match in parts if piece)
