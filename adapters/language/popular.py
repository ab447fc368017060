"""The keys of popular queries, by which they are suggested."""

import asyncio
from collections.abc import Sequence

from adapters.language.beginnings import beginnings
from adapters.language.highlighting import DictionaryHighlighter


class DictionaryBeginnings:
    """The port `Beginnings`, with the dictionary of the highlighter."""

    def __init__(self, dictionary: DictionaryHighlighter) -> None:
        self._dictionary = dictionary

    async def keyed(self, texts: Sequence[str]) -> Sequence[frozenset[str]]:
        return await asyncio.to_thread(self._keyed, texts) if texts else ()

    def begun(self, typed: str) -> Sequence[str]:
        return beginnings(typed)

    def _keyed(self, texts: Sequence[str]) -> list[frozenset[str]]:
        analyzer = self._dictionary.analyzer()
        return [frozenset((*beginnings(text), *analyzer.keys(text))) for text in texts]
